"""When each request of an open loop is to be sent; pure.

Times are in seconds from the beginning of the load, ascending, all below its duration.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.load.spec import Arrivals, FloatArray


def constant_schedule(rate: float, duration: float) -> FloatArray:
    """A request every ``1 / rate`` seconds, from 0 on.

    Raises:
        ValueError: rate or duration is not above zero.
    """
    _check(rate, duration)
    times = np.arange(int(np.ceil(rate * duration))) / rate
    return times[times < duration]


def poisson_schedule(rate: float, duration: float, seed: int) -> FloatArray:
    """A Poisson process: independent exponential gaps with mean ``1 / rate``; the same for the same arguments.

    Raises:
        ValueError: rate or duration is not above zero.
    """
    _check(rate, duration)
    rng = np.random.default_rng(seed)
    mean = rate * duration
    times = np.cumsum(rng.exponential(1 / rate, int(mean + 6 * np.sqrt(mean)) + 16))
    while times[-1] < duration:
        times = np.concatenate([times, times[-1] + np.cumsum(rng.exponential(1 / rate, 64))])
    return times[times < duration]


def schedule(arrivals: Arrivals, rate: float, duration: float, seed: int) -> FloatArray:
    """The schedule of either kind."""
    return constant_schedule(rate, duration) if arrivals == "constant" else poisson_schedule(rate, duration, seed)


def phased_schedule(arrivals: Arrivals, phases: Sequence[tuple[float, float]], seed: int) -> FloatArray:
    """One phase (rate, seconds) after the other, each with a seed of its own."""
    parts, begins = [], 0.0
    for number, (rate, seconds) in enumerate(phases):
        parts.append(begins + schedule(arrivals, rate, seconds, seed + number))
        begins += seconds
    return np.concatenate(parts)


def _check(rate: float, duration: float) -> None:
    if not rate > 0 or not duration > 0 or not np.isfinite(rate * duration):
        raise ValueError(f"rate and duration must be above zero: {rate}, {duration}")
