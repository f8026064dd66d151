"""What keeping each target costs beside its requests: start-up time, memory, and memory of requests that wait."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from harness.model import Target, WindowRecord
from harness.results.summary import Upkeep
from harness.stats.interval import estimate
from harness.studies.waiting import WAITING, rows


def upkeep(targets: Iterable[Target], records: Sequence[WindowRecord]) -> tuple[Upkeep, ...]:
    """Of targets that are no twin; in a block, the largest memory at the end of any window."""
    turns = [record for record in records if not record.study]
    held = [record for record in records if record.study == WAITING and not record.failures]
    return tuple(
        _upkeep(target, turns, [window for window in held if window.only.target == target.name])
        for target in targets
        if not target.twin_of
    )


def _upkeep(target: Target, turns: Sequence[WindowRecord], held: Sequence[WindowRecord]) -> Upkeep:
    startup: dict[int, float] = {}
    memory: dict[int, int] = {}
    for record in turns:
        if target.name in record.startup_s:
            startup[record.block] = record.startup_s[target.name]
        if target.name in record.rss_bytes:
            memory[record.block] = max(memory.get(record.block, 0), record.rss_bytes[target.name])
    whole = estimate(list(memory.values()))
    idle = {window.block: window.only.figures["idle_bytes"] for window in held}
    return Upkeep(
        target.name,
        estimate(list(startup.values())),
        whole,
        None if whole is None else whole.value / target.workers,
        float(median(idle.values())) if idle else None,
        rows(held),
    )
