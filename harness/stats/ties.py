"""Tie groups by throughput within a point: one letter per target, in place of a rank.

From the best throughput down, the first target without a letter opens a group, and every later one without a letter
whose paired block values show no difference from the opener's joins it. So each target is in the group of the best
opener that it is not shown to differ from, and a target of group B need not differ from every one of A. No two targets
share a group if their declared contrast is decided as different; other pairs of a group may still differ. A difference
that is real but smaller than the margin does not count.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.model import Point, Side
from harness.stats.estimate import DIFFERENT
from harness.stats.interval import FloatArray, pooled_autocorrelation, t_interval
from harness.stats.levels import Levels
from harness.stats.looks import ALPHA, FAMILY_ALPHA, MIN_BLOCKS
from harness.stats.ratio import SliceData, centre, stepped
from harness.stats.verdict import adjust, classify


def tie_groups(
    tables: SliceData,
    points: Sequence[Point],
    throughput: Mapping[Side, float],
    *,
    margin: float,
    decided: Collection[frozenset[Side]] = (),
) -> dict[Side, str]:
    """The letter of every side that has a throughput, which is in replies per second.

    Two targets differ where a contrast between them would show it, with Benjamini–Hochberg over the point's pairs.
    Pairs with fewer than three common blocks do not.

    Args:
        decided: pairs whose declared contrast is decided as different.
    """
    letters: dict[Side, str] = {}
    compared: list[tuple[list[Side], tuple[NDArray[np.intp], NDArray[np.intp]], FloatArray]] = []
    for point in points:
        ranked = sorted((side for side in throughput if side.point == point.id), key=lambda side: -throughput[side])
        if not ranked:
            continue
        pairs = np.triu_indices(len(ranked), 1)
        if stepped(ranked[0], points):
            rounds = tables.rounds("throughput")[[(side.target, side.point) for side in ranked]]
            values = _trimmed_means(rounds.map(math.log), *pairs)
        else:
            values = _log_ratios(tables.levels("throughput"), ranked, *pairs)
        compared.append((ranked, pairs, values))
    # Over the whole run, as for its contrasts: the pairs of one point have too few blocks of their own for it.
    phi = pooled_autocorrelation(row[np.isfinite(row)] for *_, values in compared for row in values)
    for ranked, pairs, values in compared:
        unequal = _distinguishable(values, pairs, float(np.log1p(margin)), phi)
        groups: list[list[int]] = []
        for index, side in enumerate(ranked):
            differs = [frozenset((other, side)) in decided for other in ranked]
            fitting = (group for group in groups if not unequal[group[0], index] and not any(differs[k] for k in group))
            group = next(fitting, [])
            if not group:
                groups.append(group)
            group.append(index)
            letters[side] = letter(groups.index(group))
    return letters


def letter(index: int) -> str:
    """A…Z, AA, AB, …"""
    text, number = "", index + 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(ord("A") + rest) + text
    return text


def _distinguishable(
    values: FloatArray, pairs: tuple[NDArray[np.intp], NDArray[np.intp]], delta: float, phi: FloatArray
) -> NDArray[np.bool_]:
    """Symmetric matrix over the sides, from d of each pair (rows) in each block (columns), NaN where it has none."""
    first, second = pairs
    sides = int(second.max(initial=0)) + 1
    counts = np.isfinite(values).sum(axis=1)
    series = {n: values[counts == n] for n in np.unique(counts) if n >= MIN_BLOCKS}
    packed = {n: rows[np.isfinite(rows)].reshape(-1, n) for n, rows in series.items()}
    intervals = {n: t_interval(rows, ALPHA, autocorrelation=phi) for n, rows in packed.items()}
    low, high, p_value = (np.full(first.size, fill) for fill in (-np.inf, np.inf, np.nan))
    for n, interval in intervals.items():
        low[counts == n], high[counts == n], p_value[counts == n] = interval.low, interval.high, interval.p_value
    tested = np.isfinite(p_value)
    significant = np.zeros(first.size, dtype=bool)
    significant[tested] = adjust(p_value[tested]) <= FAMILY_ALPHA
    clear = np.isin(classify(low, high, significant, delta), list(DIFFERENT))
    matrix = np.zeros((sides, sides), dtype=bool)
    matrix[first[clear], second[clear]] = matrix[second[clear], first[clear]] = True
    return matrix


def _log_ratios(levels: Levels, sides: Sequence[Side], first: NDArray[np.intp], second: NDArray[np.intp]) -> FloatArray:
    """d of each pair (rows) in each block (columns); NaN where no window holds both."""
    height = np.array([levels.columns[side] for side in sides])
    logs = pd.DataFrame((height[first] - height[second]).T).groupby(levels.blocks, sort=True).mean()
    values: FloatArray = logs.to_numpy().T
    return values


def _trimmed_means(logs: pd.DataFrame, first: NDArray[np.intp], second: NDArray[np.intp]) -> FloatArray:
    """The same from ln throughput by block, window and round: the trimmed mean over rounds that hold both."""
    blocks = logs.index.get_level_values("block").to_numpy()
    block_ids = np.unique(blocks)
    values = np.full((first.size, block_ids.size), np.nan)
    for column, block in enumerate(block_ids):
        here: FloatArray = logs.to_numpy()[blocks == block]
        for rows in _complete_rows(here):
            present: NDArray[np.bool_] = np.isfinite(rows[0])
            pairs = np.flatnonzero(present[first] & present[second])
            d = rows[:, first[pairs]] - rows[:, second[pairs]]
            values[pairs, column] = centre(d, trimmed=True)
    return values


def _complete_rows(rounds: FloatArray) -> list[FloatArray]:
    """Rounds grouped by the sides that they hold: one window's whole rounds are one group.

    The largest group comes last, so that its values count where a pair is in several.
    """
    usable = rounds[np.isfinite(rounds).sum(axis=1) >= 2]
    if not len(usable):
        return []
    patterns, which = np.unique(np.isfinite(usable), axis=0, return_inverse=True)
    groups = [usable[which.ravel() == index] for index in range(len(patterns))]
    return sorted(groups, key=len)
