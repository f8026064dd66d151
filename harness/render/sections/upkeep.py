"""What keeping a target costs beside its requests: memory and start-up time."""

from __future__ import annotations

from dataclasses import dataclass

from harness.render.numbers import Figure, mebibytes
from harness.render.view import View
from harness.units import significant


@dataclass(frozen=True, slots=True)
class UpkeepRow:
    target: str
    capacity: str
    memory: Figure | None
    startup: Figure | None


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
