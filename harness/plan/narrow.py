"""Where a contrast changes its sign between two waits: the next wait to measure, as blocks that join the plan. Pure."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence

from harness.model import Block, Contrast, Extension, Failure, Gap, Plan, Point, Scenario, Side, Target, Window
from harness.plan.points import point_at
from harness.plan.timing import expected_seconds, too_long, turn_seconds, warmup_seconds

BLOCKS = 5
ROUNDS = 2
HALF_MS = 0.5
"""Stands for a wait of 0 on the logarithmic scale: half of the smallest wait that can be requested."""
_ROUND_NUMBERS = tuple(step * 10**power for power in range(5) for step in (1, 2, 5))


def narrow(
    plan: Plan,
    scenarios: Sequence[Scenario],
    targets: Sequence[Target],
    gaps: Sequence[Gap],
    left_s: float,
    longest_turn_s: float,
) -> Extension | None:
    """Blocks with one new wait inside each gap, as many of them, from the front, as ``left_s`` seconds allow.

    ``None`` where no gap has room for another wait, or the time is too short for the first.
    """
    by_target = {target.name: target for target in targets}
    by_scenario = {scenario.name: scenario for scenario in scenarios}
    additions: dict[str, tuple[Point, list[str]]] = {}
    left_out: list[Failure] = []
    for gap in gaps:
        scenario, wait = by_scenario[gap.scenario], between(gap.low_ms, gap.high_ms)
        if wait is None:
            continue
        values = {**gap.params, scenario.bisect: wait}
        # In the order of the matrix, so that a point's name does not depend on who made it.
        point = point_at(scenario, {key: values[key] for key in scenario.matrix}, gap.concurrency)
        reasons = {name: too_long(by_target[name], point, longest_turn_s) for name in (gap.a, gap.b)}
        failed = [Failure(name, point.id, reason) for name, reason in reasons.items() if reason]
        if failed:
            left_out += [each for each in failed if each not in (*plan.left_out, *left_out)]
            continue
        _, names = additions.get(point.id, (point, []))
        trial = additions | {point.id: (point, list(dict.fromkeys([*names, gap.a, gap.b])))}
        if expected_seconds(_block(plan, 0, trial, by_target)) * BLOCKS <= left_s:
            additions = trial
    if not additions:
        return None
    return Extension(
        blocks=tuple(_block(plan, number, additions, by_target) for number in range(BLOCKS)),
        points=tuple(point for point, _ in additions.values() if point.id not in {known.id for known in plan.points}),
        contrasts=_contrasts(plan, additions),
        left_out=tuple(left_out),
    )


def between(low_ms: float, high_ms: float) -> int | None:
    """A whole number of milliseconds strictly inside, near the geometric mean; a round one where there is one.

    ``None`` where there is none that is a tenth away from both ends.
    """
    low, middle = max(low_ms, HALF_MS), math.sqrt(max(low_ms, HALF_MS) * high_ms)
    inside = [
        wait for wait in range(math.floor(low) + 1, math.ceil(high_ms)) if wait >= 1.1 * low and high_ms >= 1.1 * wait
    ]
    if not inside:
        return None

    def distance(wait: int) -> float:
        return abs(math.log(wait / middle))

    nearest = min(inside, key=distance)
    step = 10 ** max(0, len(str(nearest)) - 2)
    choice = [wait for wait in inside if wait in _ROUND_NUMBERS] or [wait for wait in inside if not wait % step]
    return min(choice or inside, key=distance)


def _block(
    plan: Plan, number: int, additions: Mapping[str, tuple[Point, list[str]]], targets: Mapping[str, Target]
) -> Block:
    index = len(plan.alternating) + number
    order = random.Random(plan.seed * 1009 + index).sample(list(additions.values()), len(additions))
    windows = []
    for point, names in order:
        sides = tuple(Side(name, point.id) for name in names)
        sent = [targets[name] for name in names]
        seconds = sum(warmup_seconds(each, point) + ROUNDS * turn_seconds(each, point) for each in sent)
        windows.append(Window.in_turns(point.id, index, sides, seconds, ROUNDS))
    return Block.of(index, windows)


def _contrasts(plan: Plan, additions: Mapping[str, tuple[Point, list[str]]]) -> tuple[Contrast, ...]:
    """The plan's contrasts of the two targets at the scenario's other points, at the new points."""
    contrasts: dict[str, Contrast] = {}
    known = {contrast.id for contrast in plan.contrasts}
    scenario_of = {point.id: point.scenario for point in plan.points}
    for point, names in additions.values():
        for each in plan.contrasts:
            same = each.a.point == each.b.point and scenario_of[each.a.point] == point.scenario
            if not (same and {each.a.target, each.b.target} <= set(names)):
                continue
            a, b = Side(each.a.target, point.id), Side(each.b.target, point.id)
            key = f"{each.metric}:{a.id}/{b.id}"
            if key not in known:
                contrasts.setdefault(key, Contrast(key, each.question, each.metric, a, b, each.label))
    return tuple(contrasts.values())
