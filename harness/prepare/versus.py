"""Two targets at one point: the plan of short blocks that compares them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harness.config.placement import Placement
from harness.errors import UsageError
from harness.model import Block, Contrast, Extension, Manifest, Metric, Plan, Point, Scenario, Side, Target, Window
from harness.plan import TWIN, serves
from harness.plan.allocate import next_load
from harness.plan.counting import counting_block
from harness.plan.timing import START_S, turn_seconds, warmup_seconds
from harness.prepare.manifest import new_manifest
from harness.prepare.point import parts_of
from harness.serve.envs import packages_of
from harness.stats.looks import EARLY_LOOKS, LOOKS, STARTS, stops

MIN_ROUNDS = 3
OVERHEAD_S = 0.35
CLOCK_ROUNDS = 24
REQUESTS = 300

Group = tuple[tuple[Side, ...], float]
"""Sides that take turns in a window, and its seconds."""


def check_budget(targets: Sequence[Target], point: Point, budget_s: float) -> None:
    """Raises ``UsageError`` where the budget is too short for servers that start as fast as most do."""
    _check(budget_s, _fewest_seconds(targets, [point]) + START_S * len(targets) / 2 + OVERHEAD_S)


def versus_plan(
    targets: Sequence[Target],
    point: Point,
    metric: Metric,
    *,
    seed: int,
    budget_s: float,
    start_s: float,
    spent_s: float = 0.0,
    margin: float | None = None,
) -> Plan:
    """The first block, with the fewest turns; ``another_block`` adds the others.

    Args:
        targets: those that are ``versus_targets``.
        budget_s: what is left after the ``spent_s`` that probing took; the user gave both together.
        start_s: time in which all servers of a block start.
        margin: of instructions, as a share; ``None`` for the usual one.

    Raises:
        UsageError: the budget is too short for the first early look.
    """
    if metric == "instructions":
        return _counting_plan(targets, point, seed, budget_s, margin)
    # The servers of the first block are up.
    whole_s, starting_s, parts = budget_s + start_s, start_s + OVERHEAD_S, parts_of(point)
    while parts and LOOKS[0] * (_fewest_seconds(targets, (*parts, point)) + starting_s) > whole_s:
        parts.pop()
    points = (*parts, point)
    _check(whole_s, _fewest_seconds(targets, points) + starting_s, spent_s - start_s)
    a, b, *twin = targets
    label = f"{a.name} against {b.name}"
    contrasts = [
        Contrast(f"{metric}:{a.name}/{b.name}@{each.id}", "real", metric, one, other, label)
        for each in points
        for one, other in [(Side(a.name, each.id), Side(b.name, each.id))]
    ]
    for each in twin:
        again, first = Side(each.name, point.id), Side(a.name, point.id)
        contrasts.append(Contrast(f"{metric}:control", "real", metric, again, first, f"A/A: {a.name} against itself"))
    return Plan("versus", seed, budget_s, budget_s, points, tuple(contrasts), (block(0, _groups(targets, points)),))


def _groups(targets: Sequence[Target], points: Sequence[Point]) -> list[Group]:
    """All targets at the last point, and A and B at those before it, with the time that their least turns take."""
    groups: list[Group] = []
    for point in points:
        sides = targets if point is points[-1] else targets[:2]
        seconds = sum(warmup_seconds(side, point) + MIN_ROUNDS * turn_seconds(side, point) for side in sides)
        groups.append((tuple(Side(side.name, point.id) for side in sides), seconds))
    return groups


def _fewest_seconds(targets: Sequence[Target], points: Sequence[Point]) -> float:
    """The least time of a block's windows."""
    return sum(seconds for _, seconds in _groups(targets, points))


def _check(budget_s: float, block_s: float, spent_s: float = 0.0) -> None:
    """Raises ``UsageError`` where a budget, without what is spent of it, does not reach the first early look."""
    if budget_s < EARLY_LOOKS[0] * block_s:
        least_s, more_s = (math.ceil(looks * block_s + spent_s + 1) for looks in (EARLY_LOOKS[0], LOOKS[0]))
        raise UsageError(
            f"a budget of {budget_s + spent_s:.0f} s is too short for {EARLY_LOOKS[0]} blocks of these two",
            hint=f"--budget {least_s}s is enough for a large difference, {more_s}s for {LOOKS[0]} blocks",
        )


def _counting_plan(targets: Sequence[Target], point: Point, seed: int, budget_s: float, margin: float | None) -> Plan:
    """A block that measures what an instruction takes here; starts in which instructions are counted join it."""
    seconds = sum(warmup_seconds(target, point) + CLOCK_ROUNDS * turn_seconds(target, point) for target in targets)
    a, b, *twin = (Side(target.name, point.id) for target in targets)
    contrasts = [
        Contrast(f"instructions:{one.target}/{other.target}", "real", "instructions", one, other, label, margin)
        for one, other, label in (*((each, a, "A/A") for each in twin), (a, b, f"{a.target} against {b.target}"))
    ]
    first = block(0, [((a, b, *twin), seconds)])
    return Plan("versus", seed, budget_s, budget_s, (point,), tuple(contrasts), (first,))


def next_starts(plan: Plan, left_s: float, *, decided: bool) -> Extension | None:
    """Two starts, in each of which the plan's sides are counted, all at the same time; then one at a time until it is
    decided, or the time or the looks are over.
    """
    done = len(plan.blocks) - 1
    late = done > STARTS[0] and left_s <= 0
    if done >= STARTS[-1] or (done in STARTS and (late or decided)):
        return None
    starts = range(done, max(done + 1, STARTS[0]))
    return Extension(tuple(counting_block(start, 0, [plan.windows[0].sides], REQUESTS) for start in starts))


def next_block(plan: Plan, left_s: float, measured_s: float, *, decided: bool, large: bool) -> Extension | None:
    """One more block of what the plan's first holds, until it is decided at a look, or the time or the looks are over.

    Args:
        measured_s: what the windows so far took.
        large: whether every difference is so large that an early look may end the run.
    """
    done = len(plan.blocks)
    if stops(done, decided=decided, large=large):
        return None
    added = another_block(plan, left_s, max(0.0, (plan.budget_s - left_s - measured_s) / done))
    return Extension((added,)) if added else None


def versus_targets(a: Target, b: Target, point: Point, control: bool) -> tuple[Target, ...]:
    """Both, and A once more for the A/A control.

    Raises:
        UsageError: they do not both serve the point.
    """
    if not (serves(a, point) and serves(b, point)):
        raise UsageError(f"{a.name} and {b.name} do not both serve {point.scenario}")
    return (a, b, replace(a, name=a.name + TWIN, twin_of=a.name)) if control else (a, b)


def versus_manifest(
    plan: Plan, targets: Sequence[Target], placement: Placement, command: str, results: Path
) -> Manifest:
    a, b, *_ = targets
    scenarios = tuple(
        Scenario(point.scenario, point.scenario, "real", "", point.requests, (point.concurrency,))
        for point in plan.points
    )
    return new_manifest(
        plan,
        targets,
        scenarios,
        placement=placement,
        command=command,
        results=results,
        name=f"{a.name} against {b.name}",
        kind="-versus",
    )


def differing_packages(a: Target, b: Target) -> dict[str, tuple[str | None, str | None]]:
    """Package → its version on either side, for those that differ; empty if one interpreter serves both."""
    if a.python == b.python or a.elsewhere or b.elsewhere:
        return {}
    first, second = packages_of(a.python), packages_of(b.python)
    names = sorted({*first, *second})
    return {name: (first.get(name), second.get(name)) for name in names if first.get(name) != second.get(name)}


def another_block(plan: Plan, left_s: float, starting_s: float) -> Block | None:
    """One more block of what the plan's first holds; ``None`` where the time is too short.

    Args:
        starting_s: what a block takes besides its load.
    """
    first, done = plan.blocks[0], len(plan.blocks)
    load_s = next_load(done, first.load_s, plan.blocks[-1].load_s, starting_s, left_s)
    groups = [(window.sides, window.seconds * load_s / first.load_s) for window in first.windows]
    return block(done, groups) if load_s else None


def block(index: int, groups: Sequence[Group]) -> Block:
    """A window for each of the groups; the next block begins with the next one of them."""
    turn = index % len(groups)
    windows = tuple(
        Window.in_turns(sides[0].point, index, sides, seconds, MIN_ROUNDS)
        for sides, seconds in (*groups[turn:], *groups[:turn])
    )
    return Block.of(index, windows)
