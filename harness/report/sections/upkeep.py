"""A target's footprint: memory, start-up time, and the code and packages of its app."""

from __future__ import annotations

from functools import partial

from harness.model import OWN, Effort
from harness.model.units import MIB
from harness.report.blocks import Block, Column, Missing, Table, Text, words
from harness.report.numbers import Measured, Sentence, Show, count, kib, measured, mib, numbered, shown
from harness.report.view import View
from harness.results.summary import Upkeep, Waiting


def upkeep_tables(view: View) -> tuple[Block, ...]:
    """Empty where the run knows neither."""
    blocks: list[Block] = []
    table, apps = memory_table(view), numbered("effort", view.summary.effort)
    if table.rows:
        intro = [view.text("upkeep.intro")] + [view.text("upkeep.waiting_intro")] * bool(_counts(view))
        blocks += [Text(" ".join(intro)), table]
    if apps:
        named = partial(app_name, view)
        effort = Table.of(view, "upkeep.effort_caption", EFFORT, apps, head="upkeep.app", row=named)
        blocks += [Text(view.text("upkeep.effort_intro")), effort]
    return tuple(blocks)


def memory_table(view: View) -> Table:
    """In the order of the targets; twins are left out."""
    known = {upkeep.target: (path, upkeep) for path, upkeep in numbered("upkeep", view.summary.upkeep)}
    unknown = Missing(view.text("page.not_known"))

    def column(name: str, path: str, show: Show) -> Column:
        return Column(name, path, lambda value, at: show(value, at) or unknown)

    def waiting(requests: int) -> Column:
        name = view.text("upkeep.waiting", count=requests)
        return Column(name, said=lambda view, upkeep, at: _waiting(view, upkeep, at, requests) or unknown)

    columns = (
        Column("words.capacity", said=lambda view, upkeep, at: view.targets[upkeep.target].capacity),
        column("words.memory", "rss_bytes", partial(measured, unit=MIB)),
        column("upkeep.per_worker", "worker_bytes", mib),
        *map(waiting, _counts(view)),
        column("words.startup", "startup_s", measured),
    )
    rows = [known[target.name] for target in view.targets.values() if target.name in known and not target.twin_of]
    rows = [row for row in rows if row[1].rss_bytes or row[1].startup_s or row[1].waiting]
    return Table.of(view, "upkeep.caption", columns, rows)


def _counts(view: View) -> list[int]:
    """Numbers of requests that waited, a column each."""
    return sorted({each.requests for upkeep in view.summary.upkeep for each in upkeep.waiting})


def _waiting(view: View, upkeep: Upkeep, at: str, requests: int) -> Measured | None:
    """KiB per waiting request, and where the requests wait if not in the server."""
    for path, each in numbered(f"{at}.waiting", upkeep.waiting):
        if each.requests == requests:
            half = None if each.ci_low is None or each.ci_high is None else (each.ci_high - each.ci_low) / 2
            size = kib(each.bytes_per_request, f"{path}.bytes_per_request")
            return Measured(size, kib(half, f"{path}.half"), _where(view, upkeep, path, each))
    return None


def _where(view: View, upkeep: Upkeep, path: str, waiting: Waiting) -> Sentence:
    requests, target = waiting.requests, view.targets[upkeep.target]
    if waiting.connected < requests:
        return view.say("upkeep.connected", connected=shown(waiting, path, "connected", count), count=requests)
    if waiting.accepted is not None and waiting.accepted < waiting.connected:
        return view.say("upkeep.accepted", accepted=shown(waiting, path, "accepted", count), count=requests)
    if target.interface == "wsgi" and target.worker_threads < requests:
        return view.say("upkeep.capacity", capacity=target.worker_threads)
    return ()


EFFORT = (
    Column("upkeep.endpoints", "endpoints", count),
    Column("upkeep.own_lines", said=lambda view, app, at: count(app.own_lines, f"{at}.lines.{OWN}")),
    Column("upkeep.stand_in_lines", said=lambda view, app, at: str(app.total_lines - app.own_lines)),
    words("upkeep.packages", lambda view, app, at: ", ".join(app.packages)),
)


def app_name(view: View, app: Effort) -> str:
    """An app of the contract by its module, and the smallest of a framework by what it is."""
    name = app.app.removeprefix("untouched.with_")
    return view.language.texts.get(f"minimal.{name}", name) if name != app.app else app.app
