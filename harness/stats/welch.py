"""Two independent sets of block values: intervals of the difference of their means."""

from __future__ import annotations

import numpy as np

from harness.stats.interval import (
    FloatArray,
    Interval,
    degrees_of_freedom,
    t_p_value,
    t_quantile,
    variance_inflation,
)


def welch_interval(
    new: FloatArray, base: FloatArray, alpha: float, *, autocorrelation: float = 0.0, run_effect: bool = False
) -> Interval:
    """mean(new) − mean(base), two-sided at level 1 − ``alpha``; each of at least two values.

    Args:
        autocorrelation: of AR(1) between neighbouring blocks of one run.
        run_effect: takes each run for one draw from what a machine is like, as far from another as one block is from
            another. Absolute values need it: what changes between two runs is not in the spread within either.
    """
    parts = [_variance(values, autocorrelation, run_effect) for values in (new, base)]
    variance = sum(part for part, _ in parts)
    mean = np.asarray(new.mean() - base.mean())
    if variance == 0:
        return Interval(mean, mean, mean, np.asarray(1.0 if mean == 0 else 0.0))
    freedom = variance**2 / sum(part**2 / free for part, free in parts)
    error = np.sqrt(variance)
    half = t_quantile(1 - alpha / 2, freedom) * error
    p_value = t_p_value(mean / error, freedom)
    return Interval(mean, np.asarray(mean - half), np.asarray(mean + half), p_value)


def pooled_interval(new: FloatArray, base: FloatArray, alpha: float) -> Interval:
    """The same of two sets that vary alike: Student's, with the freedom of both; three values or more in all.

    Of a few values each, Welch's has the freedom of little more than one of them.
    """
    freedom = new.size + base.size - 2
    squares = sum(float(((values - values.mean()) ** 2).sum()) for values in (new, base))
    error = np.sqrt(squares / freedom * (1 / new.size + 1 / base.size))
    mean = np.asarray(new.mean() - base.mean())
    if error == 0:
        return Interval(mean, mean, mean, np.asarray(1.0 if mean == 0 else 0.0))
    half = t_quantile(1 - alpha / 2, freedom) * error
    p_value = t_p_value(mean / error, freedom)
    return Interval(mean, np.asarray(mean - half), np.asarray(mean + half), p_value)


def _variance(values: FloatArray, autocorrelation: float, run_effect: bool) -> tuple[float, float]:
    n = values.size
    spread = float(values.var(ddof=1)) * float(variance_inflation(autocorrelation, n))
    return spread / n + (spread if run_effect else 0.0), float(degrees_of_freedom(autocorrelation, n))
