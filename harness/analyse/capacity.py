"""From the windows of a search for the highest rate to an interval. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analyse.summary.studies import CapacityRow
from harness.analyse.windows import Group, sound
from harness.bisection import Bisection
from harness.model import WindowRecord
from harness.objective import SEARCH, edge, held

BELOW, ABOVE = 0.95, 1.05
TAIL = 0.025
BEYOND = "no sound window broke the objective: the edge lies beyond the rates that were tried"


def capacity_row(group: Group, records: Sequence[WindowRecord]) -> CapacityRow:
    """``records``: all windows of one target's search."""
    usable = [record for record in records if sound(record)]
    bound = float(records[0].setting["bound_ms"])
    kept = {factor: [held(r) for r in usable if r.setting.get("factor") == factor] for factor in (BELOW, ABOVE)}
    blocks = len({record.block for record in usable})
    rps = low = high = None
    searched = [record for record in usable if record.setting.get("step") in SEARCH]
    reached = not all(map(held, searched))
    if any(record.answered for record in usable) and reached:
        rps, low, high = interval(edge(usable), kept[BELOW], kept[ABOVE])
    tried = tuple(
        (float(record.setting["rate"]), latency["p99"], int(held(record)))
        for record in searched
        for latency in record.latency_us.values()
    )
    target, scenario, status, reason, _ = group.head
    if status == "ok" and searched and not reached:
        status, reason = "not-measurable", BEYOND
    return CapacityRow(
        target,
        scenario,
        status,
        reason,
        blocks,
        bound_ms=bound,
        rps=rps,
        low_rps=low,
        high_rps=high,
        below=len(kept[BELOW]),
        below_held=sum(kept[BELOW]),
        above=len(kept[ABOVE]),
        above_failed=sum(not each for each in kept[ABOVE]),
        tried=tried,
    )


def interval(found: Bisection, below: Sequence[bool], above: Sequence[bool]) -> tuple[float, float, float]:
    """Estimate, lower and upper end.

    The 95% interval of the search over all blocks, but no narrower than the confirming rates. Where most windows at one
    of these contradict, that end goes out by as much again.
    """
    low = BELOW if not below or 2 * sum(below) >= len(below) else BELOW**2
    high = ABOVE if not above or 2 * sum(above) <= len(above) else ABOVE**2
    rps = found.median
    return rps, min(found.quantile(TAIL), rps * low), max(found.quantile(1 - TAIL), rps * high)
