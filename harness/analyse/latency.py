"""Exact percentiles from every sample of a side: pooled, never averaged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from harness.analyse.interval import FloatArray

PER_MILLE: Mapping[str, int] = {"p50": 500, "p90": 900, "p99": 990, "p999": 999, "max": 1000}


def percentiles(samples: Iterable[FloatArray]) -> dict[str, float]:
    """``p50 p90 p99 p999 max`` of all the samples together, each one of them (nearest rank); empty without samples."""
    parts = [part for part in samples if part.size]
    if not parts:
        return {}
    together = np.sort(np.concatenate(parts))
    return {name: float(together[-(-together.size * share // 1000) - 1]) for name, share in PER_MILLE.items()}
