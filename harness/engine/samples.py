"""The times that a load notes: one by one at first, then in a histogram, so that a long load needs no more memory."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import numpy as np

from harness.model.load import FloatArray, Latencies
from harness.model.units import US

BATCH = 65536
"""At most so many times go into a histogram at once: some milliseconds in which nothing is sent."""


if TYPE_CHECKING:
    Doubles = array[float]
else:
    Doubles = array


class Samples(Doubles):
    """Seconds, to which a load appends.

    Attributes:
        folded: those that are in a histogram already, in microseconds; within ``Latencies``' precision.
    """

    folded: Latencies | None = None

    def __new__(cls) -> Samples:
        return super().__new__(cls, "d")  # type: ignore[return-value]

    @property
    def total(self) -> int:
        """How many there were in all."""
        return len(self) + (0 if self.folded is None else self.folded.count)

    def fold(self, keep: int) -> None:
        """Put the newest of those past ``keep`` into the histogram, at most ``BATCH``."""
        newest = Latencies.of(taken(self, keep) * US)
        if newest is not None:
            self.folded = Latencies.merge([self.folded, newest.histogram()])

    def latencies(self) -> Latencies | None:
        """All of them."""
        return Latencies.merge([Latencies.of(floats(self) * US), self.folded])


def taken(values: array[float], keep: int) -> FloatArray:
    """Remove the newest of ``values`` past ``keep``, at most ``BATCH``, but for the very last, which progress shows."""
    count = min(len(values) - keep, BATCH)
    if count <= 0:
        return np.empty(0)
    newest = np.array(values[-count - 1 : -1])
    del values[-count - 1 : -1]
    return newest


def floats(values: array[float]) -> FloatArray:
    """A copy of ``values``, since an array that is viewed cannot grow."""
    return np.array(values, dtype=np.float64)
