"""Tie groups by throughput within a point: one letter per target, in place of a rank.

From the best throughput down, the first target without a letter opens a group, and every later one without a letter
that its paired block values do not tell apart from the opener joins it. So each target is in the group of the best
opener whom it cannot be told from; two members of one group may still differ from each other, and a target of group B
need not differ from every one of A.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from harness.analyse.interval import t_interval
from harness.analyse.looks import ALPHA, MIN_BLOCKS, Sequential
from harness.analyse.ratio import contrast_values
from harness.analyse.verdict import adjust
from harness.model import Contrast, Point, Side


def tie_groups(
    slices: pd.DataFrame, points: Sequence[Point], throughput: Mapping[Side, float], *, autocorrelation: float = 0.0
) -> dict[Side, str]:
    """The letter of every side that has a throughput, which is given in replies per second.

    Targets are told apart as contrasts are: significant over the looks, after Benjamini–Hochberg over the point's
    pairs. Pairs with fewer than three common blocks are not told apart.
    """
    letters: dict[Side, str] = {}
    for point in points:
        ranked = sorted((side for side in throughput if side.point == point.id), key=lambda side: -throughput[side])
        here = slices[slices["point"] == point.id]
        distinct = _told_apart(here, points, ranked, autocorrelation)
        openers: list[Side] = []
        for side in ranked:
            group = next((k for k, opener in enumerate(openers) if frozenset((opener, side)) not in distinct), None)
            if group is None:
                group = len(openers)
                openers.append(side)
            letters[side] = letter(group)
    return letters


def letter(index: int) -> str:
    """A…Z, AA, AB, …"""
    text = ""
    number = index + 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(ord("A") + rest) + text
    return text


def _told_apart(
    slices: pd.DataFrame, points: Sequence[Point], sides: Sequence[Side], autocorrelation: float
) -> set[frozenset[Side]]:
    pairs = list(combinations(sides, 2))
    contrasts = [Contrast(str(k), "pick", "throughput", a, b) for k, (a, b) in enumerate(pairs)]
    tested: list[frozenset[Side]] = []
    p_values: list[float] = []
    for pair, values in zip(pairs, contrast_values(slices, contrasts, points).values(), strict=True):
        if len(values.blocks) >= MIN_BLOCKS:
            tested.append(frozenset(pair))
            p_values.append(float(t_interval(values.log_ratio, ALPHA, autocorrelation=autocorrelation).p_value))
    significant = adjust(np.array(p_values)) <= Sequential().family_alpha
    return {pair for pair, clear in zip(tested, significant, strict=True) if clear}
