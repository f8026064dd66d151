"""Targets × scenarios → blocks of windows: seeded, within a time budget, and pure."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from harness.config import ContrastIn
from harness.errors import UsageError
from harness.model import Block, Ladder, Plan, Point, Scenario, Target, Trial, Window
from harness.model.units import format_duration, number_of
from harness.plan.contrasts import declared_contrasts
from harness.plan.groups import (
    Group,
    ladder_groups,
    point_seconds,
    share_a_window,
    window_groups,
    window_seconds,
    within,
)
from harness.plan.ladders import pairs, resolve
from harness.plan.points import expand, lacking, serves
from harness.plan.profiles import Profile
from harness.plan.timing import WAITING_S, block_seconds, expected_seconds
from harness.studies.waiting import ENDPOINT, WAITING

WAITING_REQUESTS = (100, 1000)
TURNS_OF_A_BLOCK = 16
"""A grid leaves out what would take a larger part of its block than this with a single turn."""


def make_plan(
    targets: Sequence[Target],
    scenarios: Sequence[Scenario],
    declared: Iterable[ContrastIn],
    profile: Profile,
    *,
    seed: int,
    budget_s: float | None = None,
    studies_s: float = 0.0,
    ladders: Iterable[Ladder] = (),
    measure_waiting: bool = True,
) -> Plan:
    """The plan of a run; ``targets`` include the A/A twin.

    With every setting measured (``full``), a ladder whose rungs lie in several windows gets one of its own, so that
    each of its steps is measured within a round.

    Args:
        studies_s: of the budget, what is reserved for studies of one target alone.
        measure_waiting: whether memory per waiting request is measured: servers must be processes of our own.

    Raises:
        UsageError: no target serves any scenario, or the budget is too short for the fewest rounds and blocks.
    """
    budget = (budget_s or profile.budget_s) - studies_s
    points = tuple(point for scenario in scenarios for point in expand(scenario, profile.detail))
    longest_turn_s = min(profile.longest_turn_s, _planned_of_a_block(budget, profile) / TURNS_OF_A_BLOCK)

    def chosen(target: Target, point: Point) -> bool:
        suits = not target.variant or any(fnmatchcase(point.scenario, glob) for glob in profile.variants)
        return suits and serves(target, point)

    groups, left_out = window_groups(targets, scenarios, points, longest_turn_s, chosen)
    climbed = resolve(ladders, targets, points, chosen)
    if profile.detail == "full":
        groups += ladder_groups(climbed, targets, points, groups)
    if not groups:
        raise UsageError("none of the chosen targets serves any of the chosen scenarios")
    used = tuple(t.name for t in targets if any(side.target == t.name for group in groups for side in group.sides))
    start_s = block_seconds(len(used))
    if profile.detail == "grid":
        room = _planned_of_a_block(budget, profile) - start_s
        costs = {point.id: point_seconds(groups, point, profile) for point in points}
        points, dropped = within([point for point in points if costs[point.id]], costs, room)
        point_ids, dropped_ids = {point.id for point in points}, {failure.point for failure in dropped}
        groups = [group for group in groups if {side.point for side in group.sides} <= point_ids]
        left_out = [*dropped, *(each for each in left_out if each.point not in dropped_ids)]
    waiting = _waiting_targets(targets, points) if measure_waiting and profile.waiting_blocks else ()
    waiting_s = block_seconds(len(waiting)) + WAITING_S * len(waiting) if waiting else 0.0
    blocks, rounds, waiting_blocks = _fit(groups, profile, budget, start_s, waiting_s)
    rng = random.Random(seed)
    planned = []
    for index in range(blocks):
        windows = tuple(
            Window.in_turns(group.key, index, group.sides, window_seconds(group, rounds, profile), profile.min_rounds)
            for group in rng.sample(groups, len(groups))
        )
        if index < waiting_blocks:
            planned.append(_waiting_block(index, waiting))
        planned.append(Block(index, used, windows))
    estimate = expected_seconds(*planned)
    measured = {side for group in groups for side in group.sides}
    steps = [pair for ladder in climbed for pair in pairs(ladder) if share_a_window(pair, groups)]
    contrasts = declared_contrasts(targets, scenarios, points, declared, steps)
    return Plan(
        profile=profile.name,
        seed=seed,
        budget_s=budget,
        estimate_s=estimate,
        points=points,
        contrasts=tuple(each for each in contrasts if each.a in measured and each.b in measured),
        blocks=tuple(planned),
        reserve_s=max(0.0, budget - estimate) if profile.bisect else 0.0,
        left_out=tuple(left_out),
        ladders=climbed,
    )


def _waiting_block(index: int, waiting: Sequence[str]) -> Block:
    """Memory of waiting requests, under servers of their own: afterwards these are not used for anything else."""
    trials = tuple(
        Trial(f"b{index:02d}-{WAITING}-{name}", index, WAITING, "", name, {"requests": WAITING_REQUESTS}, WAITING_S)
        for name in waiting
    )
    return Block(index, tuple(waiting), trials=trials, study=WAITING)


def _waiting_targets(targets: Sequence[Target], points: Sequence[Point]) -> tuple[str, ...]:
    """Targets whose memory per waiting request is measured: in runs with waits, all that have the endpoint for it."""
    if not any(request.endpoint == ENDPOINT for point in points for request in point.requests):
        return ()
    return tuple(each.name for each in targets if each.endpoints and not each.twin_of and not lacking(each, [ENDPOINT]))


def _planned_of_a_block(budget_s: float, profile: Profile) -> float:
    """How long a block of a grid may take; no limit otherwise."""
    return budget_s * (1 - profile.reserve) / profile.blocks if profile.detail == "grid" else math.inf


def _fit(
    groups: Sequence[Group], profile: Profile, budget: float, start_s: float, waiting_s: float
) -> tuple[int, int, int]:
    """How many blocks, rounds, and blocks with waiting requests the budget allows.

    Rounds are cut first, then blocks, down to 5 (or the profile's). Waiting requests get what the minimum leaves over.
    """

    def total(blocks: int, rounds: int) -> float:
        windows_s = sum(window_seconds(group, rounds, profile) for group in groups)
        return blocks * (start_s + windows_s)

    fewest = min(5, profile.blocks)
    if total(fewest, profile.min_rounds) > budget:
        needed = format_duration(math.ceil(total(fewest, profile.min_rounds) + 1))
        raise UsageError(
            f"a budget of {format_duration(budget)} is too short for {number_of(fewest, 'block')} of what was chosen",
            hint=f"--budget {needed.replace(' ', '')} is enough, or choose fewer targets (-t) or scenarios (-s)",
        )
    waiting_blocks = profile.waiting_blocks if waiting_s else 0
    while waiting_blocks and total(fewest, profile.min_rounds) + waiting_blocks * waiting_s > budget:
        waiting_blocks -= 1
    budget -= waiting_blocks * waiting_s
    blocks = profile.blocks
    while blocks > fewest and total(blocks, profile.min_rounds) > budget:
        blocks -= 1
    # What is not planned is for windows that must be repeated and for contrasts that are undecided at the end.
    planned = budget * (1 - profile.reserve)
    rounds = profile.min_rounds
    while rounds < 200 and total(blocks, rounds + 1) <= planned:
        rounds += 1
    return blocks, rounds, min(waiting_blocks, blocks)
