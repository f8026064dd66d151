"""Studies × targets → trials: seeded order, blocks outermost, and pure."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from harness.model import ParamValue, Scenario, Target, Trial
from harness.plan.profiles import Detail
from harness.plan.timing import START_S
from harness.studies.ask import lacking, settings_of
from harness.studies.registry import STUDIES

FLEET_S = 1.0


def values_of(scenario: Scenario, detail: Detail) -> dict[str, tuple[ParamValue, ...]]:
    """The parameter values that a profile of this detail measures."""
    values = dict(scenario.matrix)
    if detail != "full":
        values |= {name: found for name, found in scenario.quick.items() if name in values}
    if detail == "corner":
        values = {name: found[-1:] for name, found in values.items()}
    return values


def plan_trials(
    chosen: Mapping[str, Sequence[Target]], scenarios: Sequence[Scenario], detail: Detail, seed: int
) -> tuple[Trial, ...]:
    """The trials of every study's scenario.

    Args:
        chosen: scenario → its targets; those that lack its first endpoint are passed over.
    """
    rng = random.Random(seed)
    studies = [scenario for scenario in scenarios if scenario.study]
    trials = []
    for block in range(max((settings_of(scenario).blocks for scenario in studies), default=0)):
        for scenario in rng.sample(studies, len(studies)):
            if block >= settings_of(scenario).blocks:
                continue
            values = values_of(scenario, detail)
            fit = [target for target in chosen[scenario.name] if not lacking(target, (scenario.requests[0].endpoint,))]
            for target in rng.sample(fit, len(fit)):
                trials.append(
                    Trial(
                        id=f"b{block:02d}-{scenario.name}-{target.name}",
                        block=block,
                        study=scenario.study,
                        scenario=scenario.name,
                        target=target.name,
                        values=values,
                        budget_s=STUDIES[scenario.study].seconds(scenario, values, target),
                    )
                )
    return tuple(trials)


def trials_seconds(trials: Sequence[Trial]) -> float:
    """Expected time of all of them, with the starts of their servers."""
    fleets = len({(trial.block, trial.scenario) for trial in trials})
    return sum(trial.budget_s + START_S / 2 for trial in trials) + FLEET_S * fleets
