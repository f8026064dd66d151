"""What keeping a target costs beside its requests: memory, start-up time, and the code and packages of its app."""

from __future__ import annotations

from dataclasses import dataclass

from harness.model import Effort
from harness.render.numbers import Figure, mebibytes
from harness.render.view import View
from harness.units import significant


@dataclass(frozen=True, slots=True)
class UpkeepRow:
    target: str
    capacity: str
    memory: Figure | None
    startup: Figure | None


@dataclass(frozen=True, slots=True)
class EffortRow:
    """An app: lines in all, lines per feature, and the packages of each feature."""

    app: str
    total: int
    lines: tuple[tuple[str, Figure], ...]
    packages: tuple[tuple[str, str], ...]
    package_count: int


@dataclass(frozen=True, slots=True)
class UpkeepTables:
    rows: tuple[UpkeepRow, ...]
    effort: tuple[EffortRow, ...]


def upkeep_tables(view: View) -> UpkeepTables | None:
    """``None`` where the run has neither."""
    rows = upkeep_rows(view)
    effort = tuple(_effort_row(index, app) for index, app in enumerate(view.summary.effort))
    return UpkeepTables(rows, effort) if rows or effort else None


def upkeep_rows(view: View) -> tuple[UpkeepRow, ...]:
    """In the order of the targets; twins are left out."""
    numbered = {upkeep.target: (index, upkeep) for index, upkeep in enumerate(view.summary.upkeep)}
    rows = []
    for target in view.targets.values():
        if target.twin_of or target.name not in numbered:
            continue
        index, upkeep = numbered[target.name]
        memory, start = upkeep.rss_bytes, upkeep.startup_s
        rows.append(
            UpkeepRow(
                target=target.name,
                capacity=target.capacity,
                memory=None if memory is None else mebibytes(memory, f"upkeep.{index}.rss_bytes"),
                startup=None if start is None else Figure(significant(start), start, f"upkeep.{index}.startup_s"),
            )
        )
    return tuple(rows)


def _effort_row(index: int, app: Effort) -> EffortRow:
    lines = tuple(
        (name, Figure(f"{count:,}", count, f"effort.{index}.lines.{name}")) for name, count in app.lines.items()
    )
    packages = tuple((name, ", ".join(found)) for name, found in app.packages.items())
    distinct = {package for found in app.packages.values() for package in found}
    return EffortRow(app.app, sum(app.lines.values()), lines, packages, len(distinct))
