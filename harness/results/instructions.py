"""Two targets by the instructions they execute per request, over pairs of fresh starts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar, cast

import numpy as np

from harness.model import InstructionCount, Plan, Side, WindowRecord, side_faults
from harness.model.units import US
from harness.results.outcome import Outcome, outcome_of, slower_limit
from harness.results.summary import ContrastResult, Estimate, LadderStep, Summary, Verdict
from harness.stats.interval import FloatArray, mean_estimate
from harness.stats.looks import ALPHA, blocks_needed
from harness.stats.verdict import classify
from harness.stats.welch import pooled_interval

MARGIN = 0.005
NS_PER_US = 1e3
Counts = Mapping[Side, Mapping[int, InstructionCount]]
"""Side → start → what was counted."""
Step = TypeVar("Step", ContrastResult, LadderStep)
STARTS = (2, 3, 4, 5)
"""The looks; each at ``ALPHA``, so that 4% is left over all of them."""


@dataclass(frozen=True, slots=True)
class ObjectDifference:
    """Instructions per request in one shared object, on A's side and on B's."""

    name: str
    a: float
    b: float

    @property
    def difference(self) -> float:
        return self.a - self.b


@dataclass(frozen=True, slots=True)
class InstructionResult:
    """What the starts so far came to.

    Attributes:
        difference: A − B in instructions per request; ``ratio``: A / B; both with 99% intervals over starts.
        a, b: instructions per request, the mean over starts.
        objects: largest difference first.
        counts: of A and B in turn, a pair per start.
        starts_needed: in all, to decide it, where that can be told; ``None`` where it is decided.
        control: A / A of two servers, with its interval; ``None`` where there is none.
        ns: CPU nanoseconds per instruction on this machine, with its interval, kernel work included. ``cpu_us``: B's
            CPU cost. Both ``None`` where CPU clocks gave nothing.
    """

    verdict: Verdict
    margin: float
    starts: int
    difference: Estimate
    ratio: Estimate
    a: float
    b: float
    objects: tuple[ObjectDifference, ...]
    counts: tuple[InstructionCount, ...] = ()
    starts_needed: int | None = None
    control: Estimate | None = None
    ns: Estimate | None = None
    cpu_us: float | None = None

    @property
    def difference_us(self) -> float | None:
        """What the difference is in CPU time on this machine."""
        return None if self.ns is None else self.difference.value * self.ns.value / NS_PER_US

    def slower(self, limit: float) -> Outcome:
        """The gate that A executes at most ``limit``, a share, more than B."""
        ends = (self.ratio.value, self.ratio.ci_low, self.ratio.ci_high)
        return outcome_of(ends, slower_limit(limit, most=True), most=True)

    def decided(self, limit: float | None) -> bool:
        """Whether there is a verdict, and the interval lies on one side of ``limit``, if there is one."""
        return self.verdict != "undecided" and (limit is None or self.slower(limit) != "undecided")


def compare(a: Sequence[InstructionCount], b: Sequence[InstructionCount], margin: float = MARGIN) -> InstructionResult:
    """The verdict over starts, as many of A as of B.

    Two servers that were counted at the same time are not taken for a pair: two starts of each then have two degrees of
    freedom. What they have in common, on a machine with far too much to do, makes the interval wider than it need be.
    """
    ours, theirs = (np.array([each.per_request for each in side]) for side in (a, b))
    starts, delta, needed = len(ours), math.log1p(margin), None
    verdict: Verdict = "undecided"
    if starts >= STARTS[0]:
        found = pooled_interval(np.log(ours), np.log(theirs), ALPHA)
        verdict = cast("Verdict", str(classify(found.low, found.high, found.p_value <= ALPHA, delta)))
        if verdict == "undecided":
            sd = math.sqrt(np.log(ours).var(ddof=1) + np.log(theirs).var(ddof=1))
            needed = blocks_needed(float(found.mean), sd, starts, delta)
    return InstructionResult(
        verdict,
        margin,
        starts,
        _between(ours, theirs),
        _ratio(ours, theirs),
        float(ours.mean()),
        float(theirs.mean()),
        _objects(a, b),
        tuple(each for pair in zip(a, b, strict=True) for each in pair),
        starts_needed=needed,
    )


def counts_of(records: Iterable[WindowRecord]) -> Counts:
    """What was counted of each side, in the sound windows."""
    found: dict[Side, dict[int, InstructionCount]] = {}
    for record in records:
        faults = side_faults(record) if record.counts else {}
        for each in record.counts:
            if (side := Side(each.target, each.point)) not in faults:
                found.setdefault(side, {})[record.block] = each
    return found


def values_of(counts: Counts, side: Side) -> FloatArray:
    """Instructions per request, one for each start."""
    return np.array([each.per_request for each in counts.get(side, {}).values()])


def ratio_of(counts: Counts, a: Side, b: Side) -> Estimate | None:
    """A / B; ``None`` where one of them was not counted."""
    ours, theirs = values_of(counts, a), values_of(counts, b)
    return _ratio(ours, theirs) if ours.size and theirs.size else None


def with_instructions(summary: Summary, counts: Counts) -> Summary:
    """The summary with what was counted next to what CPU clocks say."""
    if not counts:
        return summary
    means = {side: mean_estimate(values_of(counts, side), ALPHA) for side in counts}

    def added(step: Step) -> Step:
        if step.a not in means or step.b not in means or getattr(step, "metric", "cpu_cost") != "cpu_cost":
            return step
        return replace(step, instructions=means[step.a].value - means[step.b].value)

    return replace(
        summary,
        cells=tuple(replace(cell, instructions=means.get(Side(cell.target, cell.point))) for cell in summary.cells),
        contrasts=tuple(map(added, summary.contrasts)),
        ladders=tuple(
            replace(ladder, steps=tuple(map(added, ladder.steps)), direct=ladder.direct and added(ladder.direct))
            for ladder in summary.ladders
        ),
    )


def costs_of(records: Iterable[WindowRecord]) -> dict[Side, list[float]]:
    """CPU µs per reply of each slice in which sides took turns, also on a machine too busy for a verdict."""
    found: dict[Side, list[float]] = {}
    for record in records:
        if (slices := record.slices) is None:
            continue
        for owner, cpu, replies in zip(slices.side, slices.cpu, slices.replies, strict=True):
            if replies:
                found.setdefault(record.sides[owner].side, []).append(cpu / replies * US)
    return found


def result_of(plan: Plan, records: Sequence[WindowRecord], margin: float = MARGIN) -> InstructionResult | None:
    """What ``harness versus --metric instructions`` came to so far; ``None`` before both sides were counted."""
    a, b, *twin = plan.windows[0].sides
    counts = counts_of(records)
    both = sorted(set(counts.get(a, {})) & set(counts.get(b, {})))
    if not both:
        return None
    result = compare([counts[a][start] for start in both], [counts[b][start] for start in both], margin)
    means, costs = {a: result.a, b: result.b}, costs_of(records)
    logs = [math.log(cost / means[side] * NS_PER_US) for side in means for cost in costs.get(side, ())]
    return replace(
        result,
        control=ratio_of(counts, twin[0], a) if twin else None,
        ns=mean_estimate(np.array(logs), ALPHA, math.exp) if logs else None,
        cpu_us=float(np.mean(costs[b])) if b in costs else None,
    )


def _ratio(ours: FloatArray, theirs: FloatArray) -> Estimate:
    return _between(np.log(ours), np.log(theirs), math.exp)


def _between(ours: FloatArray, theirs: FloatArray, back: Callable[[float], float] = float) -> Estimate:
    """The difference of the means with its interval, taken back from the scale of the values."""
    starts = min(ours.size, theirs.size)
    if starts < STARTS[0]:
        return Estimate(back(float(ours.mean() - theirs.mean())), None, None, starts)
    found = pooled_interval(ours, theirs, ALPHA)
    mean, low, high = (back(float(each)) for each in (found.mean, found.low, found.high))
    return Estimate(mean, low, high, starts)


def _objects(a: Sequence[InstructionCount], b: Sequence[InstructionCount]) -> tuple[ObjectDifference, ...]:
    names = {name for each in (*a, *b) for name in each.objects}

    def mean(side: Sequence[InstructionCount], name: str) -> float:
        return sum(each.objects.get(name, 0.0) for each in side) / len(side)

    found = [ObjectDifference(name, mean(a, name), mean(b, name)) for name in sorted(names)]
    return tuple(sorted(found, key=lambda each: -abs(each.difference)))
