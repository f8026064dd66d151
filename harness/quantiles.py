"""Exact percentiles: each is one of the samples (nearest rank), pooled and never averaged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

PER_MILLE: Mapping[str, int] = {"p50": 500, "p90": 900, "p99": 990, "p999": 999, "max": 1000}


def percentiles(samples: Iterable[npt.NDArray[np.float64]]) -> dict[str, float]:
    """``p50 p90 p99 p999 max`` of all the samples together; empty without samples."""
    parts = [part for part in samples if part.size]
    if not parts:
        return {}
    together = np.sort(np.concatenate(parts))
    return {name: float(together[-(-together.size * share // 1000) - 1]) for name, share in PER_MILLE.items()}
