"""Which targets of a run are profiled: at one point where nothing waits. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from harness.model import Block, Plan, Point, Side, Target, Window
from harness.plan.counting import INSTRUCTIONS
from harness.plan.timing import block_seconds, with_blocks

PROFILE = "profile"
INSTRUMENTS = frozenset({INSTRUCTIONS, PROFILE})
"""Blocks that only explain the sides that take turns."""
SCENARIOS = ("orders-validated", "json")
"""Where the plan has one of them, it is chosen: a request that every layer has a part in."""
LEAST_S, MOST_S = 2, 10
OVERHEAD_S = 1.0
"""Warm-up, and the start and end of py-spy."""


def with_profiles(plan: Plan, targets: Sequence[Target], busy: Sequence[Point], budget_s: float) -> Plan:
    """The plan with a block in which its targets are sampled under load, one after the other.

    Args:
        targets: without twins; those whose workers share a CPU are left out, since py-spy would sample them while they
            wait for it. ``busy``: points at which nothing waits.
        budget_s: what sampling may take. Where it is too short, targets are left out, those last that are their
            framework's reference.
    """
    measured = plan.alternating_sides
    targets = [target for target in targets if target.per_cpu or target.workers == 1]
    served = {point.id: sum(Side(target.name, point.id) in measured for target in targets) for point in busy}
    if not any(served.values()):
        return plan
    preferred = [point for name in SCENARIOS for point in busy if point.scenario == name and served[point.id]]
    point = preferred[0] if preferred else max(busy, key=lambda point: served[point.id])
    sides = [
        Side(target.name, point.id)
        for target in sorted(targets, key=lambda target: not target.reference)
        if Side(target.name, point.id) in measured
    ]
    while sides and _seconds(len(sides), LEAST_S) > budget_s:
        sides.pop()
    if not sides:
        return plan
    seconds = max(each for each in range(LEAST_S, MOST_S + 1) if _seconds(len(sides), each) <= budget_s)
    each_s = _seconds(len(sides), seconds) / len(sides)
    windows = tuple(
        Window(f"p00-{side.target}", 0, (side,), float(seconds), each_s, PROFILE, key=f"{PROFILE}-{side.target}")
        for side in sides
    )
    block = Block.of(0, windows, PROFILE)
    return with_blocks(plan, [block], block.load_s)


def _seconds(targets: int, seconds: int) -> float:
    return block_seconds(targets) + targets * (seconds + OVERHEAD_S)
