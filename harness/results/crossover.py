"""From which wait on A is ahead of B: the sign of one contrast along its waits, as intervals between measured ones.

A verdict is needed on both sides of a change: an undecided wait in between makes the interval wider and never moves it.
Where the interval is narrow, the ratios with their intervals are joined by straight lines over the logarithm of the
wait, and the crossing of 1 is read off: where the upper line reaches 1 and where the lower one does. There B waits and
A computes, so ln ratio is ln(wait + service) and a constant: between neighbouring waits near enough to straight.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from string import Formatter

from harness.model import Gap, Manifest, ParamValue, Point, Scenario
from harness.results.summary import ContrastResult, Crossover, CrossoverOutcome
from harness.stats.estimate import REAL

NARROW = 1.5
"""An interval of waits is narrow enough where its ends are no farther apart than by this factor."""
NEAREST_MS = 1.0
"""Waits are whole milliseconds: an interval from 0 cannot be narrower."""
STRAIGHT_WITHIN = 3.0
"""Interpolated only where the ends are no farther apart than by this factor."""

Row = tuple[float, ContrastResult]


def crossovers(manifest: Manifest, contrasts: Sequence[ContrastResult]) -> tuple[Crossover, ...]:
    """One per pair, concurrency and other parameters that was measured at two waits or more, in declared order.

    Args:
        contrasts: the run's results; those of the question ``move`` and of throughput are used.
    """
    points = {point.id: point for point in manifest.plan.points}
    scenarios = {scenario.name: scenario for scenario in manifest.scenarios}
    groups: dict[tuple[object, ...], list[Row]] = {}
    for contrast in contrasts:
        point = points.get(contrast.a.point)
        if point is None or contrast.a.point != contrast.b.point:
            continue
        if (contrast.question, contrast.metric) != ("move", "throughput"):
            continue
        others = _other_params(scenarios.get(point.scenario), point)
        pair = (contrast.a.target, contrast.b.target)
        key = (pair, point.scenario, point.concurrency, tuple(others.items()))
        groups.setdefault(key, []).append((point.wait_s * 1e3, contrast))
    results = [_crossover(rows, points[rows[0][1].a.point], scenarios) for rows in groups.values()]
    return tuple(each for each in results if each.first_ms < each.last_ms)


def direction(contrast: ContrastResult) -> int | None:
    """1: A is ahead, −1: B is, 0: no difference at the margin, ``None``: not known."""
    if contrast.verdict in REAL and contrast.ratio is not None:
        return 1 if contrast.ratio > 1 else -1
    return 0 if contrast.verdict == "same" else None


def gaps(manifest: Manifest, candidates: Sequence[Crossover]) -> tuple[Gap, ...]:
    """Where one more wait would narrow a crossover of a scenario that is to be bisected; widest first.

    Open waits lie inside an interval and do not end it: then the stretches at its two ends are what can be narrowed.
    Where A is behind up to the last wait, and others were measured at a longer one that this pair could not afford, a
    wait between the two may do.
    """
    bisected = {scenario.name for scenario in manifest.scenarios if scenario.bisect}
    wanted: list[tuple[Crossover, float, float]] = []
    for each in candidates:
        if each.scenario not in bisected:
            continue
        longer = _next_wait(manifest, each)
        if each.outcome == "behind" and longer is not None:
            wanted.append((each, each.last_ms, longer))
        if each.low_ms is None or each.high_ms is None or is_narrow(each):
            continue
        inside = [wait for wait in each.waits_ms if each.low_ms <= wait <= each.high_ms]
        ends = {(inside[0], inside[1]), (inside[-2], inside[-1])}
        wanted += [(each, *pair) for pair in sorted(ends, key=lambda pair: -_width(*pair))]
    wanted.sort(key=lambda one: -_width(*one[1:]))
    return tuple(Gap(c.a, c.b, c.scenario, c.params, c.concurrency, low, high) for c, low, high in wanted)


def is_narrow(crossover: Crossover) -> bool:
    """Whether the interval needs no further wait."""
    if crossover.low_ms is None or crossover.high_ms is None:
        return True
    return crossover.high_ms <= max(NARROW * crossover.low_ms, NEAREST_MS)


def _next_wait(manifest: Manifest, crossover: Crossover) -> float | None:
    """The shortest of the plan's waits beyond the last one of this pair."""
    scenario = next(each for each in manifest.scenarios if each.name == crossover.scenario)
    waits = [
        point.wait_s * 1e3
        for point in manifest.plan.points
        if (point.scenario, point.concurrency) == (crossover.scenario, crossover.concurrency)
        and _other_params(scenario, point) == crossover.params
    ]
    return min((wait for wait in waits if wait > crossover.last_ms), default=None)


def _width(low_ms: float, high_ms: float) -> float:
    """Of an interval of waits, on the logarithmic scale."""
    return math.log(high_ms / max(low_ms, NEAREST_MS / 2))


def _other_params(scenario: Scenario | None, point: Point) -> dict[str, ParamValue]:
    """The parameters that are not the wait."""
    waits = {name for _, name, _, _ in Formatter().parse(scenario.wait_ms) if name} if scenario else set()
    return {key: value for key, value in point.params.items() if key not in waits}


def _crossover(rows: Sequence[Row], point: Point, scenarios: Mapping[str, Scenario]) -> Crossover:
    """From the pair's contrasts by wait, the point of one of them standing for the others."""
    rows = sorted(rows, key=lambda row: row[0])
    first = rows[0][1]
    outcome, low, high = _outcome([(wait, direction(contrast)) for wait, contrast in rows])
    estimate: tuple[float | None, float | None, float | None] = (None, None, None)
    if outcome == "overtakes" and low and high and high <= STRAIGHT_WITHIN * low:
        estimate = _interpolated([row for row in rows if low <= row[0] <= high])
    return Crossover(
        a=first.a.target,
        b=first.b.target,
        label=first.label,
        scenario=point.scenario,
        params=_other_params(scenarios.get(point.scenario), point),
        concurrency=point.concurrency,
        outcome=outcome,
        low_ms=low,
        high_ms=high,
        estimate_ms=estimate[0],
        estimate_low_ms=estimate[1],
        estimate_high_ms=estimate[2],
        waits_ms=tuple(wait for wait, _ in rows),
        open_ms=tuple(wait for wait, contrast in rows if direction(contrast) is None),
        contrasts=tuple(contrast.id for _, contrast in rows),
    )


def _outcome(states: Sequence[tuple[float, int | None]]) -> tuple[CrossoverOutcome, float | None, float | None]:
    """The outcome of the signs along the waits, and the waits next to the change: see ``Crossover``."""
    known = [(wait, state) for wait, state in states if state is not None]
    ahead = len(known)
    while ahead and known[ahead - 1][1] == 1:
        ahead -= 1
    if not known:
        return "none", None, None
    if ahead == len(known):
        behind = len(known) == len(states) and all(state == -1 for _, state in known)
        return ("behind" if behind else "none"), None, None
    above = known[ahead][0]
    if not ahead:
        open_above = any(state is None and wait > above for wait, state in states)
        return ("none", None, None) if open_above else ("ahead", None, above)
    below, state = known[ahead - 1]
    return ("overtakes" if state == -1 else "draws-ahead"), below, above


def _interpolated(rows: Sequence[Row]) -> tuple[float | None, float | None, float | None]:
    """Where the ratio crosses 1, and where the upper and the lower ends of its intervals do, in milliseconds."""
    measured = [(wait, c.ci_high, c.ratio, c.ci_low) for wait, c in rows if c.ci_low and c.ci_high and c.ratio]
    upper = _crossing([(wait, high) for wait, high, _, _ in measured])
    middle = _crossing([(wait, ratio) for wait, _, ratio, _ in measured])
    lower = _crossing([(wait, low) for wait, _, _, low in reversed(measured)])
    return (middle, upper, lower) if middle and upper and lower else (None, None, None)


def _crossing(line: Sequence[tuple[float, float]]) -> float | None:
    """The first wait along the line at which it reaches 1."""
    for (wait, value), (next_wait, next_value) in pairwise(line):
        here, there = math.log(value), math.log(next_value)
        if here * there <= 0 and here != there:
            return math.exp(math.log(wait) + here / (here - there) * math.log(next_wait / wait))
    return None
