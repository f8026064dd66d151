"""Latencies that crossed a network: an HDR histogram of three significant digits, with exact count, sum and extremes.

Histograms add up without loss, so percentiles of all workers together are those of their samples put together, within
the histogram's precision: half a bucket, 1/2048 of a value at most. Mean and extremes are exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from hdrh.histogram import HdrHistogram

from harness.load.spec import FloatArray

NS_PER_US = 1000.0
HIGHEST_NS = 3_600_000_000_000
DIGITS = 3
_HALF_BITS = 10
"""log2 of half of the sub-buckets that three digits need."""

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Distribution:
    """Latencies in microseconds.

    Attributes:
        encoded: HDR histogram of nanoseconds, in the compressed V2 format.
        total: sum of all of them, exact, as are ``least`` and ``most``.
    """

    encoded: bytes
    count: int
    total: float
    least: float
    most: float

    def values(self) -> tuple[FloatArray, Counts]:
        """Middle of every bucket that is in use, in microseconds, ascending, and how many lie in it."""
        counts = _counts(HdrHistogram.decode(self.encoded, b64_wrap=False))
        used = np.flatnonzero(counts)
        return np.clip(_middle_ns(used) / NS_PER_US, self.least, self.most), counts[used]

    def quantiles(self, shares: Sequence[float]) -> list[float]:
        """The least value at or below which that share of all lies, for each of ``shares``."""
        values, counts = self.values()
        ranks = np.maximum(1, np.ceil(np.round(np.asarray(shares) * self.count, 9))).astype(np.int64)
        return [float(value) for value in values[np.searchsorted(np.cumsum(counts), ranks)]]

    def samples(self) -> FloatArray:
        """As many values as there were, each the middle of its bucket."""
        values, counts = self.values()
        return np.repeat(values, counts)


def distribution(samples: FloatArray | None) -> Distribution | None:
    """The distribution of samples in microseconds; ``None`` where there are none. Negative ones count as 0."""
    if samples is None or not len(samples):
        return None
    nanoseconds = np.clip(samples * NS_PER_US, 0, HIGHEST_NS).astype(np.int64)
    histogram = _histogram()
    counts = np.bincount(_indexes(nanoseconds), minlength=histogram.counts_len)
    _counts(histogram)[:] = counts
    used = np.flatnonzero(counts)
    histogram.set_internal_tacking_values(int(used[0]), int(used[-1]), len(samples))
    return Distribution(
        histogram.encode(), len(samples), float(samples.sum()), float(samples.min()), float(samples.max())
    )


def merged(parts: Iterable[Distribution | None]) -> Distribution | None:
    """All of them together; ``None`` where there is none."""
    present = [part for part in parts if part is not None]
    if not present:
        return None
    histogram = _histogram()
    for part in present:
        histogram.decode_and_add(part.encoded)
    return Distribution(
        histogram.encode(),
        sum(part.count for part in present),
        sum(part.total for part in present),
        min(part.least for part in present),
        max(part.most for part in present),
    )


def _histogram() -> HdrHistogram:
    return HdrHistogram(1, HIGHEST_NS, DIGITS, b64_wrap=False)


def _counts(histogram: HdrHistogram) -> Counts:
    """The histogram's own counters, as an array that shares their memory."""
    return np.ctypeslib.as_array(histogram.counts).view(np.int64)


def _indexes(nanoseconds: Counts) -> Counts:
    bucket = np.maximum(0, np.frexp(nanoseconds.astype(np.float64))[1] - (_HALF_BITS + 1))
    return np.asarray(((bucket + 1) << _HALF_BITS) + (nanoseconds >> bucket) - (1 << _HALF_BITS), np.int64)


def _middle_ns(indexes: Counts) -> FloatArray:
    half = 1 << _HALF_BITS
    bucket = (indexes >> _HALF_BITS) - 1
    within = (indexes & (half - 1)) + np.where(bucket < 0, 0, half)
    size = 1 << np.maximum(bucket, 0)
    return np.asarray(within * size + (size - 1) / 2, np.float64)
