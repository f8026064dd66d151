"""Each block's value for a contrast and for a side.

The centre over rounds is the median, as noise is of the kind that hits some slices hard. Simulated with 33 rounds of
two sides, sd of a block's d in 10⁻³: ordinary noise of 2% per slice: median 6.1, mean 5.0, 20% trimmed mean 5.3,
Hodges–Lehmann 5.1, pooled totals 5.0; with stalls of 50% in 15% of the slices: 8.4 against 67, 12, 10 and 181; with
a fifth of the slices at twice the cost: 9.5 against 68, 54, 32 and 81. So the median costs a fifth in a
quiet run, and is several times better in the worst one. It does not see a cost that falls on the fewer of the slices
and on one side only (a garbage collection in a tenth of them, say).

Throughput that comes in few steps is the exception: where all connections wait alike, replies arrive in batches of
the concurrency, and the median over rounds sticks to a step. Simulated at 64 connections and 20 ms of wait: of a true
difference of 1% the median missed 0.98% with a sd of 0.4%, of 3% it missed 2.6%; the 10% trimmed mean missed 0.02% and
0.06% with a sd of 1.2%. There the centre is that trimmed mean, which can still be out by 0.4% on few, lopsided steps of
5%. Which one is used depends on the wait declared and the counts, not on the outcome, and is the same for all blocks.

A target that is up twice, for the A/A control, stands in every contrast with both: d is the mean of the two centres.
Not the centre of the two costs' mean, which leans to the side that is up twice where noise only ever adds. Live, three
sides in turn, 22 rounds, sd of a block's d: FastAPI 0.013 against 0.016 without the twin, Flask 0.014 and 0.016, Django
0.008 and 0.012.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from harness.analyse.interval import FloatArray
from harness.model import Contrast, Metric, Point, Side, Target

FEW_REPLIES = 200
"""Replies per slice below which a throughput counts as coming in few steps."""
TRIM = 0.1

COLUMN: Mapping[Metric, str] = {"cpu_cost": "cpu_us", "throughput": "rps"}


@dataclass(frozen=True, slots=True)
class BlockValues:
    """A contrast's values, one per block in which both sides were measured in the same round at least once.

    Attributes:
        log_ratio: d = centre over rounds of ln(A / B), where a side has a twin: the mean of both centres.
        difference: the same of A − B, in µs or replies per second.
    """

    blocks: tuple[int, ...]
    log_ratio: FloatArray
    difference: FloatArray


def centre(values: FloatArray, *, stepped: bool = False) -> FloatArray:
    """Along the first axis: the median; for quantities that come in few steps, the 10% trimmed mean."""
    if not stepped:
        return np.asarray(np.median(values, axis=0))
    cut = int(TRIM * len(values))
    kept: FloatArray = np.sort(values, axis=0)[cut : len(values) - cut]
    return np.asarray(kept.mean(axis=0))


def wide(slices: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    """Rows (block, slot, round), columns (target, point); NaN where a side has no number in a round."""
    column = COLUMN[metric]
    return slices.pivot_table(index=["block", "slot", "round"], columns=["target", "point"], values=column, sort=True)


def stepped_sides(slices: pd.DataFrame, points: Sequence[Point]) -> frozenset[Side]:
    """Sides whose throughput comes in few steps: points with a wait, and few replies per slice."""
    waits = {point.id for point in points if point.wait_s > 0}
    grouped = slices.groupby(["target", "point"], sort=False)["window_replies"]
    return frozenset(
        Side(str(target), str(point))
        for (target, point), counts in grouped
        if point in waits or counts.median() < FEW_REPLIES
    )


def contrast_values(
    slices: pd.DataFrame, contrasts: Sequence[Contrast], points: Sequence[Point], twins: Sequence[Target] = ()
) -> dict[str, BlockValues]:
    """The block values of every contrast, by id; of none, where its sides never met in a round.

    Args:
        twins: targets that stand for those that they repeat, except in the control itself.
    """
    tables = {metric: wide(slices, metric) for metric in COLUMN}
    stepped = stepped_sides(slices, points)
    return {
        contrast.id: _values(
            tables[contrast.metric],
            _pairs(contrast, twins),
            stepped=contrast.metric == "throughput" and not stepped.isdisjoint((contrast.a, contrast.b)),
        )
        for contrast in contrasts
    }


def _pairs(contrast: Contrast, twins: Sequence[Target]) -> list[tuple[Side, Side]]:
    """The sides that stand for the contrast's two: each, and its twin."""
    names = [
        [side.target, *(twin.name for twin in twins if twin.twin_of == side.target)]
        for side in (contrast.a, contrast.b)
    ]
    if not set(names[0]).isdisjoint(names[1]):
        return [(contrast.a, contrast.b)]
    return [(Side(a, contrast.a.point), Side(b, contrast.b.point)) for a, b in product(*names)]


def absolute_values(slices: pd.DataFrame, points: Sequence[Point], metric: Metric) -> dict[Side, FloatArray]:
    """Each side's value per block: the centre over its slices, in µs per reply or replies per second."""
    stepped = stepped_sides(slices, points) if metric == "throughput" else frozenset()
    values: dict[Side, list[FloatArray]] = {}
    known = slices.dropna(subset=[COLUMN[metric]])
    for (target, point, _), rows in known.groupby(["target", "point", "block"], sort=True):
        side = Side(str(target), str(point))
        values.setdefault(side, []).append(centre(rows[COLUMN[metric]].to_numpy(), stepped=side in stepped))
    return {side: np.asarray(each) for side, each in values.items()}


def _values(table: pd.DataFrame, pairs: Sequence[tuple[Side, Side]], *, stepped: bool) -> BlockValues:
    """A block counts if the declared pair, the first, met in it."""
    declared, *others = (_centres(table, a, b, stepped=stepped) for a, b in pairs)
    means = [
        np.mean([centres, *(other[block] for other in others if block in other)], axis=0)
        for block, centres in declared.items()
    ]
    both = np.asarray(means).reshape(-1, 2)
    return BlockValues(tuple(declared), both[:, 0], both[:, 1])


def _centres(table: pd.DataFrame, a_side: Side, b_side: Side, *, stepped: bool) -> dict[int, tuple[float, float]]:
    """Block → centres of ln(A / B) and of A − B over the rounds in which both sides have a number."""
    a_key, b_key = (a_side.target, a_side.point), (b_side.target, b_side.point)
    if a_key not in table.columns or b_key not in table.columns:
        return {}
    a, b = table[a_key].to_numpy(), table[b_key].to_numpy()
    both = np.isfinite(a) & np.isfinite(b)
    a, b = a[both], b[both]
    blocks = table.index.get_level_values("block").to_numpy()[both]
    found = {}
    for block in np.unique(blocks):
        rows = blocks == block
        logs, differences = np.log(a[rows] / b[rows]), a[rows] - b[rows]
        found[int(block)] = float(centre(logs, stepped=stepped)), float(centre(differences, stepped=stepped))
    return found
