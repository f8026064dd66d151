"""Exact percentiles: each is one of the samples (nearest rank), pooled and never averaged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

PER_MILLE: Mapping[str, int] = {"p50": 500, "p90": 900, "p99": 990, "p999": 999, "max": 1000}
BEYOND = 10
"""Samples that must lie beyond a percentile before its value is reported."""


def percentiles(samples: Iterable[npt.NDArray[np.float64]]) -> dict[str, float]:
    """``p50 p90 p99 p999 max`` of all the samples together; empty without samples."""
    parts = [part for part in samples if part.size]
    if not parts:
        return {}
    together = np.sort(np.concatenate(parts))
    return {name: nearest_rank(together, per_mille) for name, per_mille in PER_MILLE.items()}


def nearest_rank(ascending: npt.NDArray[np.float64], per_mille: int) -> float:
    """The least sample at or below which that share of all lies."""
    return float(ascending[-(-ascending.size * per_mille // 1000) - 1])


def class_percentiles(samples: npt.NDArray[np.float64]) -> dict[str, float]:
    """The same of one class of requests, with their ``count``."""
    return {"count": float(samples.size), **percentiles([samples])}
