"""Cost ladders: what each rung costs on top of the one below, and whether the steps add up. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise

import numpy as np
import pandas as pd

from harness.model import Failure, Ladder, Manifest, Reason, Rung, Side
from harness.results.frames import Frames
from harness.results.judge import Judged, compared_as
from harness.results.summary import Cell, Check, Compared, Estimate, LadderResult, LadderRung, LadderStep, Within
from harness.stats.looks import MIN_BLOCKS
from harness.stats.ratio import BlockValues, SliceData, level_differences, pair_means, round_differences
from harness.stats.verdict import judge, shown_interval


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two sides and their block values; ``halves`` are those of the even and of the odd rounds."""

    label: str
    a: Side
    b: Side
    within: Within
    values: BlockValues
    halves: tuple[BlockValues, BlockValues]

    @property
    def id(self) -> str:
        return f"cpu_cost:{self.a.id}/{self.b.id}"


def ladders(manifest: Manifest, frames: Frames, judged: Judged, cells: Sequence[Cell]) -> tuple[LadderResult, ...]:
    """The plan's ladders, in their order. Rungs without a number are skipped, with the reason.

    A step that is one of the run's contrasts has that contrast's verdict; the others are a family of their own.
    """
    costs = {Side(cell.target, cell.point): cell.cpu_us for cell in cells}
    reasons = {side: each[-1] for side, each in frames.reasons("cpu_cost").items()}
    climbed = []
    for ladder in manifest.plan.ladders:
        rungs = tuple(_rung(rung, costs, reasons, manifest.skipped) for rung in ladder.rungs)
        climbed.append((ladder, rungs, _pairs(frames.tables, rungs)))
    known = {contrast.id: contrast for contrast in judged.results if contrast.ratio is not None}
    others = {pair.id: pair.values.log_ratio for *_, pairs in climbed for pair in pairs if pair.id not in known}
    margin = judged.metric_margins["cpu_cost"]
    decisions = judge(others, dict.fromkeys(others, margin)) if others else {}

    def step_of(pair: _Pair) -> LadderStep:
        if contrast := known.get(pair.id):
            shared = {each.name: getattr(contrast, each.name) for each in fields(Compared)} | {"label": pair.label}
            return LadderStep(within=pair.within, contrast=contrast.id, **shared)
        compared = compared_as(decisions[pair.id], pair.values.difference)
        return LadderStep(a=pair.a, b=pair.b, label=pair.label, within=pair.within, margin=margin, **compared)

    return tuple(
        _result(ladder, rungs, pairs, [step_of(pair) for pair in pairs], margin) for ladder, rungs, pairs in climbed
    )


def _rung(
    rung: Rung, costs: Mapping[Side, Estimate | None], excluded: Mapping[Side, Reason], skipped: Sequence[Failure]
) -> LadderRung:
    cost = costs.get(rung.side) if rung.point else None
    reason = rung.reason
    if cost is None and reason is None:
        reason = excluded.get(rung.side, Reason("not-measured"))
    absent = next((failure for failure in skipped if failure.target == rung.target and not failure.point), None)
    if absent is not None:
        reason = absent.reason
    return LadderRung(rung.label, rung.target, rung.scenario, rung.point, cost, reason)


def _pairs(tables: SliceData, rungs: Sequence[LadderRung]) -> tuple[_Pair, ...]:
    """Each rung against the one below it, and with more than one such step the top against the bottom."""
    used = [place for place, rung in enumerate(rungs) if rung.cpu_us is not None]
    pairs = []
    for lower, upper in pairwise(used):
        label = ", ".join(rung.label for rung in rungs[lower + 1 : upper + 1])
        pairs.append(_pair(tables, label, rungs[upper], rungs[lower]))
    if len(pairs) > 1:
        pairs.append(_pair(tables, "top against bottom", rungs[used[-1]], rungs[used[0]]))
    return tuple(pairs)


def _pair(tables: SliceData, label: str, upper: LadderRung, lower: LadderRung) -> _Pair:
    a, b = Side(upper.target, upper.point), Side(lower.target, lower.point)
    columns = tables.rounds("cpu_cost")[[(a.target, a.point), (b.target, b.point)]]
    within: Within = "round" if columns.notna().all(axis=1).any() else "block"
    # Levels make the steps; even and odd rounds check their sum.
    odd = columns.index.get_level_values("round").to_numpy() % 2 == 1
    halves = _values(columns[~odd], a, b, within), _values(columns[odd], a, b, within)
    levels = pair_means([level_differences(tables.levels("cpu_cost"), a, b)])
    values = levels if within == "round" else _values(columns, a, b, within)
    return _Pair(label, a, b, within, values, halves)


def _values(columns: pd.DataFrame, a: Side, b: Side, within: Within) -> BlockValues:
    """Of each block: the median over rounds of A − B, or, by block, the difference of the medians."""
    if within == "block":
        columns = columns.groupby(level="block").median()
    return pair_means([round_differences(columns, a, b, trimmed=False)])


def _result(
    ladder: Ladder, rungs: tuple[LadderRung, ...], pairs: Sequence[_Pair], steps: Sequence[LadderStep], margin: float
) -> LadderResult:
    result = LadderResult(ladder.name, ladder.title, ladder.kind, rungs, tuple(steps))
    if len(pairs) < 2:
        return result
    *chain, direct = pairs
    total = np.asarray(list(_sums([pair.values for pair in chain]).values()))
    even, odd = _sums([pair.halves[0] for pair in chain]), _sums([direct.halves[1]])
    gap = np.asarray([even[block] - odd[block] for block in even if block in odd])
    added = replace(
        result,
        steps=tuple(steps[:-1]),
        direct=steps[-1],
        **shown_interval("total", total),
        **shown_interval("gap", gap),
    )
    top = next(rung.cpu_us.value for rung in reversed(rungs) if rung.cpu_us is not None)
    return replace(added, check=_check(added.gap_low, added.gap_high, margin * top, gap.size))


def _sums(steps: Sequence[BlockValues]) -> dict[int, float]:
    """Block → sum of the differences, of the blocks that every step has."""
    by_block = [dict(zip(step.blocks, step.difference, strict=True)) for step in steps]
    common = set(by_block[0]).intersection(*by_block[1:])
    return {block: float(sum(each[block] for each in by_block)) for block in sorted(common)}


def _check(low: float | None, high: float | None, tolerance: float, blocks: int) -> Check:
    if low is None or high is None or blocks < MIN_BLOCKS:
        return "not-checked"
    if -tolerance < low and high < tolerance:
        return "adds-up"
    return "within-interval" if low <= 0 <= high else "does-not-add-up"
