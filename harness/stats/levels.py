"""The sides' levels in each window: what every side costs, freed of what the machine did meanwhile.

Slice after slice, ln y = level of the side + state of the machine + noise. The state stays for some tenths of a second
and then jumps, so the difference of two *neighbouring* slices of different sides is free of it but for the few that a
jump falls between. The levels are the robust regression of all these differences on the sides: squares up to ``SOFT``,
absolute values beyond (scipy's ``soft_l1``), so that jumps count for little. Every side helps to compare any two.

Against the median over rounds of ln(A / B), whose two slices lie up to a round apart, sd of a block's d in 10⁻³:

===================================================  =================  ==========
live on a machine whose CPUs change their speed      median of rounds   neighbours
===================================================  =================  ==========
3 sides, 11 rounds: FastAPI, Flask, Django           20, 21, 25         17, 20, 22
8 sides, 11 rounds: like apps, unlike apps           62, 74             40, 48
===================================================  =================  ==========

===================================================  =================  ==========
simulated, noise of 2% a slice and …                 median of rounds   neighbours
===================================================  =================  ==========
nothing else: 2 sides 33 rounds; 8 sides 8 rounds    6.3, 11.5          5.4, 11.9
15% of the slices half as long again: the same       8.3, 37            8.4, 36
speed changes by 1.7 in 15% of the slices: the same  8.4, 66            6.9, 17
40 sides 5 rounds: nothing else; speed changes       16, 200            17, 28
===================================================  =================  ==========

A fixed loop timed on the server's CPU before and after each slice shows its speed too coarsely to help: with it as a
covariate the median's 27 became 30.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import least_squares

from harness.model import Side
from harness.stats.interval import FloatArray

SOFT = 0.02
"""Differences of ln y up to about here are noise, and beyond it mostly the machine's. From 0.01 to 0.04 the sd of a
block's d changes by 2%.
"""


@dataclass(frozen=True, slots=True)
class Levels:
    """Of every window, the levels of its sides.

    Attributes:
        blocks: the block of each window.
        columns: side → ln of its level in each window, NaN where it has none. Within a window, only the differences
            between levels count; their common height is that of the sides' medians.
    """

    blocks: NDArray[np.int64]
    columns: Mapping[Side, FloatArray]


def window_levels(slices: pd.DataFrame, column: str) -> Levels:
    """The levels of all sides in all windows.

    Args:
        slices: a row per slice, those of a window in order of time.
        column: what is compared; a slice in which it is NaN is skipped.
    """
    known = slices.dropna(subset=[column])
    grouped = known.groupby(["target", "point"], sort=False)
    sides, values = grouped.ngroup().to_numpy(), np.log(known[column].to_numpy(dtype=np.float64))
    windows, blocks = known.groupby(["block", "window"], sort=True).ngroup().to_numpy(), known["block"].to_numpy()
    rows = [np.flatnonzero(windows == window) for window in np.unique(windows)]
    table = np.full((len(rows), grouped.ngroups), np.nan)
    for row, where in zip(table, rows, strict=True):
        present, side = np.unique(sides[where], return_inverse=True)
        row[present] = levels(side, values[where])
    names = [Side(str(target), str(point)) for target, point in grouped.first().index]
    return Levels(blocks[[where[0] for where in rows]], dict(zip(names, table.T, strict=True)))


def levels(side: NDArray[np.intp], values: FloatArray) -> FloatArray:
    """The level of each side, 0 … n − 1, from one window's slices in order of time."""
    sides = int(side.max()) + 1
    medians = np.array([np.median(values[side == each]) for each in range(sides)])
    changes = np.flatnonzero(side[1:] != side[:-1])
    step = np.arange(changes.size)
    design = np.zeros((changes.size, sides))
    design[step, side[changes + 1]] = 1
    design[step, side[changes]] = -1
    # Slices in a row connect all sides with each other; the first one's level is free, and the others counted from it.
    relative = np.zeros(sides)
    if sides > 1:
        steps = values[changes + 1] - values[changes]
        relative[1:] = _fit(design[:, 1:], steps, medians[1:] - medians[0])
    return relative + np.mean(medians - relative)


def _fit(design: FloatArray, steps: FloatArray, start: FloatArray) -> FloatArray:
    """The x for which ``design @ x`` is nearest to ``steps``."""

    def residuals(x: FloatArray) -> FloatArray:
        return design @ x - steps

    def jacobian(x: FloatArray) -> FloatArray:
        return design

    solution: FloatArray = least_squares(residuals, start, jac=jacobian, loss="soft_l1", f_scale=SOFT).x
    return solution
