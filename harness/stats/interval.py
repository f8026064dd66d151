"""t intervals over blocks, for one contrast or, over leading axes, for many at once; and between two sets of blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from harness.stats.estimate import Estimate

FloatArray = NDArray[np.float64]

CELL_ALPHA = 0.05
"""Absolute values are shown with their 95% interval; nothing is decided by it."""

MAX_AUTOCORRELATION = 0.6
PRIOR_BLOCKS = 3
"""The estimated autocorrelation is drawn towards none as if by so many blocks without any."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Mean, two-sided interval and p-value of mean = 0; each an array of the leading axes' shape."""

    mean: FloatArray
    low: FloatArray
    high: FloatArray
    p_value: FloatArray


def t_interval(values: ArrayLike, alpha: float, *, autocorrelation: ArrayLike = 0.0) -> Interval:
    """Student's t interval of the mean along the last axis, at level 1 − ``alpha``.

    Where every value is the same the interval is that value and p is 0 (or 1, if the value is 0).

    Args:
        values: shape (…, n); n of at least 2.
        autocorrelation: of AR(1) between neighbouring values; widens the interval by ``variance_inflation`` and
            ``degrees_of_freedom``.
    """
    data = np.asarray(values, dtype=np.float64)
    n = data.shape[-1]
    if n < 2:
        raise ValueError(f"an interval needs two values or more, not {n}")
    mean = data.mean(axis=-1)
    sd = data.std(axis=-1, ddof=1)
    # Rounding of the mean gives equal values a spread, and squares of tiny ones vanish: either way there is none.
    constant = (np.ptp(data, axis=-1) == 0) | (sd == 0)
    error = np.where(constant, 0.0, sd) * np.sqrt(variance_inflation(autocorrelation, n) / n)
    return _around(mean, error, degrees_of_freedom(autocorrelation, n), alpha)


def welch_interval(
    new: FloatArray, base: FloatArray, alpha: float, *, autocorrelation: float = 0.0, run_effect: bool = False
) -> Interval:
    """mean(new) − mean(base), two-sided at level 1 − ``alpha``; each of at least two values.

    Args:
        autocorrelation: of AR(1) between neighbouring blocks of one run.
        run_effect: takes each run for one draw from what a machine is like, as far from another as one block is from
            another. Absolute values need it: what changes between two runs is not in the spread within either.
    """
    parts = []
    for values in (new, base):
        spread = float(values.var(ddof=1)) * float(variance_inflation(autocorrelation, values.size))
        part = spread / values.size + (spread if run_effect else 0.0)
        parts.append((part, float(degrees_of_freedom(autocorrelation, values.size))))
    variance = sum(part for part, _ in parts)
    freedom = variance**2 / sum(part**2 / free for part, free in parts) if variance else 1.0
    return _around(new.mean() - base.mean(), np.sqrt(variance), freedom, alpha)


def pooled_interval(new: FloatArray, base: FloatArray, alpha: float) -> Interval:
    """The same of two sets that vary alike: Student's, with the freedom of both; three values or more in all.

    Of a few values each, Welch's has the freedom of little more than one of them.
    """
    freedom = new.size + base.size - 2
    squares = sum(float(((values - values.mean()) ** 2).sum()) for values in (new, base))
    error = np.sqrt(squares / freedom * (1 / new.size + 1 / base.size))
    return _around(new.mean() - base.mean(), error, freedom, alpha)


def _around(mean: ArrayLike, error: ArrayLike, freedom: ArrayLike, alpha: float) -> Interval:
    """Student's interval and two-sided p-value of means with these standard errors."""
    means, errors = np.asarray(mean), np.asarray(error)
    half = t_quantile(1 - alpha / 2, freedom) * errors
    statistic = means / np.where(errors == 0, 1.0, errors)
    p_spread = 2 * special.stdtr(np.asarray(freedom, dtype=np.float64), -np.abs(statistic))
    p_value = np.where(errors == 0, np.where(means == 0, 1.0, 0.0), p_spread)
    return Interval(means, means - half, means + half, p_value)


def t_quantile(probability: float, freedom: ArrayLike) -> FloatArray:
    """Of Student's t. The special function itself: to import ``scipy.stats`` takes longer than a server's start."""
    return np.asarray(special.stdtrit(np.asarray(freedom, dtype=np.float64), probability), dtype=np.float64)


def variance_inflation(autocorrelation: ArrayLike, n: ArrayLike) -> FloatArray:
    """By how much s²/n understates the variance of the mean of n values of an AR(1) series.

    Exact for a known coefficient φ below 1: V(n − 1)/(n − V) with V = 1 + 2 Σ (1 − k/n) φᵏ over k = 1…n − 1.
    """
    phi, count = np.asarray(autocorrelation, dtype=np.float64), np.asarray(n, dtype=np.float64)
    v = 1 + 2 * (phi / (1 - phi) - phi * (1 - phi**count) / (count * (1 - phi) ** 2))
    inflation: FloatArray = np.asarray(v * (count - 1) / (count - v))
    return inflation


def degrees_of_freedom(autocorrelation: ArrayLike, n: ArrayLike) -> FloatArray:
    """Of s² from n values of an AR(1) series: (n − 1)(1 − φ²)/(1 + φ²), as neighbours repeat each other in part."""
    square = np.asarray(autocorrelation, dtype=np.float64) ** 2
    freedom: FloatArray = np.asarray((np.asarray(n) - 1) * (1 - square) / (1 + square))
    return freedom


def pooled_autocorrelation(series: Iterable[ArrayLike]) -> FloatArray:
    """Lag-1 autocorrelation of block values, estimated over all contrasts of a run together.

    One contrast has too few blocks for it; the run has many contrasts, and what would tie neighbouring blocks (the
    machine's state) is common to them. Each contrast's coefficient is corrected for its bias of −(1 + 4φ)/n, the mean
    is weighted by n, cut to 0…0.6 and shrunk by ``PRIOR_BLOCKS``.

    Simulated: one contrast without a difference among others with one, five looks at 1%, noise too large for "same";
    called different, without this correction → with it, in a run of 1, 4, 8 and 20 contrasts:

    ==============  ======  =================================
    AR(1) of 0.3    13.7%   7.8%, 5.4%, 4.1%, 3.1%
    AR(1) of 0.2    9.1%    5.6%, 4.7%, 3.9%, 3.3%
    no correlation  3.6%    2.6%, 2.6%, 2.8%, 3.0%
    ==============  ======  =================================

    So a run with a single noisy contrast stays above 5% if its blocks are correlated that much.

    Args:
        series: arrays of shape (…, n), in block order; leading axes, if any, are alike. Fewer than 5 values or no
            spread: left out.
    """
    total: FloatArray = np.zeros(())
    weight: FloatArray = np.zeros(())
    for one in series:
        data = np.asarray(one, dtype=np.float64)
        n = data.shape[-1]
        if n < 5:
            continue
        residual = data - data.mean(axis=-1, keepdims=True)
        power = np.sum(residual**2, axis=-1)
        usable = (np.ptp(data, axis=-1) > 0) & (power > 0)
        lagged = np.sum(residual[..., 1:] * residual[..., :-1], axis=-1) / np.where(usable, power, 1.0)
        total = total + np.where(usable, n * (lagged + 1 / n) / (1 - 4 / n), 0.0)
        weight = weight + np.where(usable, float(n), 0.0)
    mean = np.clip(total / np.maximum(weight, 1.0), 0.0, MAX_AUTOCORRELATION)
    shrunk: FloatArray = np.asarray(mean * weight / (weight + PRIOR_BLOCKS))
    return shrunk


def estimate(values: ArrayLike) -> Estimate | None:
    """A positive quantity over blocks: geometric mean and 95% t interval on the logarithm; ``None`` without blocks."""
    data = np.asarray(values, dtype=np.float64)
    if data.size < 2:
        return mean_estimate(data) if data.size else None
    return mean_estimate(np.log(data), back=np.exp)


def mean_estimate(values: ArrayLike, alpha: float = CELL_ALPHA, back: Callable[[float], float] = float) -> Estimate:
    """The mean of at least one value and, of two or more, its t interval, taken ``back`` from the values' scale."""
    data = np.asarray(values, dtype=np.float64)
    if data.size < 2:
        return Estimate(float(back(float(data.mean()))), None, None, data.size)
    interval = t_interval(data, alpha)
    value, low, high = (float(back(float(each))) for each in (interval.mean, interval.low, interval.high))
    return Estimate(value, low, high, data.size)
