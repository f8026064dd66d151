"""When each request of an open loop is to be sent; pure.

Times are in seconds from the beginning of the load, ascending, all below its duration.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from harness.engine.spec import Arrivals
from harness.model.load import FloatArray

PIECE = 4096
"""Requests that are planned at once: long loads are not planned whole."""


def constant_pieces(rate: float, duration: float) -> Iterator[FloatArray]:
    """A request every ``1 / rate`` seconds, from 0 on.

    Raises:
        ValueError: rate or duration is not above zero.
    """
    _check(rate, duration)
    for first in range(0, int(np.ceil(rate * duration)), PIECE):
        times = np.arange(first, min(first + PIECE, int(np.ceil(rate * duration)))) / rate
        yield times[times < duration]


def poisson_pieces(rate: float, duration: float, seed: int) -> Iterator[FloatArray]:
    """A Poisson process: independent exponential gaps with mean ``1 / rate``; the same for the same arguments.

    Raises:
        ValueError: rate or duration is not above zero.
    """
    _check(rate, duration)
    rng, last = np.random.default_rng(seed), 0.0
    while last < duration:
        times = last + np.cumsum(rng.exponential(1 / rate, PIECE))
        yield times[times < duration]
        last = float(times[-1])


def constant_schedule(rate: float, duration: float) -> FloatArray:
    """All of ``constant_pieces``."""
    return np.concatenate(list(constant_pieces(rate, duration)))


def poisson_schedule(rate: float, duration: float, seed: int) -> FloatArray:
    """All of ``poisson_pieces``."""
    return np.concatenate(list(poisson_pieces(rate, duration, seed)))


def schedule(arrivals: Arrivals, rate: float, duration: float, seed: int) -> FloatArray:
    """The schedule of either kind."""
    return constant_schedule(rate, duration) if arrivals == "constant" else poisson_schedule(rate, duration, seed)


def phased_pieces(arrivals: Arrivals, phases: Sequence[tuple[float, float]], seed: int) -> Iterator[FloatArray]:
    """One phase (rate, seconds) after the other, each with a seed of its own."""
    begins = 0.0
    for number, (rate, seconds) in enumerate(phases):
        constant = arrivals == "constant"
        for piece in constant_pieces(rate, seconds) if constant else poisson_pieces(rate, seconds, seed + number):
            yield begins + piece
        begins += seconds


def phased_schedule(arrivals: Arrivals, phases: Sequence[tuple[float, float]], seed: int) -> FloatArray:
    """All of ``phased_pieces``."""
    return np.concatenate(list(phased_pieces(arrivals, phases, seed)))


def shared(pieces: Iterator[FloatArray], share: int, shares: int) -> Iterator[list[float]]:
    """Every ``shares``-th time from the ``share``-th on; no piece is empty."""
    before = 0
    for piece in pieces:
        if mine := piece[(share - before) % shares :: shares].tolist():
            yield mine
        before += len(piece)


def _check(rate: float, duration: float) -> None:
    if not rate > 0 or not duration > 0 or not np.isfinite(rate * duration):
        raise ValueError(f"rate and duration must be above zero: {rate}, {duration}")
