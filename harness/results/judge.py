"""A run's contrasts: the A/A control first, the margin that it sets, then every verdict."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from harness.model import Contrast, Failure, Manifest, Metric, Reason, Side, WindowRecord, tallied
from harness.results.frames import Frames
from harness.results.summary import ContrastResult
from harness.stats.interval import FloatArray
from harness.stats.looks import ALPHA, MIN_BLOCKS
from harness.stats.ratio import COLUMN, BlockValues, contrast_values
from harness.stats.verdict import Decision, judge, shown_interval
from harness.studies.groups import uneven

MARGIN = 0.02
CONTROL_PERCENTILE = 95


@dataclass(frozen=True, slots=True)
class Judged:
    """Values, margins and decisions by contrast id.

    Attributes:
        controls: ids of the A/A contrasts.
        metric_margins: the margin of contrasts of each metric, as a share: of points without waits where there are any.
        results: the contrasts in their order, controls first; one whose sides gave no number says why.
    """

    values: Mapping[str, BlockValues]
    margins: Mapping[str, float]
    decisions: Mapping[str, Decision]
    controls: frozenset[str]
    metric_margins: Mapping[Metric, float]
    results: tuple[ContrastResult, ...] = ()


def judge_run(manifest: Manifest, frames: Frames) -> Judged:
    """Every declared contrast of the run at this look, but for those in instructions.

    The margin is the larger of 2% and the 95th percentile of the blocks' |d| of the A/A control of the same metric, at
    points with waits or at points without: their noise is of another kind. Where there is none of its own, it is the
    widest. The control is judged against 2%: against its own spread it could never fail; and its contrasts are a family
    of their own. What is undecided there is judged at the margin that the run states.
    """
    contrasts = [contrast for contrast in manifest.plan.contrasts if contrast.metric in COLUMN]
    controls = control_ids(manifest, contrasts)
    values = run_values(manifest, frames, contrasts)
    waits = {point.id for point in manifest.plan.points if point.wait_s > 0}
    measured = _control_margins(contrasts, controls, values, waits)
    widest = max(measured.values(), default=MARGIN)
    by_kind = {(metric, wait): measured.get((metric, wait), widest) for metric in COLUMN for wait in (False, True)}
    margins = {each.id: by_kind[each.metric, each.a.point in waits] for each in contrasts}
    only_waits = all(point.id in waits for point in manifest.plan.points)
    by_metric = {metric: by_kind[metric, only_waits] for metric in COLUMN}
    # Two families: among differences that are real, Benjamini–Hochberg would let a control pass too easily.
    decisions: dict[str, Decision] = {}
    for family in (controls, frozenset(values) - controls):
        decisions |= judge({key: each.log_ratio for key, each in values.items() if key in family}, margins)
    strict = judge({key: values[key].log_ratio for key in controls}, dict.fromkeys(controls, MARGIN))
    strict = {key: decision for key, decision in strict.items() if decision.verdict != "undecided"}
    decisions |= strict
    margins |= dict.fromkeys(strict, MARGIN)
    judged = Judged(values, margins, decisions, controls, by_metric)
    reasons = {metric: _reasons_by_side(frames, metric) for metric in COLUMN}
    ordered = sorted(contrasts, key=lambda contrast: contrast.id not in controls)
    results = [_result(contrast, judged, reasons[contrast.metric], manifest.skipped) for contrast in ordered]
    return replace(judged, results=tuple(results))


def run_values(manifest: Manifest, frames: Frames, contrasts: Sequence[Contrast]) -> dict[str, BlockValues]:
    """``contrast_values`` of a run, in which twins stand with the targets that they repeat.

    Not in a run with ladders: their steps add up only over the same processes, and the twin is at one rung.
    """
    twins = [] if manifest.plan.ladders else [target for target in manifest.targets if target.twin_of]
    return contrast_values(frames.tables, contrasts, manifest.plan.points, twins)


def control_ids(manifest: Manifest, contrasts: Iterable[Contrast | ContrastResult]) -> frozenset[str]:
    """Those of a target with its twin, at the same point."""
    twins = {frozenset((target.name, target.twin_of)) for target in manifest.targets if target.twin_of}
    return frozenset(
        each.id
        for each in contrasts
        if each.a.point == each.b.point and frozenset((each.a.target, each.b.target)) in twins
    )


def _reasons_by_side(frames: Frames, metric: Metric) -> dict[Side, list[Reason]]:
    """Why windows are missing, and whether its workers shared the requests unevenly."""
    by_side = {side: list(reasons) for side, reasons in frames.reasons(metric).items()}
    for side, shares in _worker_shares(frames.records).items():
        if reason := uneven(tuple(shares)):
            by_side.setdefault(side, []).append(reason)
    return by_side


def _worker_shares(records: Sequence[WindowRecord]) -> dict[Side, FloatArray]:
    """Of servers with several workers, the part of the requests that each served, most first: the mean over windows."""
    parts: dict[Side, list[tuple[float, ...]]] = {}
    for side in (side for record in records for side in record.sides):
        if side.worker_shares:
            parts.setdefault(side.side, []).append(side.worker_shares)
    return {side: np.mean([each for each in all_ if len(each) == len(all_[0])], axis=0) for side, all_ in parts.items()}


def _control_margins(
    contrasts: Sequence[Contrast],
    controls: frozenset[str],
    values: Mapping[str, BlockValues],
    waits: Collection[str],
) -> dict[tuple[Metric, bool], float]:
    """By metric, and by whether the points have waits."""
    spread: dict[tuple[Metric, bool], list[FloatArray]] = {}
    for contrast in contrasts:
        if contrast.id in controls and len(values[contrast.id].blocks):
            kind = (contrast.metric, contrast.a.point in waits)
            spread.setdefault(kind, []).append(np.abs(values[contrast.id].log_ratio))
    return {
        kind: max(MARGIN, float(np.expm1(np.percentile(np.concatenate(each), CONTROL_PERCENTILE))))
        for kind, each in spread.items()
    }


def _result(
    contrast: Contrast,
    judged: Judged,
    excluded: Mapping[Side, Sequence[Reason]],
    skipped: Sequence[Failure],
) -> ContrastResult:
    values, decision, margin = judged.values[contrast.id], judged.decisions[contrast.id], judged.margins[contrast.id]
    reasons = _reasons((contrast.a, contrast.b), excluded, skipped)
    result = ContrastResult.of(
        contrast,
        **compared_as(decision, values.difference),
        margin=margin,
        p_value=decision.p_value,
        p_adjusted=decision.p_adjusted,
        reasons=(*_why_open(decision), *reasons),
    )
    if decision.mean is None and reasons:
        return replace(result, verdict="not-measurable", blocks_needed=None, reasons=reasons)
    return result if decision.mean is not None else replace(result, reasons=(Reason("not-measured"),))


def compared_as(decision: Decision, differences: FloatArray) -> dict[str, Any]:
    """What a ``Compared`` says of the decision and of A − B, block by block."""
    ratio, low, high = decision.ratios
    return {
        "verdict": decision.verdict, "ratio": ratio, "ci_low": low, "ci_high": high, "blocks": decision.blocks,
        "blocks_needed": decision.blocks_needed, **shown_interval("difference", differences),
    }  # fmt: skip


def _why_open(decision: Decision) -> tuple[Reason, ...]:
    if decision.verdict != "undecided":
        return ()
    if decision.blocks < MIN_BLOCKS:
        return (Reason("verdict-blocks", {"blocks": decision.blocks, "least": MIN_BLOCKS}),)
    return (Reason("not-significant"),) if decision.p_value is not None and decision.p_value <= ALPHA else ()


def _reasons(
    sides: Sequence[Side], excluded: Mapping[Side, Sequence[Reason]], skipped: Sequence[Failure]
) -> tuple[Reason, ...]:
    """Why blocks of the sides are missing or to be doubted, each reason once and with its number of windows."""
    reasons: list[Reason] = []
    for side in sides:
        absent = [f.reason for f in skipped if f.target == side.target and f.point in ("", side.point)]
        reasons += [reason.plus(side=side.target) for reason in tallied([*excluded.get(side, ()), *absent])]
    return tuple(dict.fromkeys(reasons))
