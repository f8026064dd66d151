"""Which sides share a window, and what a round of them takes. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.model import Failure, Ladder, Point, Reason, Scenario, Side, Target
from harness.plan.ladders import Serves, sides
from harness.plan.profiles import Profile
from harness.plan.timing import SLICE_S, too_long, turn_seconds, warmup_seconds

CENTRE = 64
"""The concurrency that is dropped last: more connections than most targets have threads, and still common."""
COUNTED = ("validate", "ladder")
"""The questions that instructions answer as well as clocks, and sooner."""
LADDER = "ladder-"
LADDER_ROUNDS = 6


@dataclass(frozen=True, slots=True)
class Group:
    """Sides that share a window, and what one of their rounds takes.

    ``counted``: whether instructions answer its scenarios' question too, where they are counted.
    """

    key: str
    sides: tuple[Side, ...]
    slice_s: float
    round_s: float
    warmup_s: float
    counted: bool = False


def window_groups(
    targets: Sequence[Target],
    scenarios: Sequence[Scenario],
    points: Sequence[Point],
    longest_turn_s: float,
    chosen: Serves,
) -> tuple[list[Group], list[Failure]]:
    """The windows of a block, and the sides left out of them because their turns would take too long."""
    left_out: list[Failure] = []
    keys: dict[str, list[Point]] = {}
    by_name = {scenario.name: scenario for scenario in scenarios}
    for point in points:
        group = by_name[point.scenario].group
        suffix = point.id[len(point.scenario) :]
        keys.setdefault(f"{group or point.scenario}{suffix}", []).append(point)
    groups = []
    for key, members in keys.items():
        served = []
        for point in members:
            for target in (target for target in targets if chosen(target, point)):
                reason = too_long(target, point, longest_turn_s)
                if reason:
                    left_out.append(Failure(target.name, point.id, reason))
                else:
                    served.append((target, point))
        if served:
            counted = all(by_name[point.scenario].question in COUNTED for point in members)
            groups.append(_group(key, served, counted=counted))
    return groups, left_out


def ladder_groups(
    ladders: Sequence[Ladder], targets: Sequence[Target], points: Sequence[Point], groups: Sequence[Group]
) -> list[Group]:
    """A group for every ladder that no group holds as a whole."""
    by_name, by_id = {target.name: target for target in targets}, {point.id: point for point in points}
    return [
        _group(f"{LADDER}{ladder.name}", [(by_name[side.target], by_id[side.point]) for side in sides(ladder)])
        for ladder in ladders
        if not share_a_window(sides(ladder), groups)
    ]


def share_a_window(sides: Sequence[Side], groups: Sequence[Group]) -> bool:
    return any(set(sides) <= set(group.sides) for group in groups)


def within(
    points: Sequence[Point], costs_s: Mapping[str, float], room_s: float
) -> tuple[tuple[Point, ...], list[Failure]]:
    """The points that fit into ``room_s`` seconds of a block, and the others with the reason.

    Whole concurrencies are dropped first, since a crossover needs all of its waits: the farthest from 64 first, and
    of two equally far the greater. Then the points that take longest are dropped. At least two remain.
    """
    remaining = list(points)
    order = sorted({point.concurrency for point in points}, key=lambda count: (-abs(math.log(count / CENTRE)), -count))
    for count in order[:-1]:
        if sum(costs_s[point.id] for point in remaining) <= room_s:
            break
        remaining = [point for point in remaining if point.concurrency != count]
    while len(remaining) > 2 and sum(costs_s[point.id] for point in remaining) > room_s:
        remaining.remove(max(remaining, key=lambda point: costs_s[point.id]))
    names = {point.id for point in remaining}
    dropped = [
        Failure("", point.id, Reason("dear-point", {"block_s": costs_s[point.id]}))
        for point in points
        if point.id not in names
    ]
    return tuple(remaining), dropped


def point_seconds(groups: Sequence[Group], point: Point, profile: Profile) -> float:
    return sum(
        window_seconds(group, profile.min_rounds, profile)
        for group in groups
        if any(side.point == point.id for side in group.sides)
    )


def _rounds_of(group: Group, rounds: int, profile: Profile) -> int:
    """Groups whose rounds are long because of waits get the fewest: the block is the replicate, not the round.

    A quick run has few cells: there all groups get more, except those whose question counted instructions answer.

    Half of a ladder's rounds are for its steps and half for the check of them, so they are at least ``LADDER_ROUNDS``.
    """
    if group.key.startswith(LADDER):
        return max(rounds, LADDER_ROUNDS)
    if profile.detail == "quick":
        return profile.min_rounds if group.counted and profile.instruments else rounds
    return profile.min_rounds if group.slice_s > SLICE_S or profile.bisect else rounds


def window_seconds(group: Group, rounds: int, profile: Profile) -> float:
    return group.warmup_s + group.round_s * _rounds_of(group, rounds, profile)


def _group(key: str, served: Sequence[tuple[Target, Point]], *, counted: bool = False) -> Group:
    return Group(
        key,
        tuple(Side(target.name, point.id) for target, point in served),
        max(point.slice_s for _, point in served),
        sum(turn_seconds(target, point) for target, point in served),
        sum(warmup_seconds(target, point) for target, point in served),
        counted,
    )
