"""What keeping each target costs beside its requests: start-up time, memory, and memory of requests that wait."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

import numpy as np

from harness.analyse.interval import CELL_ALPHA, t_interval
from harness.analyse.summary import Upkeep, Waiting
from harness.model import SlotRecord, Target, WindowRecord

STUDY = "waiting"


def upkeep(
    targets: Iterable[Target], slots: Sequence[SlotRecord], windows: Sequence[WindowRecord] = ()
) -> tuple[Upkeep, ...]:
    """Of targets that are no twin; in a block, the largest memory at the end of any slot."""
    held = [window for window in windows if window.study == STUDY and not window.failures]
    return tuple(
        _upkeep(target, slots, [window for window in held if window.target == target.name])
        for target in targets
        if not target.twin_of
    )


def _upkeep(target: Target, slots: Sequence[SlotRecord], held: Sequence[WindowRecord]) -> Upkeep:
    startup: dict[int, float] = {}
    memory: dict[int, int] = {}
    for record in slots:
        if target.name in record.startup_s:
            startup[record.block] = record.startup_s[target.name]
        if target.name in record.rss_bytes:
            memory[record.block] = max(memory.get(record.block, 0), record.rss_bytes[target.name])
    whole = float(median(memory.values())) if memory else None
    idle = {window.block: window.figures["idle_bytes"] for window in held}
    return Upkeep(
        target.name,
        median(startup.values()) if startup else None,
        whole,
        None if whole is None else whole / target.workers,
        float(median(idle.values())) if idle else None,
        _waiting(held),
    )


def _waiting(held: Sequence[WindowRecord]) -> tuple[Waiting, ...]:
    """The last record counts where a block has several; where no connection came about there is nothing to divide."""
    counts = sorted({window.planned for window in held})
    found = []
    for count in counts:
        last = {window.block: window.figures for window in held if window.planned == count}
        figures = [each for each in last.values() if each["connected"]]
        if not figures:
            continue
        values = np.array([(each["held_bytes"] - each["idle_bytes"]) / each["connected"] for each in figures])
        interval = t_interval(values, CELL_ALPHA) if values.size > 1 else None
        accepted = [each["accepted"] for each in figures if "accepted" in each]
        found.append(
            Waiting(
                requests=count,
                bytes_per_request=float(values.mean()),
                ci_low=None if interval is None else float(interval.low),
                ci_high=None if interval is None else float(interval.high),
                connected=float(median(each["connected"] for each in figures)),
                accepted=float(median(accepted)) if accepted else None,
                blocks=values.size,
            )
        )
    return tuple(found)
