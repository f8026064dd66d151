"""Declared cost ladders against what a run has: which rungs can be measured, at which point, and why not. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from harness.model import Ladder, Point, Reason, Rung, Side, Target

Serves = Callable[[Target, Point], bool]


def resolve(
    declared: Iterable[Ladder], targets: Sequence[Target], points: Sequence[Point], serves: Serves
) -> tuple[Ladder, ...]:
    """The ladders that the run can climb, each rung with its point or the reason why it is skipped.

    A ladder is left out where the run lacks the target of its top rung, or has fewer than two rungs.
    """
    by_name = {target.name: target for target in targets}
    ladders = []
    for ladder in declared:
        if ladder.rungs[-1].target not in by_name:
            continue
        chosen = _setting(ladder, points)
        rungs = tuple(_placed(rung, by_name, chosen, serves) for rung in ladder.rungs)
        if sum(bool(rung.point) for rung in rungs) > 1:
            ladders.append(replace(ladder, rungs=rungs))
    return tuple(ladders)


def sides(ladder: Ladder) -> tuple[Side, ...]:
    """The rungs that are measured, from the bottom up."""
    return tuple(rung.side for rung in ladder.rungs if rung.point)


def pairs(ladder: Ladder) -> tuple[tuple[Side, Side], ...]:
    """Each step as upper and lower side, and last the top against the bottom."""
    measured = sides(ladder)
    steps = tuple(zip(measured[1:], measured[:-1], strict=True))
    return (*steps, (measured[-1], measured[0])) if len(steps) > 1 else steps


def _setting(ladder: Ladder, points: Sequence[Point]) -> Mapping[str, Point]:
    """Scenario → its point, at the one setting of parameters and concurrency with which most rungs have one.

    Scenarios without parameters fit any setting. Of equal ones, the first in the plan's order is taken.
    """
    scenarios = {rung.scenario for rung in ladder.rungs}
    relevant = [point for point in points if point.scenario in scenarios]
    best: dict[str, Point] = {}
    for like in sorted(relevant, key=lambda point: not point.params):
        fitting: dict[str, Point] = {}
        for point in relevant:
            if point.concurrency == like.concurrency and point.params in ({}, like.params):
                fitting.setdefault(point.scenario, point)
        if len(fitting) > len(best):
            best = fitting
    return best


def _placed(rung: Rung, targets: Mapping[str, Target], chosen: Mapping[str, Point], serves: Serves) -> Rung:
    target, point = targets.get(rung.target), chosen.get(rung.scenario)
    if target is None:
        return replace(rung, reason=Reason("no-target", {"target": rung.target}))
    if point is None:
        return replace(rung, reason=Reason("no-point", {"scenario": rung.scenario}))
    if not serves(target, point):
        return replace(rung, reason=Reason("not-served", {"target": rung.target, "scenario": rung.scenario}))
    return replace(rung, point=point.id)
