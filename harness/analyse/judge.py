"""A run's contrasts: the A/A control first, the margin that it sets, then every verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from harness.analyse.frames import Frames
from harness.analyse.interval import FloatArray
from harness.analyse.looks import ALPHA, MIN_BLOCKS
from harness.analyse.ratio import COLUMN, BlockValues, contrast_values
from harness.analyse.summary import ContrastResult
from harness.analyse.verdict import Decision, judge, shown_interval
from harness.model import Contrast, Failure, Manifest, Metric, Side

MARGIN = 0.02
CONTROL_PERCENTILE = 95


@dataclass(frozen=True, slots=True)
class Judged:
    """Values, margins and decisions by contrast id.

    Attributes:
        controls: ids of the A/A contrasts.
        metric_margins: the margin for contrasts of each metric that are no control, as a share; of points without waits
            where there are any.
    """

    values: Mapping[str, BlockValues]
    margins: Mapping[str, float]
    decisions: Mapping[str, Decision]
    controls: frozenset[str]
    metric_margins: Mapping[Metric, float]


def judge_run(manifest: Manifest, frames: Frames) -> Judged:
    """Every declared contrast of the run at this look.

    The margin is the larger of 2% and the 95th percentile of the blocks' |d| of the A/A control of the same metric, at
    points with waits or at points without: their noise is of another kind. Where there is none of its own, it is the
    widest. The control itself is judged against 2%: against its own spread it could never fail; and its contrasts are a
    family of their own.
    """
    contrasts = manifest.plan.contrasts
    controls = control_ids(manifest)
    values = run_values(manifest, frames.slices, contrasts)
    waits = {point.id for point in manifest.plan.points if point.wait_s > 0}
    found = _control_margins(contrasts, controls, values, waits)
    widest = max(found.values(), default=MARGIN)
    by_kind = {(metric, wait): found.get((metric, wait), widest) for metric in COLUMN for wait in (False, True)}
    margins = {
        each.id: MARGIN if each.id in controls else by_kind[each.metric, each.a.point in waits] for each in contrasts
    }
    only_waits = all(point.id in waits for point in manifest.plan.points)
    by_metric = {metric: by_kind[metric, only_waits] for metric in COLUMN}
    # Two families: among differences that are real, Benjamini–Hochberg would let a control pass too easily.
    decisions: dict[str, Decision] = {}
    for family in (controls, frozenset(values) - controls):
        decisions |= judge({key: each.log_ratio for key, each in values.items() if key in family}, margins)
    return Judged(values, margins, decisions, controls, by_metric)


def run_values(manifest: Manifest, slices: pd.DataFrame, contrasts: Sequence[Contrast]) -> dict[str, BlockValues]:
    """``contrast_values`` of a run, in which twins stand with the targets that they repeat.

    Not in a run with ladders: their steps add up only over the same processes, and the twin is at one rung.
    """
    twins = [] if manifest.plan.ladders else [target for target in manifest.targets if target.twin_of]
    return contrast_values(slices, contrasts, manifest.plan.points, twins)


def control_ids(manifest: Manifest) -> frozenset[str]:
    """Contrasts of a target with its twin, at the same point."""
    twins = {target.name: target.twin_of for target in manifest.targets if target.twin_of}
    return frozenset(
        contrast.id
        for contrast in manifest.plan.contrasts
        if contrast.a.point == contrast.b.point
        and (twins.get(contrast.a.target) == contrast.b.target or twins.get(contrast.b.target) == contrast.a.target)
    )


def results(manifest: Manifest, frames: Frames, judged: Judged) -> tuple[ContrastResult, ...]:
    """The declared contrasts in their order, controls first; one whose sides gave no number says why."""
    by_side: dict[Side, list[str]] = {}
    for exclusion in frames.excluded:
        by_side.setdefault(Side(exclusion.target, exclusion.point), []).append(exclusion.reason)
    ordered = sorted(manifest.plan.contrasts, key=lambda contrast: contrast.id not in judged.controls)
    return tuple(_result(contrast, judged, by_side, manifest.skipped) for contrast in ordered)


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
    excluded: Mapping[Side, Sequence[str]],
    skipped: Sequence[Failure],
) -> ContrastResult:
    values, decision, margin = judged.values[contrast.id], judged.decisions[contrast.id], judged.margins[contrast.id]
    reasons = _reasons((contrast.a, contrast.b), excluded, skipped)
    found = ContrastResult(
        id=contrast.id,
        question=contrast.question,
        metric=contrast.metric,
        a=contrast.a,
        b=contrast.b,
        label=contrast.label,
        verdict=decision.verdict,
        margin=margin,
        blocks=decision.blocks,
        blocks_needed=decision.blocks_needed,
    )
    if decision.mean is None and reasons:
        return replace(found, verdict="not-measurable", blocks_needed=None, reason=reasons)
    if decision.mean is None:
        return replace(found, reason="not measured in any block")
    difference, difference_low, difference_high = shown_interval(values.difference)
    return replace(
        found,
        ratio=float(np.exp(decision.mean)),
        ci_low=None if decision.low is None else float(np.exp(decision.low)),
        ci_high=None if decision.high is None else float(np.exp(decision.high)),
        difference=difference,
        difference_low=difference_low,
        difference_high=difference_high,
        p_value=decision.p_value,
        p_adjusted=decision.p_adjusted,
        reason="; ".join(filter(None, (_why_open(decision), reasons))),
    )


def _why_open(decision: Decision) -> str:
    if decision.verdict != "undecided":
        return ""
    if decision.blocks < MIN_BLOCKS:
        return f"{decision.blocks} of the at least {MIN_BLOCKS} blocks that a verdict needs"
    if decision.p_value is not None and decision.p_value <= ALPHA:
        return "the interval leaves out 1, but among so many contrasts this is not significant"
    return ""


def _reasons(sides: Sequence[Side], excluded: Mapping[Side, Sequence[str]], skipped: Sequence[Failure]) -> str:
    """Why blocks of the sides are missing, each reason once and with its number of slots."""
    found: list[str] = []
    for side in sides:
        counts = Counter(excluded.get(side, ()))
        counts.update(
            f"{failure.kind}: {failure.message}"
            for failure in skipped
            if failure.target == side.target and failure.point in ("", side.point)
        )
        found += [f"{side.target}: {reason}" + (f" ({n} slots)" if n > 1 else "") for reason, n in counts.items()]
    return "; ".join(dict.fromkeys(found))
