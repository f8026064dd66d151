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
from typing import Literal, cast

import numpy as np

from harness.model import Contrast, Manifest, Metric, Reason, Side, SliceMetric, Target, WindowRecord, final_attempts
from harness.model.load import Samples
from harness.model.recorded import RESOLUTION
from harness.plan.sampling import INSTRUMENTS
from harness.results.cells import FLOOR
from harness.results.frames import Frames, tidy
from harness.results.instructions import Counts, counts_of
from harness.results.judge import Judged, judge_run, run_values
from harness.results.summary import Verdict
from harness.results.tails import aligned, block_samples, percentiles_of
from harness.stats.interval import FloatArray, Interval, pooled_autocorrelation, welch_interval
from harness.stats.looks import ALPHA, FAMILY_ALPHA, MIN_BLOCKS
from harness.stats.ratio import absolute_values
from harness.stats.verdict import adjust, classify

Basis = Literal["anchored", "absolute", "contrast"]
Measure = Literal["cpu_cost", "throughput", "p99"]

METRICS: tuple[SliceMetric, ...] = ("cpu_cost", "throughput")
MEASURES: tuple[Measure, ...] = (*METRICS, "p99")
LISTED = 6
"""Differences between two machines, or two sets of versions, that are named."""


@dataclass(frozen=True, slots=True)
class Change:
    """One quantity in two runs.

    Attributes:
        against: the other target: of the contrast, or the anchor; empty for absolute values.
        measure: ``cpu_cost`` in µs per reply, ``throughput`` in replies per second, ``p99`` of the closed loop's
            service time in µs.
        basis: ``anchored``: both runs' values relative to an anchor target measured in the same rounds; ``contrast``:
            both runs' ratios of a declared contrast; ``absolute``: the values themselves, with an interval that
            allows for what the machine did between the runs.
        base, new: the absolute values, or the contrast's ratios; ``None`` where there is none.
        ratio: new / base, with its 99% Welch interval over blocks.
        margin: as a share: what is called a difference of consequence.
    """

    target: str
    point: str
    measure: Measure
    basis: Basis
    against: str
    verdict: Verdict
    base: float | None = None
    new: float | None = None
    ratio: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    margin: float = 0.02
    base_blocks: int = 0
    new_blocks: int = 0
    p_value: float | None = None
    p_adjusted: float | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs.

    Attributes:
        changes: by target and point, then the contrasts.
        warnings: what differs between the runs besides what was measured.
        only_base, only_new: what only one of them measured.
    """

    base: str
    new: str
    changes: tuple[Change, ...]
    warnings: tuple[Reason, ...]
    only_base: tuple[Side, ...]
    only_new: tuple[Side, ...]
    schema: int = 2


@dataclass(frozen=True, slots=True)
class RunData:
    """A run with the block values that a comparison needs.

    Attributes:
        values: measure → side → a value per block.
        times: side → block → service times in µs, ascending.
        counts: instructions of each side, by start.
        windows: of journeys, studies and shared loads; of each, the attempt that counts.
    """

    manifest: Manifest
    frames: Frames
    judged: Judged
    values: Mapping[Metric, Mapping[Side, FloatArray]]
    times: Mapping[Side, Mapping[int, FloatArray]]
    windows: tuple[WindowRecord, ...] = ()
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
            return np.log(list(self.tails(side, measure).values()))
        return np.log(self.values[measure].get(side, np.empty(0)))

    def log_ratios(self, measure: Measure, a: Side, b: Side) -> FloatArray:
        """The block values of any two sides, whether the plan has a contrast of them or not."""
        if measure == "p99":
            return aligned(self.tails(a, measure), self.tails(b, measure))
        pair = Contrast("pair", "real", measure, a, b)
        return run_values(self.manifest, self.frames, [pair])["pair"].log_ratio

    def tails(self, side: Side, name: str) -> dict[int, float]:
        """Block → its percentile ``name``, of the blocks with enough replies."""
        return percentiles_of(self.times.get(side, {}), name)


def block_values(manifest: Manifest, records: Sequence[WindowRecord], samples: Samples) -> RunData:
    frames = tidy(records)
    points = manifest.plan.points
    return RunData(
        manifest,
        frames,
        judge_run(manifest, frames),
        {metric: absolute_values(frames.slices, points, metric) for metric in METRICS},
        block_samples(frames, samples),
        final_attempts(record for record in records if record.study not in ("", *INSTRUMENTS)),
        counts_of(final_attempts(records)),
    )


def compare(base: RunData, new: RunData, *, anchor: str = "") -> Comparison:
    """Every side and every contrast that both runs measured.

    Args:
        anchor: name of a target in both runs that did not change; default: a raw app.
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
        warnings=_differences(base.manifest, new.manifest, plain),
        only_base=tuple(side for side in mine if side not in set(theirs)),
        only_new=tuple(side for side in theirs if side not in set(mine)),
    )


def _anchor(base: RunData, new: RunData, side: Side, wanted: str) -> str:
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


def _side(base: RunData, new: RunData, side: Side, anchor: str) -> Iterable[tuple[Change, FloatArray, FloatArray]]:
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


def _contrasts(base: RunData, new: RunData) -> Iterable[tuple[Change, FloatArray, FloatArray]]:
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
    changes: list[Change] = []
    tested: list[tuple[int, Interval]] = []
    for plain, base, new in pairs:
        fewest = min(base.size, new.size)
        few = Reason("verdict-blocks", {"blocks": fewest, "least": MIN_BLOCKS}) if fewest < MIN_BLOCKS else None
        change = replace(plain, base_blocks=base.size, new_blocks=new.size, reason=few)
        if fewest < 2:
            changes.append(change if fewest else replace(change, verdict="not-measurable"))
            continue
        interval = welch_interval(new, base, ALPHA, autocorrelation=phi, run_effect=change.basis == "absolute")
        if not few:
            tested.append((len(changes), interval))
        ratio, low, high = (math.exp(each) for each in (interval.mean, interval.low, interval.high))
        changes.append(replace(change, ratio=ratio, ci_low=low, ci_high=high, p_value=float(interval.p_value)))
    adjusted = adjust([float(interval.p_value) for _, interval in tested])
    for (index, interval), p in zip(tested, adjusted, strict=True):
        margin = math.log1p(changes[index].margin)
        verdict = cast(Verdict, str(classify(interval.low, interval.high, p <= FAMILY_ALPHA, margin)))
        changes[index] = replace(changes[index], verdict=verdict, p_adjusted=float(p))
    return tuple(changes)


def _differences(base: Manifest, new: Manifest, absolute: bool) -> tuple[Reason, ...]:
    """A warning for each kind of difference; ``absolute``: whether values are compared without an anchor."""
    reasons = []
    for code, before, after in (
        ("machines-differ", _machine(base), _machine(new)),
        ("versions-differ", base.versions, new.versions),
    ):
        if listed := _pairs(before, after):
            reasons.append(Reason(code, {"differing": listed}))
    for target in new.targets:
        other = next((each for each in base.targets if each.name == target.name), None)
        if other is None:
            continue
        if listed := _pairs(base.packages.get(target.name, {}), new.packages.get(target.name, {})):
            reasons.append(Reason("packages-differ", {"target": target.name, "differing": listed}))
        fields = ("application", "interface", "server", "options", "workers", "threads", "environment")
        if changed := tuple(name for name in fields if getattr(target, name) != getattr(other, name)):
            reasons.append(Reason("declared-differ", {"target": target.name, "differing": changed}))
    if base.plan.profile != new.plan.profile:
        reasons.append(Reason("profiles-differ", {"base": base.plan.profile, "new": new.plan.profile}))
    for run in (base, new):
        if run.status != "finished":
            reasons.append(Reason("run-not-finished", {"run": run.run, "status": run.status}))
    return (*reasons, Reason("absolute-values")) if absolute else tuple(reasons)


def _machine(manifest: Manifest) -> dict[str, str]:
    known = {key: value for key, value in manifest.environment.items() if key != RESOLUTION}
    return known | {f"{role} CPUs": ",".join(map(str, cpus)) for role, cpus in manifest.placement.items()}


def _pairs(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    listed = [
        f"{key} {before.get(key, '–')} → {after.get(key, '–')}"
        for key in sorted({*before, *after})
        if before.get(key) != after.get(key)
    ]
    rest = len(listed) - LISTED
    return (*listed[:LISTED], f"+{rest}") if rest > 0 else tuple(listed)
