"""What keeping a target costs beside its requests: memory, start-up time, and the code and packages of its app."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from harness.model import OWN, Effort
from harness.model.units import MIB
from harness.report.blocks import Block, Column, Entry, Missing, Noted, Table, Text, words
from harness.report.numbers import Measured, Sentence, count, kibibytes, measured, mebibytes, numbered, shown
from harness.report.view import View
from harness.results.summary import Upkeep, Waiting


def upkeep_tables(view: View) -> tuple[Block, ...]:
    """Empty where the run knows neither."""
    return (*_memory(view), *_effort(view))


def _memory(view: View) -> tuple[Block, ...]:
    text, table = view.language.text, memory_table(view)
    if not table.rows:
        return ()
    intro = [text("upkeep.intro")] + [text("upkeep.waiting_intro")] * bool(_counts(view))
    return Text(" ".join(intro)), table


def memory_table(view: View) -> Table:
    """In the order of the targets; twins are left out."""
    kept = {upkeep.target: (path, upkeep) for path, upkeep in numbered("upkeep", view.summary.upkeep)}
    unknown = Missing(view.language.text("page.not_known"))

    def column(name: str, path: str, show: Callable[[Any, str], Entry]) -> Column:
        return Column(name, said=lambda view, upkeep, at: shown(upkeep, at, path, show) or unknown)

    def waiting(requests: int) -> Column:
        return Column(
            view.language.text("upkeep.waiting", count=requests),
            said=lambda view, upkeep, at: _waiting(view, upkeep, at, requests) or unknown,
        )

    columns = (
        Column("words.capacity", said=lambda view, upkeep, at: view.targets[upkeep.target].capacity),
        column("words.memory", "rss_bytes", partial(measured, unit=MIB)),
        column("upkeep.per_worker", "worker_bytes", mebibytes),
        *map(waiting, _counts(view)),
        column("words.startup", "startup_s", measured),
    )
    rows = [kept[target.name] for target in view.targets.values() if target.name in kept and not target.twin_of]
    rows = [row for row in rows if row[1].rss_bytes or row[1].startup_s or row[1].waiting]
    return Table.of(view, "upkeep.caption", columns, rows)


def _counts(view: View) -> tuple[int, ...]:
    """Of the requests that were held waiting, a column each."""
    return tuple(sorted({each.requests for upkeep in view.summary.upkeep for each in upkeep.waiting}))


def _waiting(view: View, upkeep: Upkeep, at: str, requests: int) -> Noted | None:
    """KiB per waiting request, and where the requests wait if not in the server."""
    for path, each in numbered(f"{at}.waiting", upkeep.waiting):
        if each.requests == requests:
            half = None if each.ci_low is None or each.ci_high is None else (each.ci_high - each.ci_low) / 2
            size = kibibytes(each.bytes_per_request, f"{path}.bytes_per_request")
            return Noted(Measured(size, kibibytes(half, f"{path}.half")), _where(view, upkeep, path, each))
    return None


def _where(view: View, upkeep: Upkeep, path: str, waiting: Waiting) -> Sentence:
    say, requests, target = view.language.say, waiting.requests, view.targets[upkeep.target]
    if waiting.connected < requests:
        return say("upkeep.connected", connected=count(waiting.connected, f"{path}.connected"), count=requests)
    if waiting.accepted is not None and waiting.accepted < waiting.connected:
        return say("upkeep.accepted", accepted=count(waiting.accepted, f"{path}.accepted"), count=requests)
    if target.interface == "wsgi" and target.worker_threads < requests:
        return say("upkeep.capacity", capacity=target.worker_threads)
    return ()


EFFORT = (
    Column("upkeep.endpoints", "endpoints", count),
    Column("upkeep.own_lines", said=lambda view, app, at: count(app.own_lines, f"{at}.lines.{OWN}")),
    Column("upkeep.stand_in_lines", said=lambda view, app, at: str(app.total_lines - app.own_lines)),
    words("upkeep.packages", lambda view, app, at: ", ".join(app.packages)),
)


def _effort(view: View) -> tuple[Block, ...]:
    apps = numbered("effort", view.summary.effort)
    table = Table.of(
        view, "upkeep.effort_caption", EFFORT, apps, head="upkeep.app", row=lambda app: app_name(view, app)
    )
    return (Text(view.language.text("upkeep.effort_intro")), table) if apps else ()


def app_name(view: View, app: Effort) -> str:
    """An app of the contract by its module, and the smallest of a framework by what it is."""
    name = app.app.removeprefix("untouched.with_")
    return view.language.texts.get(f"bare.{name}", name) if name != app.app else app.app
