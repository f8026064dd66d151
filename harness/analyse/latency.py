"""Exact percentiles from every sample of a side: pooled, never averaged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from harness.analyse.interval import FloatArray

PERCENTILES: Mapping[str, float] = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p999": 99.9, "max": 100.0}


def percentiles(samples: Iterable[FloatArray]) -> dict[str, float]:
    """``p50 p90 p99 p999 max`` of all the samples together, each one of them (nearest rank); empty without samples."""
    parts = [part for part in samples if part.size]
    if not parts:
        return {}
    together = np.concatenate(parts)
    values = np.percentile(together, list(PERCENTILES.values()), method="inverted_cdf")
    return {name: float(value) for name, value in zip(PERCENTILES, values, strict=True)}
