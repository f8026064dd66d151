"""Two runs, target by target and contrast by contrast.

Absolute figures of different runs are not taken in the same rounds, so the machine's state is in their ratio. Where
both runs hold an anchor, a target that did not change, each run's values are taken relative to it within rounds, and
the ratio of these ratios is judged; contrasts are such ratios already. Without an anchor the interval takes each run
for one draw of the machine's states (``welch_interval``), which makes it several times as wide, and honest.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np

from harness.model import Clocked, Contrast, Manifest, Metric, Reason, Side, Target, WindowRecord, counted
from harness.model.load import Samples
from harness.plan.sampling import INSTRUMENTS
from harness.results.comparison import Basis, Change, Comparison, Measure
from harness.results.differences import differences
from harness.results.frames import Frames, tidy
from harness.results.instructions import Counts, counts_of
from harness.results.judge import Judged, judge_run, run_values
from harness.results.summary import Verdict
from harness.results.tails import aligned, block_percentiles
from harness.stats.interval import FloatArray, Interval, pooled_autocorrelation
from harness.stats.looks import ALPHA, FAMILY_ALPHA, MIN_BLOCKS
from harness.stats.ratio import absolute_values
from harness.stats.verdict import adjust, classify
from harness.stats.welch import welch_interval

METRICS: tuple[Clocked, ...] = ("cpu_cost", "throughput")
MEASURES: tuple[Measure, ...] = (*METRICS, "p99")
FLOOR = "raw"
"""Framework of the targets without one: what anchors a comparison unless another target is named."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A run with the block values that a comparison needs.

    Attributes:
        values: measure → side → a value per block.
        tails: side → block → p99 in µs.
        counts: instructions of each side, by start.
        alone: the windows of journeys, studies and shared loads, of each the attempt that counts.
    """

    manifest: Manifest
    frames: Frames
    judged: Judged
    values: Mapping[Metric, Mapping[Side, FloatArray]]
    tails: Mapping[Side, Mapping[int, float]]
    alone: tuple[WindowRecord, ...] = ()
    counts: Counts = field(default_factory=dict)

    @property
    def targets(self) -> dict[str, Target]:
        return {target.name: target for target in self.manifest.targets}

    @property
    def sides(self) -> list[Side]:
        """Sides with a number, twins left out, in the plan's order."""
        known = {side for each in self.values.values() for side in each}
        names = [target.name for target in self.manifest.targets if not target.twin_of]
        return [s for p in self.manifest.plan.points for n in names if (s := Side(n, p.id)) in known]

    def logs(self, measure: Measure, side: Side) -> FloatArray:
        """ln of its block values; of p99, of the blocks with enough replies."""
        if measure == "p99":
            return np.log(list(self.tails.get(side, {}).values()))
        return np.log(self.values[measure].get(side, np.empty(0)))

    def log_ratios(self, measure: Measure, a: Side, b: Side) -> FloatArray:
        """The block values of any two sides, whether the plan has a contrast of them or not."""
        if measure == "p99":
            return aligned(self.tails.get(a, {}), self.tails.get(b, {}))
        pair = Contrast("pair", "real", measure, a, b)
        return run_values(self.manifest, self.frames, [pair])["pair"].log_ratio


def measured(manifest: Manifest, records: Sequence[WindowRecord], samples: Samples) -> Measured:
    frames = tidy(records)
    points = manifest.plan.points
    return Measured(
        manifest,
        frames,
        judge_run(manifest, frames),
        {metric: absolute_values(frames.slices, points, metric) for metric in METRICS},
        block_percentiles(frames, samples, "p99"),
        counted(record for record in records if record.study not in ("", *INSTRUMENTS)),
        counts_of(counted(records)),
    )


def compare(base: Measured, new: Measured, *, anchor: str = "") -> Comparison:
    """Every side and every contrast that both runs measured.

    Args:
        anchor: name of a target in both runs that did not change; a floor without a framework unless given.
    """
    mine, theirs = base.sides, new.sides
    shared = [side for side in theirs if side in set(mine)]
    pairs: list[tuple[Change, FloatArray, FloatArray]] = []
    for side in shared:
        pairs += _side(base, new, side, _anchor(base, new, side, anchor))
    pairs += _contrasts(base, new)
    anchors = {change.against for change, _, _ in pairs if change.basis == "anchored"}
    plain = any(change.basis == "absolute" and change.target not in anchors for change, _, _ in pairs)
    return Comparison(
        base=base.manifest.run,
        new=new.manifest.run,
        changes=_judged(pairs),
        warnings=differences(base.manifest, new.manifest, plain),
        only_base=tuple(side for side in mine if side not in set(theirs)),
        only_new=tuple(side for side in theirs if side not in set(mine)),
    )


def _anchor(base: Measured, new: Measured, side: Side, wanted: str) -> str:
    """The target that this side is seen relative to, at the same point in both runs; empty where there is none."""
    both = {other.target for other in base.sides if other.point == side.point}
    both &= {other.target for other in new.sides if other.point == side.point}
    both.discard(side.target)
    if wanted:
        return wanted if wanted in both else ""
    kind = new.targets[side.target].interface
    floors = [new.targets[name] for name in sorted(both)]
    floors = [t for t in floors if t.framework == FLOOR and replace(base.targets[t.name], reference=t.reference) == t]
    if new.targets[side.target].framework == FLOOR:
        return ""
    return next((t.name for t in sorted(floors, key=lambda t: t.interface != kind)), "")


def _side(base: Measured, new: Measured, side: Side, anchor: str) -> Iterable[tuple[Change, FloatArray, FloatArray]]:
    other, runs = Side(anchor, side.point), (base, new)
    for measure in MEASURES:
        plain = [run.logs(measure, side) for run in runs]
        if measure == "p99" and not all(each.size for each in plain):
            return
        margin = max(run.judged.metric_margins["throughput" if measure == "p99" else measure] for run in runs)
        change = _change(side, measure, "absolute", "", plain, margin)
        if anchor:
            relative = [run.log_ratios(measure, side, other) for run in runs]
            if all(each.size >= 2 for each in relative):
                yield replace(change, basis="anchored", against=anchor), relative[0], relative[1]
                continue
        yield change, plain[0], plain[1]


def _contrasts(base: Measured, new: Measured) -> Iterable[tuple[Change, FloatArray, FloatArray]]:
    known = {contrast.id for contrast in base.manifest.plan.contrasts} - base.judged.controls - new.judged.controls
    for contrast in new.manifest.plan.contrasts:
        if contrast.metric == "instructions" or contrast.id not in known or contrast.a.point != contrast.b.point:
            continue
        series = [run.judged.values[contrast.id].log_ratio for run in (base, new)]
        if not all(each.size for each in series):
            continue
        margin = max(run.judged.margins[contrast.id] for run in (base, new))
        change = _change(contrast.a, contrast.metric, "contrast", contrast.b.target, series, margin)
        yield change, series[0], series[1]


def _change(
    side: Side, measure: Measure, basis: Basis, against: str, logs: Sequence[FloatArray], margin: float
) -> Change:
    """Of the runs' block values, as logarithms."""
    base, new = (float(np.exp(each.mean())) if each.size else None for each in logs)
    return Change(side.target, side.point, measure, basis, against, "undecided", base, new, margin=margin)


def _judged(pairs: Sequence[tuple[Change, FloatArray, FloatArray]]) -> tuple[Change, ...]:
    """Each change with its interval, and its verdict after Benjamini–Hochberg over all of them."""
    phi = float(pooled_autocorrelation(values for _, *both in pairs for values in both))
    found: list[Change] = []
    tested: list[tuple[int, Interval]] = []
    for plain, base, new in pairs:
        change = replace(plain, base_blocks=base.size, new_blocks=new.size, reason=_few(base, new))
        if min(base.size, new.size) < 2:
            found.append(change if base.size and new.size else replace(change, verdict="not-measurable"))
            continue
        interval = welch_interval(new, base, ALPHA, autocorrelation=phi, run_effect=change.basis == "absolute")
        if not change.reason:
            tested.append((len(found), interval))
        ratio, low, high = (math.exp(each) for each in (interval.mean, interval.low, interval.high))
        found.append(replace(change, ratio=ratio, ci_low=low, ci_high=high, p_value=float(interval.p_value)))
    adjusted = adjust([float(interval.p_value) for _, interval in tested])
    for (index, interval), p in zip(tested, adjusted, strict=True):
        margin = math.log1p(found[index].margin)
        verdict = cast(Verdict, str(classify(interval.low, interval.high, p <= FAMILY_ALPHA, margin)))
        found[index] = replace(found[index], verdict=verdict, p_adjusted=float(p))
    return tuple(found)


def _few(base: FloatArray, new: FloatArray) -> Reason | None:
    fewest = min(base.size, new.size)
    return Reason("verdict-blocks", {"blocks": fewest, "least": MIN_BLOCKS}) if fewest < MIN_BLOCKS else None
