"""Studies × targets → blocks of trials: seeded order, blocks outermost, and pure."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from harness.model import Block, Scenario, Target, Trial
from harness.plan.points import lacking, settings_of
from harness.plan.profiles import Detail
from harness.studies.registry import STUDIES


def plan_trials(
    chosen: Mapping[str, Sequence[Target]], scenarios: Sequence[Scenario], detail: Detail, seed: int
) -> tuple[Block, ...]:
    """A block for every repetition of every study's scenario, with a trial for each of its targets.

    Args:
        chosen: scenario → its targets; those that lack its first endpoint are left out.
    """
    rng = random.Random(seed)
    studies = [scenario for scenario in scenarios if scenario.study]
    repetitions = {scenario.name: STUDIES[scenario.study].settings_of(scenario).blocks for scenario in studies}
    blocks = []
    for index in range(max(repetitions.values(), default=0)):
        for scenario in rng.sample(studies, len(studies)):
            if index >= repetitions[scenario.name]:
                continue
            values, _ = settings_of(scenario, detail)
            fit = [target for target in chosen[scenario.name] if not lacking(target, [scenario.requests[0].endpoint])]
            order = rng.sample(fit, len(fit))
            # Variants of one target are compared with each other, so they follow each other.
            families = list(dict.fromkeys(target.base or target.name for target in order))
            order.sort(key=lambda target: families.index(target.base or target.name))
            trials = tuple(
                Trial(
                    id=f"b{index:02d}-{scenario.name}-{target.name}",
                    block=index,
                    study=scenario.study,
                    scenario=scenario.name,
                    target=target.name,
                    values=values,
                    budget_s=STUDIES[scenario.study].seconds(scenario, values),
                )
                for target in order
            )
            if trials:
                names = tuple(trial.target for trial in trials)
                blocks.append(Block(index, names, trials=trials, study=scenario.study))
    return tuple(blocks)
