"""The plan of a run: windows whose sides take turns, then load on single targets, then studies."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain

from harness.config.placement import detect
from harness.errors import UsageError
from harness.model import Block, Failure, Journey, Plan, PlannedRequest, Point, Reason, Scenario, Target
from harness.model.units import format_duration
from harness.plan import expand, make_plan, with_twin
from harness.plan.counting import with_counts
from harness.plan.points import settings_of
from harness.plan.profiles import Profile
from harness.plan.sampling import with_profiles
from harness.plan.single_side import JOURNEYS, LOADS, journey_sides, load_sides, single_side_blocks, suited
from harness.plan.timing import expected_seconds, with_blocks
from harness.plan.trials import plan_trials
from harness.prepare.choose import Selection
from harness.record import Run
from harness.serve.servers import Bind, command_of, resolved
from harness.serve.services import NEEDS
from harness.session.session import interrupted_attempt
from harness.studies.registry import STUDIES
from harness.verify import case_of

RESERVE = 0.15
"""Share of the studies' expected time that is reserved for windows that must be repeated."""

COUNTING, SAMPLING = 0.24, 0.1
"""Of the budget, the most that instructions are counted in, and that servers are sampled in."""
SHRUNK = (1.0, 0.75, 0.5, 0.25, 0.0)
"""Shares of that, tried until the fewest blocks fit in with it."""

JOURNEYS_PART = 1 / 3
"""Share of the budget that journeys get next to scenarios."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, with the targets that have a part in it."""

    plan: Plan
    targets: tuple[Target, ...]
    journeys: tuple[Journey, ...]


def plan_run(
    selection: Selection,
    profile: Profile,
    *,
    seed: int,
    budget_s: float | None = None,
    shared: bool = False,
    hold: bool = True,
    count: bool = False,
    sample: bool = False,
) -> Planned:
    """What is measured, in which order, within the budget.

    Args:
        shared: whether workers share the load.
        hold: whether the memory of waiting requests can be measured.
        count: whether instructions are counted, in part of the budget; ``sample``: whether servers are sampled.

    Raises:
        UsageError: nothing can be measured as it was chosen, or the budget is too short.
    """
    profile = replace(profile, instruments=count, variants=("*",) if selection.targets_named else profile.variants)
    if shared and selection.studies:
        raise UsageError(f"study {selection.studies[0].name!r} is sent by one worker", hint="leave out --workers")
    journeys = suited(selection.journeys, selection.targets)
    points = tuple(point for each in selection.scenarios if shared for point in expand(each, profile.detail))
    single = _single_target_blocks(selection, journeys, points, profile, seed, budget_s)
    single_s = sum(block.load_s for block in single)
    studies_s = profile.studies_s * (budget_s or profile.budget_s) / profile.budget_s
    if selection.named or not selection.studies:
        studies_s = 0.0
    plan, share_s = Plan(profile.name, seed, (budget_s or single_s) - single_s, 0.0, points, (), ()), 0.0
    targets = with_twin(selection.targets) if selection.scenarios else selection.targets
    if selection.scenarios and not shared:
        own_s = None if budget_s is None else budget_s - single_s
        whole_s = own_s or profile.budget_s
        wanted_s = (COUNTING * count + SAMPLING * sample) * whole_s
        for share in SHRUNK:
            share_s = whole_s * share
            try:
                plan = make_plan(
                    targets,
                    selection.scenarios,
                    selection.declarations.contrasts,
                    profile,
                    seed=seed,
                    budget_s=own_s,
                    studies_s=studies_s + share * wanted_s,
                    ladders=selection.declarations.ladders,
                    measure_waiting=hold,
                )
                break
            except UsageError:
                if not share:
                    raise
    plan = with_blocks(plan, single, single_s)
    busy = [point for point in plan.points if _busy(point)]
    if sample:
        plan = with_profiles(plan, selection.targets, busy, SAMPLING * share_s)
    if count:
        plan = with_counts(plan, selection.targets, busy, COUNTING * share_s)
    used = {name for block in plan.blocks for name in block.targets}
    room = studies_s if not selection.named else None if plan.blocks else budget_s
    plan, studied = _with_studies(plan, selection, profile, room)
    taking_part = [target for target in targets if target.name in used]
    targets = tuple({target.name: target for target in (*taking_part, *studied)}.values())
    for target in targets:
        if not target.elsewhere:
            command_of(target, Bind("127.0.0.1", 1))
    for request in planned_requests(plan, selection.studies, journeys):
        case_of(request)
    return Planned(plan, targets, journeys)


def _busy(point: Point) -> bool:
    """Whether its requests are all work of the server's own."""
    return not point.wait_s and not any(request.endpoint in NEEDS for request in point.requests)


def planned_requests(
    plan: Plan, scenarios: tuple[Scenario, ...], journeys: tuple[Journey, ...]
) -> Iterator[PlannedRequest]:
    """Every request of the contract that the run may send."""
    studies = {trial.scenario for trial in plan.trials}
    studied = [scenario for scenario in scenarios if scenario.name in studies]
    parts: Iterable[Point | Scenario | Journey] = chain(plan.points, studied, journeys)
    for each in parts:
        yield from each.requests


def remaining(plan: Plan, run: Run) -> Plan:
    """The part of the plan that the run has still to measure, with the time that it takes."""
    records, again = run.windows(), interrupted_attempt(run)
    done = {record.id for record in records if not again or record.id != again.id}
    begun = {(each.block, side.scenario, side.target) for each in records if each.study for side in each.sides}
    left = tuple(
        replace(
            block,
            windows=tuple(window for window in block.windows if window.id not in done),
            trials=tuple(t for t in block.trials if (t.block, t.scenario or t.study, t.target) not in begun),
        )
        for block in plan.blocks
    )
    left = tuple(block for block in left if block.windows or block.trials)
    return replace(plan, blocks=left, estimate_s=expected_seconds(*left))


def connections(plan: Plan) -> int:
    """The most connections that are open at once: those of all sides of a window, or of a study's largest value."""
    at = {point.id: point.concurrency for point in plan.points}
    windows = [sum(at.get(side.point, 0) for side in window.sides) for window in plan.windows]
    studies = [
        int(value)
        for trial in plan.trials
        for name, values in trial.values.items()
        if name in ("idle", "slow", "sockets", "streams")
        for value in values
    ]
    return max([*windows, *studies], default=0)


def _single_target_blocks(
    selection: Selection,
    journeys: Sequence[Journey],
    points: Sequence[Point],
    profile: Profile,
    seed: int,
    budget_s: float | None,
) -> tuple[Block, ...]:
    """The windows of journeys, and those of ``points``, whose load workers share, with an A/A control."""
    whole, fixed = budget_s or profile.budget_s, budget_s is not None
    blocks: tuple[Block, ...] = ()
    if journeys:
        part = whole * JOURNEYS_PART if selection.scenarios else whole
        sides = journey_sides(journeys, selection.targets)
        blocks = single_side_blocks(sides, JOURNEYS, profile, seed=seed, budget_s=part, fixed=fixed)
    if points:
        left, sides = whole - sum(block.load_s for block in blocks), load_sides(points, with_twin(selection.targets))
        blocks += single_side_blocks(sides, LOADS, profile, seed=seed, budget_s=left, fixed=fixed)
    return blocks


def _with_studies(
    plan: Plan, selection: Selection, profile: Profile, room_s: float | None
) -> tuple[Plan, tuple[Target, ...]]:
    """The plan with the studies' trials, and their targets.

    Args:
        room_s: the time that there is for them; ``None`` for as long as they take.

    Raises:
        UsageError: no target can do what a named study asks for, or the budget is too short for it.
    """
    if not selection.studies:
        return plan, ()
    chosen = {each.name: _variants(selection.studied[each.name], each, profile) for each in selection.studies}
    blocks = plan_trials(chosen, selection.studies, profile.detail, plan.seed)
    idle = [name for name in chosen if not any(_is_of(block, name) for block in blocks)]
    if idle and selection.named:
        raise UsageError(f"none of the chosen targets can take part in {idle[0]!r}", hint="harness list targets")
    blocks, left_out = _fitting(blocks, selection, room_s)
    used = {name for block in blocks for name in block.targets}
    targets = {target.name: target for group in chosen.values() for target in group if target.name in used}
    needed = expected_seconds(*blocks)
    reserve = 0.0 if plan.blocks else needed * RESERVE
    plan = replace(
        plan,
        blocks=(*plan.blocks, *blocks),
        estimate_s=plan.estimate_s + needed,
        budget_s=(plan.budget_s if plan.blocks else 0.0) + needed + reserve,
        left_out=(*plan.left_out, *left_out),
    )
    return plan, tuple(targets.values())


def _variants(targets: Sequence[Target], scenario: Scenario, profile: Profile) -> tuple[Target, ...]:
    """The targets as the scenario's study measures them: those that their servers can be, and workers up to twice the
    CPUs."""
    most = 2 * (len(detect().wide) or os.cpu_count() or 1)
    values, _ = settings_of(scenario, profile.detail)
    startable = []
    for target in targets:
        for variant in STUDIES[scenario.study].variants(target, values):
            with suppress(UsageError):
                command_of(variant, Bind("127.0.0.1", 1))
                if not variant.base or variant.workers <= most:
                    startable.append(resolved(variant))
    return tuple(startable)


def _fitting(
    blocks: tuple[Block, ...], selection: Selection, room_s: float | None
) -> tuple[tuple[Block, ...], tuple[Failure, ...]]:
    """Whole studies, from the last one down, are left out of a profile's until the rest fits."""
    left_out = list[Failure]()
    for scenario in reversed(selection.studies):
        needed = expected_seconds(*blocks)
        if room_s is None or needed <= room_s:
            break
        if selection.named:
            raise UsageError(
                f"a budget of {format_duration(room_s)} is too short for what was chosen",
                hint=f"it takes {format_duration(needed)}: choose fewer targets (-t) or studies (-s)",
            )
        reason = Reason("dear-studies", {"needed_s": needed, "room_s": room_s})
        left_out.append(Failure("", scenario.name, reason))
        blocks = tuple(block for block in blocks if not _is_of(block, scenario.name))
    return blocks, tuple(left_out)


def _is_of(block: Block, scenario: str) -> bool:
    return any(trial.scenario == scenario for trial in block.trials)
