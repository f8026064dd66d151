"""Targets × scenarios → blocks of slots: seeded, within a time budget, and pure."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import combinations, product

from harness.declare import ContrastIn
from harness.errors import UsageError
from harness.model import (
    Block,
    Contrast,
    Failure,
    Ladder,
    Metric,
    ParamValue,
    Plan,
    PlannedRequest,
    Point,
    Scenario,
    Side,
    Slot,
    Target,
)
from harness.plan.afford import within
from harness.plan.ladders import pairs, resolve, sides
from harness.plan.profiles import Detail, Profile
from harness.plan.timing import (
    SLICE_S,
    block_seconds,
    held_seconds,
    slice_length,
    too_long,
    turn_seconds,
    warmup_seconds,
)
from harness.units import format_duration

METRICS: tuple[Metric, ...] = ("cpu_cost", "throughput")
TWIN = "~again"
HELD_ENDPOINT = "io-sleep"
LADDER = "ladder-"
LADDER_ROUNDS = 6
Chosen = Callable[[Target, Point], bool]
TURNS_OF_A_BLOCK = 16
"""A grid leaves out what would take a larger part of its block than this with a single turn."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Sides that share a slot, and what one of their rounds takes."""

    key: str
    sides: tuple[Side, ...]
    slice_s: float
    round_s: float
    warmup_s: float


def expand(scenario: Scenario, detail: Detail) -> tuple[Point, ...]:
    """Every combination of the scenario's parameters and concurrencies that ``detail`` asks for."""
    settings = {**scenario.matrix, "concurrency": scenario.concurrency}
    if detail != "full":
        settings |= (detail == "grid" and scenario.grid) or scenario.quick
    if detail == "corner":
        settings = {key: values[-1:] for key, values in settings.items()}
    concurrencies = [int(value) for value in settings.pop("concurrency")]
    combinations = [dict(zip(settings, values, strict=True)) for values in product(*settings.values())]
    return tuple(point_at(scenario, params, count) for params in combinations for count in concurrencies)


def point_at(scenario: Scenario, params: Mapping[str, ParamValue], concurrency: int) -> Point:
    """The scenario with its parameters filled in."""
    setting = ",".join(f"{key}={value}" for key, value in params.items())
    requests = tuple(
        PlannedRequest(
            _filled(request.endpoint, params),
            _filled(request.case, params),
            {key: _substituted(value, params) for key, value in request.params.items()},
            request.weight,
            request.raw,
        )
        for request in scenario.requests
    )
    wait_s = float(_substituted(scenario.wait_ms, params) or 0) / 1e3
    name = f"{scenario.name}{f'[{setting}]' if setting else ''}@{concurrency}"
    return Point(name, scenario.name, params, concurrency, requests, wait_s)


def serves(target: Target, point: Point) -> bool:
    """Whether the target implements all that the point sends; a user's own app is taken at its word."""
    wanted = {request.endpoint for request in point.requests}
    if wanted & set(target.lacks):
        return False
    return not target.endpoints or "*" in target.endpoints or wanted <= set(target.endpoints)


def with_twin(targets: Sequence[Target]) -> tuple[Target, ...]:
    """The targets and the A/A control: the first reference (or first) target once more, under a second name."""
    first = next((target for target in targets if target.reference), targets[0])
    twin = replace(first, name=first.name + TWIN, twin_of=first.name, reference=False)
    return (*targets, twin)


def declared_contrasts(
    targets: Sequence[Target],
    scenarios: Sequence[Scenario],
    points: Sequence[Point],
    declared: Iterable[ContrastIn],
    steps: Iterable[tuple[Side, Side]] = (),
) -> tuple[Contrast, ...]:
    """A run's contrasts: A/A, between reference targets, as declared, each scenario against its own control.

    ``steps`` are those of the ladders that share a slot.
    """
    by_name = {target.name: target for target in targets}
    by_scenario = {scenario.name: scenario for scenario in scenarios}
    found: dict[str, Contrast] = {}

    def add(question: str, a: Side, b: Side, label: str, metrics: Iterable[Metric]) -> None:
        for metric in metrics:
            key = f"{metric}:{a.id}/{b.id}"
            if key not in found:
                found[key] = Contrast(key, question, metric, a, b, label)  # type: ignore[arg-type]

    for target in targets:
        if target.twin_of:
            for point in points:
                if serves(target, point):
                    a, b = Side(target.name, point.id), Side(target.twin_of, point.id)
                    add("real", a, b, f"A/A: {target.twin_of} against itself", METRICS)
    for contrast in declared:
        if contrast.a in by_name and contrast.b in by_name:
            for point in points:
                named = any(fnmatchcase(point.scenario, glob) for glob in contrast.scenarios)
                if named and serves(by_name[contrast.a], point) and serves(by_name[contrast.b], point):
                    sides = Side(contrast.a, point.id), Side(contrast.b, point.id)
                    add(contrast.question, *sides, contrast.label, contrast.metrics)
    references = [target for target in targets if target.reference]
    for first, second in combinations(references, 2):
        for point in points:
            if by_scenario[point.scenario].question == "pick" and serves(first, point) and serves(second, point):
                sides = Side(first.name, point.id), Side(second.name, point.id)
                add("pick", *sides, f"{first.name} against {second.name}", METRICS)
    for point in points:
        against = by_scenario[point.scenario].against
        if not against:
            continue
        setting = (against, point.params, point.concurrency)
        control = next((p for p in points if (p.scenario, p.params, p.concurrency) == setting), None)
        if control is None:
            continue
        for target in targets:
            if not target.twin_of and serves(target, point) and serves(target, control):
                sides = Side(target.name, point.id), Side(target.name, control.id)
                add(by_scenario[point.scenario].question, *sides, f"{point.scenario} against {against}", METRICS)
    for a, b in steps:
        add("ladder", a, b, f"{a.target} against {b.target}" if a.point == b.point else "", ("cpu_cost",))
    return tuple(found.values())


def make_plan(
    targets: Sequence[Target],
    scenarios: Sequence[Scenario],
    declared: Iterable[ContrastIn],
    profile: Profile,
    *,
    seed: int,
    budget_s: float | None = None,
    studies: bool = False,
    ladders: Iterable[Ladder] = (),
) -> Plan:
    """The plan of a run; ``targets`` include the A/A twin.

    With every setting measured (``full``), a ladder whose rungs lie in several slots gets one of its own, so that each
    of its steps is taken within a round.

    Args:
        studies: whether the profile's share for studies is kept for them.

    Raises:
        UsageError: no target serves any scenario, or the budget is too short for the fewest rounds and blocks.
    """
    budget = budget_s or profile.budget_s
    studies_s = profile.studies_s * budget / profile.budget_s if studies else 0.0
    budget_of_slots = budget - studies_s
    points = tuple(point for scenario in scenarios for point in expand(scenario, profile.detail))
    longest_turn_s = min(profile.longest_turn_s, _planned_of_a_block(budget_of_slots, profile) / TURNS_OF_A_BLOCK)

    def chosen(target: Target, point: Point) -> bool:
        wanted = not target.variant or any(fnmatchcase(point.scenario, glob) for glob in profile.variants)
        return wanted and serves(target, point)

    groups, left_out = _groups(targets, scenarios, points, longest_turn_s, chosen)
    climbed = resolve(ladders, targets, points, chosen)
    if profile.detail == "full":
        groups += _ladder_groups(climbed, targets, points, groups)
    if not groups:
        raise UsageError("none of the chosen targets serves any of the chosen scenarios")
    used = tuple(t.name for t in targets if any(side.target == t.name for group in groups for side in group.sides))
    start_s = block_seconds(len(used))
    if profile.detail == "grid":
        room = _planned_of_a_block(budget_of_slots, profile) - start_s
        costs = {point.id: _point_seconds(groups, point, profile) for point in points}
        points, dropped = within([point for point in points if costs[point.id]], costs, room)
        kept, gone = {point.id for point in points}, {failure.point for failure in dropped}
        groups = [group for group in groups if {side.point for side in group.sides} <= kept]
        left_out = [*dropped, *(each for each in left_out if each.point not in gone)]
    held = _held(targets, points) if profile.held_blocks else ()
    blocks, rounds, holding = _fit(groups, profile, budget_of_slots, start_s, held_seconds(len(held)))
    rng = random.Random(seed)
    planned = []
    for index in range(blocks):
        order = rng.sample(groups, len(groups))
        slots = tuple(
            Slot(
                id=f"b{index:02d}-{group.key}",
                block=index,
                sides=group.sides,
                slice_s=group.slice_s,
                budget_s=_slot_seconds(group, rounds, profile),
                min_rounds=min(profile.min_rounds, _rounds_of(group, rounds, profile)),
            )
            for group in order
        )
        planned.append(Block(index, used, slots, held if index < holding else ()))
    estimate = sum(
        start_s + held_seconds(len(block.held)) + sum(slot.budget_s for slot in block.slots) for block in planned
    )
    measured = {side for group in groups for side in group.sides}
    steps = [pair for ladder in climbed for pair in pairs(ladder) if _share_a_slot(pair, groups)]
    contrasts = declared_contrasts(targets, scenarios, points, declared, steps)
    return Plan(
        profile=profile.name,
        seed=seed,
        budget_s=budget,
        estimate_s=estimate,
        points=points,
        contrasts=tuple(each for each in contrasts if each.a in measured and each.b in measured),
        blocks=tuple(planned),
        reserve_s=max(0.0, budget_of_slots - estimate) if profile.bisect else 0.0,
        studies_s=studies_s,
        left_out=tuple(left_out),
        ladders=climbed,
    )


def _groups(
    targets: Sequence[Target],
    scenarios: Sequence[Scenario],
    points: Sequence[Point],
    longest_turn_s: float,
    chosen: Chosen,
) -> tuple[list[_Group], list[Failure]]:
    """The slots of a block, and the sides left out of them because their turns would take too long."""
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
                    left_out.append(Failure(target.name, point.id, "not-afforded", reason))
                else:
                    served.append((target, point))
        if served:
            groups.append(_group(key, served))
    return groups, left_out


def _group(key: str, served: Sequence[tuple[Target, Point]]) -> _Group:
    return _Group(
        key,
        tuple(Side(target.name, point.id) for target, point in served),
        max(slice_length(point) for _, point in served),
        sum(turn_seconds(target, point) for target, point in served),
        sum(warmup_seconds(target, point) for target, point in served),
    )


def _ladder_groups(
    ladders: Sequence[Ladder], targets: Sequence[Target], points: Sequence[Point], groups: Sequence[_Group]
) -> list[_Group]:
    """A group for every ladder that no group holds as a whole."""
    by_name, by_id = {target.name: target for target in targets}, {point.id: point for point in points}
    return [
        _group(f"{LADDER}{ladder.name}", [(by_name[side.target], by_id[side.point]) for side in sides(ladder)])
        for ladder in ladders
        if not _share_a_slot(sides(ladder), groups)
    ]


def _share_a_slot(wanted: Sequence[Side], groups: Sequence[_Group]) -> bool:
    return any(set(wanted) <= set(group.sides) for group in groups)


def _held(targets: Sequence[Target], points: Sequence[Point]) -> tuple[str, ...]:
    """Targets whose memory per waiting request is told: in runs with waits, all that have the endpoint for it."""
    if not any(request.endpoint == HELD_ENDPOINT for point in points for request in point.requests):
        return ()
    return tuple(
        target.name
        for target in targets
        if not target.twin_of
        and ("*" in target.endpoints or HELD_ENDPOINT in target.endpoints)
        and HELD_ENDPOINT not in target.lacks
    )


def _planned_of_a_block(budget_s: float, profile: Profile) -> float:
    """What a block may take, of a grid; no limit otherwise."""
    return budget_s * (1 - profile.reserve) / profile.blocks if profile.detail == "grid" else math.inf


def _point_seconds(groups: Sequence[_Group], point: Point, profile: Profile) -> float:
    return sum(
        _slot_seconds(group, profile.min_rounds, profile)
        for group in groups
        if any(side.point == point.id for side in group.sides)
    )


def _rounds_of(group: _Group, rounds: int, profile: Profile) -> int:
    """Groups whose rounds are long because of waits get the fewest: the block is the replicate, not the round.

    Half of a ladder's rounds are for its steps and half for the check of them, so they are at least ``LADDER_ROUNDS``.
    """
    if group.key.startswith(LADDER):
        return max(rounds, LADDER_ROUNDS)
    return profile.min_rounds if group.slice_s > SLICE_S or profile.bisect else rounds


def _slot_seconds(group: _Group, rounds: int, profile: Profile) -> float:
    return group.warmup_s + group.round_s * _rounds_of(group, rounds, profile)


def _fit(
    groups: Sequence[_Group], profile: Profile, budget: float, start_s: float, held_s: float
) -> tuple[int, int, int]:
    """Blocks, rounds, and blocks with waiting requests held, that the budget allows.

    Rounds are cut first, then blocks, down to 5 (or the profile's); requests are held in what the fewest leave over.
    """

    def total(blocks: int, rounds: int) -> float:
        slots = sum(_slot_seconds(group, rounds, profile) for group in groups)
        return blocks * (start_s + slots)

    fewest = min(5, profile.blocks)
    if total(fewest, profile.min_rounds) > budget:
        needed = format_duration(math.ceil(total(fewest, profile.min_rounds) + 1))
        raise UsageError(
            f"a budget of {format_duration(budget)} is too short for {fewest} blocks of what was chosen",
            hint=f"--budget {needed.replace(' ', '')} would do, or choose fewer targets (-t) or scenarios (-s)",
        )
    holding = profile.held_blocks if held_s else 0
    while holding and total(fewest, profile.min_rounds) + holding * held_s > budget:
        holding -= 1
    budget -= holding * held_s
    blocks = profile.blocks
    while blocks > fewest and total(blocks, profile.min_rounds) > budget:
        blocks -= 1
    # What is not planned is for slots that must be repeated and for contrasts that are undecided at the end.
    planned = budget * (1 - profile.reserve)
    rounds = profile.min_rounds
    while rounds < 200 and total(blocks, rounds + 1) <= planned:
        rounds += 1
    return blocks, rounds, min(holding, blocks)


def _filled(text: str, params: Mapping[str, ParamValue]) -> str:
    return str(_substituted(text, params))


def _substituted(value: ParamValue, params: Mapping[str, ParamValue]) -> ParamValue:
    """``"{ms}"`` becomes the parameter itself, ``"{size}-refused"`` a text with it filled in."""
    if not isinstance(value, str) or "{" not in value:
        return value
    if value.startswith("{") and value.endswith("}") and value[1:-1] in params:
        return params[value[1:-1]]
    try:
        return value.format(**params)
    except (KeyError, IndexError, ValueError) as error:
        raise UsageError(f"{value!r} names a parameter that the scenario's matrix does not have: {error}") from None
