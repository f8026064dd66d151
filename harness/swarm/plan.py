"""Which journeys run on which targets, for how long: seeded, within a time budget, and pure."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.errors import UsageError
from harness.model import Journey, Target, Window
from harness.profiles import Profile
from harness.swarm.journeys import lacking
from harness.units import format_duration

STUDY = "journey"
FEWEST_BLOCKS = 3
MOST_BLOCKS = 5
OVERHEAD_S = 3.0
"""To start and verify a server and Locust, and to end both."""

WARMUP_S = 1.5
LEAST_S, MOST_S = 2.0, 10.0


@dataclass(frozen=True, slots=True)
class JourneyPlan:
    """The windows, and the journeys with the targets that cannot serve them."""

    windows: tuple[Window, ...]
    journeys: tuple[Journey, ...]

    @property
    def estimate_s(self) -> float:
        return sum(window.budget_s for window in self.windows)


def journey_plan(
    targets: Sequence[Target],
    journeys: Sequence[Journey],
    profile: Profile,
    *,
    seed: int,
    budget_s: float,
    fixed: bool,
) -> JourneyPlan:
    """Every journey on every target that can serve it, each window with a server of its own, in random order.

    Args:
        fixed: whether the budget must be kept; else it grows to what the fewest and shortest windows take.

    Raises:
        UsageError: no target serves any journey, or a fixed budget is too short.
    """
    pairs: list[tuple[Target, Journey]] = []
    known: list[Journey] = []
    for journey in journeys:
        left_out = {target.name: why for target in targets if (why := lacking(target, journey))}
        known.append(replace(journey, left_out=left_out))
        pairs += [(target, journey) for target in targets if target.name not in left_out]
    if not pairs:
        why = next((f": {name} {why}" for journey in known for name, why in journey.left_out.items()), "")
        raise UsageError(f"none of the chosen targets serves any of the chosen journeys{why}")
    blocks = max(FEWEST_BLOCKS, min(MOST_BLOCKS, profile.blocks))

    def seconds(count: int) -> float:
        return budget_s / (len(pairs) * count) - OVERHEAD_S - WARMUP_S

    while blocks > FEWEST_BLOCKS and seconds(blocks) < LEAST_S:
        blocks -= 1
    if fixed and seconds(blocks) < LEAST_S:
        needed = format_duration(len(pairs) * blocks * (OVERHEAD_S + WARMUP_S + LEAST_S))
        raise UsageError(
            f"a budget of {format_duration(budget_s)} is too short for {len(pairs) * blocks} windows of a journey",
            hint=f"--budget {needed.replace(' ', '')} would do, or choose fewer targets (-t)",
        )
    length = round(max(LEAST_S, min(MOST_S, seconds(blocks))), 1)
    rng = random.Random(seed)
    windows = []
    for block in range(blocks):
        for target, journey in rng.sample(pairs, len(pairs)):
            name = f"j{block:02d}-{target.name}-{journey.point}"
            whole = OVERHEAD_S + WARMUP_S + length
            windows.append(Window(name, block, STUDY, target.name, journey.point, WARMUP_S, length, whole))
    return JourneyPlan(tuple(windows), tuple(known))
