"""Windows of load on one target alone: which, for how long, in which order; seeded, within a budget, and pure."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.errors import UsageError
from harness.model import Block, Journey, Point, Side, Target, Window
from harness.model.units import format_duration, number_of
from harness.plan.points import lacking, serves
from harness.plan.profiles import Profile

JOURNEY = "journey"
WORKERS = "workers"
FEWEST_BLOCKS = 3
MOST_BLOCKS = 5
LEAST_S, MOST_S = 1.5, 10.0


@dataclass(frozen=True, slots=True)
class Timing:
    """Of a study's windows: ``overhead_s`` is for starting, verifying and ending a server and what loads it."""

    study: str
    prefix: str
    warmup_s: float
    overhead_s: float


JOURNEYS = Timing(JOURNEY, "j", 1.0, 3.0)
LOADS = Timing(WORKERS, "s", 0.5, 4.5)


def suited(journeys: Sequence[Journey], targets: Sequence[Target]) -> tuple[Journey, ...]:
    """The journeys, each with the targets that cannot serve it."""
    found = []
    for journey in journeys:
        endpoints = [request.endpoint for request in journey.requests]
        left_out = {t.name: why for t in targets if (why := lacking(t, endpoints, journey.capabilities))}
        found.append(replace(journey, left_out=left_out))
    return tuple(found)


def journey_blocks(
    targets: Sequence[Target],
    journeys: Sequence[Journey],
    profile: Profile,
    *,
    seed: int,
    budget_s: float,
    fixed: bool,
) -> tuple[Block, ...]:
    """Every journey on every target that can serve it.

    Args:
        journeys: those that are ``suited`` to the targets.
        fixed: whether the budget must be kept; else it grows to what the fewest and shortest windows take.

    Raises:
        UsageError: no target serves any journey, or a fixed budget is too short.
    """
    pairs = [
        (each.name, journey.point) for journey in journeys for each in targets if each.name not in journey.left_out
    ]
    if not pairs:
        said = next((f": {name}: {why.text}" for journey in journeys for name, why in journey.left_out.items()), "")
        raise UsageError(f"none of the chosen targets serves any of the chosen journeys{said}")
    return _blocks(pairs, JOURNEYS, profile, seed, budget_s, fixed)


def load_blocks(
    targets: Sequence[Target],
    points: Sequence[Point],
    profile: Profile,
    *,
    seed: int,
    budget_s: float,
    fixed: bool,
) -> tuple[Block, ...]:
    """Every point on every target that serves it, as loads that workers share; raises as ``journey_blocks`` does."""
    pairs = [(target.name, point.id) for point in points for target in targets if serves(target, point)]
    if not pairs:
        raise UsageError("none of the chosen targets serves any of the chosen scenarios")
    return _blocks(pairs, LOADS, profile, seed, budget_s, fixed)


def _blocks(
    pairs: Sequence[tuple[str, str]], timing: Timing, profile: Profile, seed: int, budget_s: float, fixed: bool
) -> tuple[Block, ...]:
    """A window for every pair in every block, each with a server of its own, in random order within the block."""
    blocks = max(FEWEST_BLOCKS, min(MOST_BLOCKS, profile.blocks))

    def seconds(count: int) -> float:
        return budget_s / (len(pairs) * count) - timing.overhead_s - timing.warmup_s

    while blocks > FEWEST_BLOCKS and seconds(blocks) < LEAST_S:
        blocks -= 1
    if fixed and seconds(blocks) < LEAST_S:
        needed = format_duration(len(pairs) * blocks * (timing.overhead_s + timing.warmup_s + LEAST_S))
        raise UsageError(
            f"a budget of {format_duration(budget_s)} is too short for {number_of(len(pairs) * blocks, 'window')}",
            hint=f"--budget {needed.replace(' ', '')} would do, or choose fewer targets (-t) or scenarios (-s)",
        )
    length = round(max(LEAST_S, min(MOST_S, seconds(blocks))), 1)
    whole = timing.overhead_s + timing.warmup_s + length
    rng = random.Random(seed)
    return tuple(
        Block(
            block,
            (target,),
            (
                Window(
                    id=f"{timing.prefix}{block:02d}-{target}-{point}",
                    block=block,
                    sides=(Side(target, point),),
                    seconds=length,
                    budget_s=whole,
                    study=timing.study,
                    warmup_s=timing.warmup_s,
                ),
            ),
            study=timing.study,
        )
        for block in range(blocks)
        for target, point in rng.sample(pairs, len(pairs))
    )
