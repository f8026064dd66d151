"""What ``harness run`` has to say about studies: which are meant, on which targets, and what of them fits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from rich.console import Console

from harness.commands.select import chosen_targets
from harness.declare import Declarations
from harness.errors import UsageError
from harness.model import Failure, Manifest, Plan, PlannedRequest, Scenario, Target, Trial
from harness.plan.profiles import Detail
from harness.studies.planning import plan_trials, trials_seconds
from harness.units import format_duration

RESERVE = 0.15
"""Of the studies' expected time, what is kept for windows that must be repeated."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The studies of a run.

    Attributes:
        patterns: of targets, as the user named them; empty for those that each study is about.
        named: whether the user named the studies; those of a profile are left out where they do not fit.
        room_s: the time that there is for them; ``None`` for as long as they take.
    """

    studies: tuple[Scenario, ...]
    patterns: tuple[str, ...]
    named: bool
    room_s: float | None


def with_trials(
    plan: Plan, wanted: Wanted, declarations: Declarations, detail: Detail
) -> tuple[Plan, tuple[Target, ...], tuple[Failure, ...]]:
    """The plan with the studies' trials, their targets, and those whose server is not installed.

    Raises:
        UsageError: no target can do what a named study asks for, or the budget is too short for it.
    """
    if not wanted.studies:
        return replace(plan, studies_s=0.0, budget_s=plan.budget_s - plan.studies_s), (), ()
    chosen: dict[str, tuple[Target, ...]] = {}
    without: list[Failure] = []
    for scenario in wanted.studies:
        patterns = wanted.patterns or study_targets(scenario, declarations)
        chosen[scenario.name], skipped = chosen_targets(patterns, declarations)
        without += skipped
    trials = plan_trials(chosen, wanted.studies, detail, plan.seed)
    idle = [name for name in chosen if not any(trial.scenario == name for trial in trials)]
    if idle and wanted.named:
        raise UsageError(f"none of the chosen targets can take part in {idle[0]!r}", hint="harness list targets")
    trials, left_out = _fitting(trials, wanted)
    used = {trial.target for trial in trials}
    targets = {target.name: target for group in chosen.values() for target in group if target.name in used}
    needed = trials_seconds(trials)
    others = bool(plan.blocks or plan.windows)
    others_s = plan.budget_s - plan.studies_s if others else 0.0
    plan = replace(
        plan,
        trials=trials,
        studies_s=needed,
        budget_s=others_s + (needed if others else needed * (1 + RESERVE)),
        left_out=(*plan.left_out, *left_out),
    )
    return plan, tuple(targets.values()), tuple(without)


def _fitting(trials: tuple[Trial, ...], wanted: Wanted) -> tuple[tuple[Trial, ...], tuple[Failure, ...]]:
    """Whole studies, from the last one down, are left out of a profile's until the rest fits."""
    room, left_out = wanted.room_s, list[Failure]()
    for scenario in reversed(wanted.studies):
        needed = trials_seconds(trials)
        if room is None or needed <= room:
            break
        if wanted.named:
            raise UsageError(
                f"a budget of {format_duration(room)} is too short for what was chosen",
                hint=f"it takes {format_duration(needed)}: choose fewer targets (-t) or studies (-s)",
            )
        message = f"the studies take {format_duration(needed)}, and {format_duration(room)} is kept for them"
        left_out.append(Failure("", scenario.name, "not-afforded", message))
        trials = tuple(trial for trial in trials if trial.scenario != scenario.name)
    return trials, tuple(left_out)


def study_targets(scenario: Scenario, declarations: Declarations) -> tuple[str, ...]:
    """The names of the targets that a study is about where the user names none; a project's own come first."""
    if declarations.own_targets:
        return tuple(sorted(declarations.own_targets))
    names = [target.name for target in declarations.targets]
    return tuple(name for name in names if any(fnmatchcase(name, glob) for glob in scenario.targets))


def planned_requests(manifest: Manifest) -> Iterator[PlannedRequest]:
    """Every request of the contract that the run may send."""
    for point in manifest.plan.points:
        yield from point.requests
    studies = {trial.scenario for trial in manifest.plan.trials}
    for scenario in manifest.scenarios:
        if scenario.name in studies:
            yield from scenario.requests
    for journey in manifest.journeys:
        yield from journey.requests
    for point in manifest.plan.points_alone:
        yield from point.requests


def show_trials(plan: Plan, out: Console) -> None:
    """The studies of the plan."""
    for name in dict.fromkeys(trial.scenario for trial in plan.trials):
        mine = [trial for trial in plan.trials if trial.scenario == name]
        targets, blocks = len({trial.target for trial in mine}), len({trial.block for trial in mine})
        values = "; ".join(f"{key}={','.join(map(str, found))}" for key, found in mine[0].values.items())
        text = f"{targets} targets alone in {blocks} blocks{f', {values}' if values else ''}"
        took = format_duration(trials_seconds(mine))
        out.print(f"  {name:<14} {text:<60} about {took}", markup=False, soft_wrap=True)
    out.print(f"Studies: about {format_duration(trials_seconds(plan.trials))}.", markup=False)
