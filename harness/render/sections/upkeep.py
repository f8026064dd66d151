"""What keeping a target costs beside its requests: memory, start-up time, and the code and packages of its app."""

from __future__ import annotations

from dataclasses import dataclass

from harness.analyse.summary import Upkeep
from harness.model import Effort, Target
from harness.render.numbers import Figure, Sentence, kibibytes, mebibytes
from harness.render.view import View
from harness.units import significant


@dataclass(frozen=True, slots=True)
class WaitingCell:
    """KiB per waiting request with half its interval's width, and where the requests wait if not in the server."""

    each: Figure
    half: Figure | None
    note: Sentence


@dataclass(frozen=True, slots=True)
class UpkeepRow:
    """``waiting``: by the counts of the table; ``None`` where it was not measured."""

    target: str
    capacity: str
    memory: Figure | None
    per_worker: Figure | None
    startup: Figure | None
    waiting: tuple[WaitingCell | None, ...]


@dataclass(frozen=True, slots=True)
class EffortRow:
    """An app: lines in all, lines per feature, and the packages of each feature."""

    app: str
    total: int
    lines: tuple[tuple[str, Figure], ...]
    packages: tuple[tuple[str, str], ...]
    package_count: int


@dataclass(frozen=True, slots=True)
class UpkeepTable:
    """``counts``: of the requests that were held waiting, a column each."""

    counts: tuple[int, ...]
    rows: tuple[UpkeepRow, ...]


@dataclass(frozen=True, slots=True)
class UpkeepTables:
    memory: UpkeepTable | None
    effort: tuple[EffortRow, ...]


def upkeep_tables(view: View) -> UpkeepTables | None:
    """``None`` where the run has neither."""
    memory = upkeep_rows(view)
    effort = tuple(_effort_row(index, app) for index, app in enumerate(view.summary.effort))
    return UpkeepTables(memory, effort) if memory or effort else None


def upkeep_rows(view: View) -> UpkeepTable | None:
    """In the order of the targets; twins are left out. ``None`` where nothing is known."""
    numbered = {upkeep.target: (index, upkeep) for index, upkeep in enumerate(view.summary.upkeep)}
    counts = tuple(sorted({each.requests for upkeep in view.summary.upkeep for each in upkeep.waiting}))
    rows = tuple(
        _row(view, target, *numbered[target.name], counts)
        for target in view.targets.values()
        if not target.twin_of and target.name in numbered
    )
    return UpkeepTable(counts, rows) if rows else None


def _row(view: View, target: Target, index: int, upkeep: Upkeep, counts: tuple[int, ...]) -> UpkeepRow:
    def memory(value: float | None, name: str) -> Figure | None:
        return None if value is None else mebibytes(value, f"upkeep.{index}.{name}")

    start = upkeep.startup_s
    return UpkeepRow(
        target=target.name,
        capacity=target.capacity,
        memory=memory(upkeep.rss_bytes, "rss_bytes"),
        per_worker=memory(upkeep.worker_bytes, "worker_bytes"),
        startup=None if start is None else Figure(significant(start), start, f"upkeep.{index}.startup_s"),
        waiting=tuple(_waiting(view, target, index, upkeep, count) for count in counts),
    )


def _waiting(view: View, target: Target, index: int, upkeep: Upkeep, count: int) -> WaitingCell | None:
    found = next(((n, each) for n, each in enumerate(upkeep.waiting) if each.requests == count), None)
    if found is None:
        return None
    number, waiting = found
    path = f"upkeep.{index}.waiting.{number}"
    half = None
    if waiting.ci_low is not None and waiting.ci_high is not None:
        half = kibibytes((waiting.ci_high - waiting.ci_low) / 2, f"{path}.half")
    notes: list[str | Figure] = []
    if waiting.connected < count:
        connected = Figure(f"{waiting.connected:,.0f}", waiting.connected, f"{path}.connected")
        notes += view.language.say("upkeep.connected", connected=connected, count=count)
    elif waiting.accepted is not None and waiting.accepted < waiting.connected:
        accepted = Figure(f"{waiting.accepted:,.0f}", waiting.accepted, f"{path}.accepted")
        notes += view.language.say("upkeep.accepted", accepted=accepted, count=count)
    elif target.interface == "wsgi" and (capacity := target.workers * target.threads) < count:
        notes += view.language.say("upkeep.capacity", capacity=capacity)
    return WaitingCell(kibibytes(waiting.bytes_per_request, f"{path}.bytes_per_request"), half, tuple(notes))


def _effort_row(index: int, app: Effort) -> EffortRow:
    lines = tuple(
        (name, Figure(f"{count:,}", count, f"effort.{index}.lines.{name}")) for name, count in app.lines.items()
    )
    packages = tuple((name, ", ".join(found)) for name, found in app.packages.items())
    distinct = {package for found in app.packages.values() for package in found}
    return EffortRow(app.app, sum(app.lines.values()), lines, packages, len(distinct))
