"""Which points of a grid the budget has room for; what is left out has its reason. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from harness.model import Failure, Point
from harness.units import format_duration

CENTRE = 64
"""The concurrency that is given up last: more connections than most targets have threads, and still common."""


def within(
    points: Sequence[Point], costs_s: Mapping[str, float], room_s: float
) -> tuple[tuple[Point, ...], list[Failure]]:
    """The points that fit into ``room_s`` seconds of a block, and the others with the reason.

    Given up are whole concurrencies first, farthest from 64 and of two as far the greater, as a crossover needs its
    waits; then the dearest points.
    At least two are kept.
    """
    kept = list(points)
    order = sorted({point.concurrency for point in points}, key=lambda count: (-abs(math.log(count / CENTRE)), -count))
    for count in order[:-1]:
        if sum(costs_s[point.id] for point in kept) <= room_s:
            break
        kept = [point for point in kept if point.concurrency != count]
    while len(kept) > 2 and sum(costs_s[point.id] for point in kept) > room_s:
        kept.remove(max(kept, key=lambda point: costs_s[point.id]))
    names = {point.id for point in kept}
    dropped = [
        Failure("", point.id, "not-afforded", f"{format_duration(costs_s[point.id])} a block, more than the budget has")
        for point in points
        if point.id not in names
    ]
    return tuple(kept), dropped
