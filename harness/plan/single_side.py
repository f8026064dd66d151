"""Windows with one side: which, for how long, in which order; seeded, within a budget, and pure."""

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
    fitted = []
    for journey in journeys:
        endpoints = [request.endpoint for request in journey.requests]
        left_out = {t.name: why for t in targets if (why := lacking(t, endpoints, journey.capabilities))}
        fitted.append(replace(journey, left_out=left_out))
    return tuple(fitted)


def journey_sides(journeys: Sequence[Journey], targets: Sequence[Target]) -> list[Side]:
    """Every journey on every target that can serve it; the journeys are ``suited``.

    Raises:
        UsageError: there is no such pair.
    """
    sides = [Side(t.name, journey.point) for journey in journeys for t in targets if t.name not in journey.left_out]
    if not sides:
        example = next((f": {name}: {why.text}" for journey in journeys for name, why in journey.left_out.items()), "")
        raise UsageError(f"none of the chosen targets serves any of the chosen journeys{example}")
    return sides


def load_sides(points: Sequence[Point], targets: Sequence[Target]) -> list[Side]:
    """Every point on every target that serves it; raises as ``journey_sides`` does."""
    sides = [Side(target.name, point.id) for point in points for target in targets if serves(target, point)]
    if not sides:
        raise UsageError("none of the chosen targets serves any of the chosen scenarios")
    return sides


def single_side_blocks(
    sides: Sequence[Side], timing: Timing, profile: Profile, *, seed: int, budget_s: float, fixed: bool
) -> tuple[Block, ...]:
    """A window for every side in every block, each with a server of its own, in random order within the block.

    Args:
        fixed: whether the budget must be kept; else it grows to what the fewest and shortest windows take.

    Raises:
        UsageError: a fixed budget is too short.
    """
    blocks = max(FEWEST_BLOCKS, min(MOST_BLOCKS, profile.blocks))

    def seconds(count: int) -> float:
        return budget_s / (len(sides) * count) - timing.overhead_s - timing.warmup_s

    while blocks > FEWEST_BLOCKS and seconds(blocks) < LEAST_S:
        blocks -= 1
    if fixed and seconds(blocks) < LEAST_S:
        needed = format_duration(len(sides) * blocks * (timing.overhead_s + timing.warmup_s + LEAST_S))
        raise UsageError(
            f"a budget of {format_duration(budget_s)} is too short for {number_of(len(sides) * blocks, 'window')}",
            hint=f"--budget {needed.replace(' ', '')} is enough, or choose fewer targets (-t) or scenarios (-s)",
        )
    length = round(max(LEAST_S, min(MOST_S, seconds(blocks))), 1)
    whole = timing.overhead_s + timing.warmup_s + length

    def window(block: int, side: Side) -> Window:
        name = f"{timing.prefix}{block:02d}-{side.target}-{side.point}"
        return Window(name, block, (side,), length, whole, timing.study, timing.warmup_s)

    rng = random.Random(seed)
    return tuple(
        Block.of(block, [window(block, side)], timing.study)
        for block in range(blocks)
        for side in rng.sample(sides, len(sides))
    )
