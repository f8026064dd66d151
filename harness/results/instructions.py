"""Instructions per request: of each target, of two over fresh starts, and where their difference lies."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from typing_extensions import TypedDict

from harness.model import Contrast, InstructionCount, Reason, Side, WindowRecord, side_faults
from harness.model.units import US
from harness.results.summary import ContrastResult, Estimate, LadderStep, Summary
from harness.stats.interval import FloatArray, mean_estimate, pooled_interval, t_interval
from harness.stats.looks import ALPHA, STARTS, blocks_needed
from harness.stats.verdict import classify

MARGIN = 0.005
NS_PER_US = 1e3
Counts = Mapping[Side, Mapping[int, InstructionCount]]
"""Side → start → what was counted."""
Step = TypeVar("Step", ContrastResult, LadderStep)


class CountedDocument(TypedDict, total=False):
    """What only ``--metric instructions`` has."""

    difference_us: float | None
    ns_per_instruction: tuple[float, float | None, float | None] | None
    b_cpu_us: float | None
    counter: str
    settings: Mapping[str, str]
    objects: Mapping[str, tuple[float, float]]
    counts: tuple[InstructionCount, ...]


def counted_document(result: ContrastResult, records: Sequence[WindowRecord]) -> CountedDocument:
    """Of a contrast in instructions, what else was counted in its starts; empty of another, and before the first."""
    starts = _both(counts_of(records), result.a, result.b) if result.metric == "instructions" else []
    if not starts:
        return {}
    costs = costs_of(records)
    ours, theirs = zip(*starts, strict=True)
    logs = [
        math.log(cost / np.mean([each.per_request for each in side]) * NS_PER_US)
        for of, side in ((result.a, ours), (result.b, theirs))
        for cost in costs.get(of, ())
    ]
    ns = mean_estimate(np.array(logs), ALPHA, math.exp) if logs else None
    names = sorted({name for each in (*ours, *theirs) for name in each.objects})
    objects = {name: (_mean(ours, name), _mean(theirs, name)) for name in names}
    return {
        "difference_us": None if ns is None else (result.difference or 0.0) * ns.value / NS_PER_US,
        "ns_per_instruction": None if ns is None else (ns.value, ns.ci_low, ns.ci_high),
        "b_cpu_us": float(np.mean(costs[result.b])) if result.b in costs else None,
        "counter": ours[0].counter,
        "settings": ours[0].settings,
        "objects": dict(sorted(objects.items(), key=lambda item: -abs(item[1][0] - item[1][1]))),
        "counts": tuple(each for pair in starts for each in pair),
    }


def counted_contrast(contrast: Contrast, counts: Counts) -> ContrastResult:
    """The verdict over the starts in which both sides were counted.

    After two starts, servers that were counted at the same time are not pairs: two starts of each have two degrees of
    freedom. From three on the interval is that of the pairs where it is narrower, each at half of ``ALPHA``: on a
    machine with far too much to do, heartbeats share turns of the loop with requests, and both sides rise and fall as
    one. Simulated with an sd of 0.4%, 98% of it common, 0.5% is found in 100% of runs after 3.5 starts (26% without
    pairs), and two equal sides are called different in 0.6%.
    """
    starts = _both(counts, contrast.a, contrast.b)
    margin = MARGIN if contrast.margin is None else contrast.margin
    if not starts:
        return ContrastResult.of(contrast, verdict="not-measurable", margin=margin, reasons=(Reason("not-counted"),))
    ours, theirs = np.array([[each.per_request for each in pair] for pair in starts]).T
    ratio, difference = _ratio(ours, theirs, pairs=True), _between(ours, theirs, pairs=True)
    verdict, needed = "undecided", None
    if ratio.ci_low is not None and ratio.ci_high is not None:
        low, high, delta = math.log(ratio.ci_low), math.log(ratio.ci_high), math.log1p(margin)
        verdict = str(classify(low, high, low > 0 or high < 0, delta))
        sd = min(math.sqrt(np.log((ours, theirs)).var(axis=1, ddof=1).sum()), np.log(ours / theirs).std(ddof=1))
        if verdict == "undecided":
            needed = blocks_needed(math.log(ratio.value), sd, len(starts), delta)
    return ContrastResult.of(
        contrast, verdict=verdict, ratio=ratio.value, ci_low=ratio.ci_low, ci_high=ratio.ci_high,
        difference=difference.value, difference_low=difference.ci_low, difference_high=difference.ci_high,
        margin=margin, blocks=len(starts), blocks_needed=needed,
    )  # fmt: skip


def counts_of(records: Iterable[WindowRecord]) -> Counts:
    """What was counted of each side, in the sound windows."""
    by_side: dict[Side, dict[int, InstructionCount]] = {}
    for record in records:
        faults = side_faults(record) if record.counts else {}
        for each in record.counts:
            if (side := Side(each.target, each.point)) not in faults:
                by_side.setdefault(side, {})[record.block] = each
    return by_side


def values_of(counts: Counts, side: Side) -> FloatArray:
    """Instructions per request, one for each start."""
    return np.array([each.per_request for each in counts.get(side, {}).values()])


def ratio_of(counts: Counts, a: Side, b: Side) -> Estimate | None:
    """A / B; ``None`` where one of them was not counted."""
    ours, theirs = values_of(counts, a), values_of(counts, b)
    return _ratio(ours, theirs) if ours.size and theirs.size else None


def with_instructions(summary: Summary, counts: Counts, contrasts: Sequence[Contrast]) -> Summary:
    """The summary with what was counted next to what CPU clocks say, and behind it the contrasts in instructions."""
    means = {side: mean_estimate(values_of(counts, side), ALPHA) for side in counts}

    def added(step: Step) -> Step:
        if step.a not in means or step.b not in means or getattr(step, "metric", "cpu_cost") != "cpu_cost":
            return step
        return replace(step, instructions=means[step.a].value - means[step.b].value)

    own = tuple(counted_contrast(each, counts) for each in contrasts if each.metric == "instructions")
    return replace(
        summary,
        cells=tuple(replace(cell, instructions=means.get(Side(cell.target, cell.point))) for cell in summary.cells),
        contrasts=(*map(added, summary.contrasts), *own),
        ladders=tuple(
            replace(ladder, steps=tuple(map(added, ladder.steps)), direct=ladder.direct and added(ladder.direct))
            for ladder in summary.ladders
        ),
    )


def costs_of(records: Iterable[WindowRecord]) -> dict[Side, list[float]]:
    """CPU µs per reply of each slice in which sides took turns, also on a machine too busy for a verdict."""
    costs: dict[Side, list[float]] = {}
    for record in records:
        if (slices := record.slices) is None:
            continue
        for owner, cpu, replies in zip(slices.side, slices.cpu, slices.replies, strict=True):
            if replies:
                costs.setdefault(record.sides[owner].side, []).append(cpu / replies * US)
    return costs


def _both(counts: Counts, a: Side, b: Side) -> list[tuple[InstructionCount, InstructionCount]]:
    """What was counted of two sides in the starts in which both were."""
    ours, theirs = counts.get(a, {}), counts.get(b, {})
    return [(ours[start], theirs[start]) for start in sorted(ours.keys() & theirs.keys())]


def _ratio(ours: FloatArray, theirs: FloatArray, *, pairs: bool = False) -> Estimate:
    return _between(np.log(ours), np.log(theirs), math.exp, pairs=pairs)


def _between(
    ours: FloatArray, theirs: FloatArray, back: Callable[[float], float] = float, *, pairs: bool = False
) -> Estimate:
    """The difference of the means with its interval, taken back from the scale of the values.

    Args:
        pairs: whether the values stand in the order of starts that both sides have.
    """
    starts = min(ours.size, theirs.size)
    if starts < STARTS[0]:
        return Estimate(back(float(ours.mean() - theirs.mean())), None, None, starts)
    if pairs and starts > STARTS[0]:
        either = pooled_interval(ours, theirs, ALPHA / 2), t_interval(ours - theirs, ALPHA / 2)
        chosen = min(either, key=lambda interval: float(interval.high - interval.low))
    else:
        chosen = pooled_interval(ours, theirs, ALPHA)
    mean, low, high = (back(float(each)) for each in (chosen.mean, chosen.low, chosen.high))
    return Estimate(mean, low, high, starts)


def _mean(side: Sequence[InstructionCount], name: str) -> float:
    return sum(each.objects.get(name, 0.0) for each in side) / len(side)
