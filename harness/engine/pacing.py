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


def pieces(arrivals: Arrivals, phases: Sequence[tuple[float, float]], seed: int) -> Iterator[FloatArray]:
    """One phase (requests per second, seconds) after the other, each with a seed of its own.

    ``constant``: a request every ``1 / rate`` seconds, from 0 on; ``poisson``: exponential gaps of that mean.

    Raises:
        ValueError: a rate or a duration is not above zero.
    """
    begins = 0.0
    for number, (rate, seconds) in enumerate(phases):
        if not (rate > 0 and seconds > 0 and np.isfinite(rate * seconds)):
            raise ValueError(f"rate and duration must be above zero: {rate}, {seconds}")
        for piece in _constant(rate, seconds) if arrivals == "constant" else _poisson(rate, seconds, seed + number):
            yield begins + piece
        begins += seconds


def schedule(arrivals: Arrivals, phases: Sequence[tuple[float, float]], seed: int) -> FloatArray:
    """All of ``pieces``."""
    return np.concatenate(list(pieces(arrivals, phases, seed)))


def shared(pieces: Iterator[FloatArray], share: int, shares: int) -> Iterator[list[float]]:
    """Every ``shares``-th time from the ``share``-th on; no piece is empty."""
    before = 0
    for piece in pieces:
        if mine := piece[(share - before) % shares :: shares].tolist():
            yield mine
        before += len(piece)


def _constant(rate: float, duration: float) -> Iterator[FloatArray]:
    count = int(np.ceil(rate * duration))
    for first in range(0, count, PIECE):
        times = np.arange(first, min(first + PIECE, count)) / rate
        yield times[times < duration]


def _poisson(rate: float, duration: float, seed: int) -> Iterator[FloatArray]:
    rng, last = np.random.default_rng(seed), 0.0
    while last < duration:
        times = last + np.cumsum(rng.exponential(1 / rate, PIECE))
        yield times[times < duration]
        last = float(times[-1])
