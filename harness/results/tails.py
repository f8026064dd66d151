"""Percentiles of service times block by block, so that they have an interval like everything else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from harness.model import Reason, Side, side_faults
from harness.model.load import Samples
from harness.results.frames import Frames
from harness.stats.interval import FloatArray
from harness.stats.quantiles import BEYOND, PER_MILLE, nearest_rank


def percentiles_of(times: Mapping[int, FloatArray], name: str) -> dict[int, float]:
    """Block → the percentile ``name`` (``p50`` … ``p999``) of a side's times, of the blocks with enough replies."""
    values = {block: percentile(each, name) for block, each in times.items()}
    return {block: value for block, value in values.items() if value is not None}


def block_samples(frames: Frames, samples: Samples) -> dict[Side, dict[int, FloatArray]]:
    """Side → block → its service times in µs, ascending; of valid sides only."""
    parts: dict[Side, dict[int, list[FloatArray]]] = {}
    for record in frames.records:
        faults = side_faults(record)
        if len(faults) == len(record.sides):
            continue
        arrays = samples(record)
        for index, side in enumerate(record.sides):
            if side.side not in faults and index in arrays:
                parts.setdefault(side.side, {}).setdefault(record.block, []).append(arrays[index])
    return {side: {k: np.sort(np.concatenate(each)) for k, each in by.items()} for side, by in parts.items()}


def aligned(a: Mapping[int, float], b: Mapping[int, float]) -> FloatArray:
    """ln(a / b) of the blocks that both have."""
    return np.asarray([np.log(a[block] / b[block]) for block in sorted(set(a) & set(b))], dtype=np.float64)


def replies_needed(measure: str) -> float:
    """In a block, for the percentile ``p50`` … ``p999``."""
    return BEYOND * 1000 / (1000 - PER_MILLE[measure])


def few_replies(measure: str, most: int) -> Reason:
    """Why there is no percentile where no block had more than ``most`` replies."""
    return Reason("few-replies", {"measure": measure, "needed": round(replies_needed(measure)), "most": most})


def pooled(arrays: Sequence[FloatArray]) -> dict[str, float | None]:
    """``p90`` and ``p99`` of all samples together, in µs."""
    times = np.sort(np.concatenate(arrays)) if arrays else np.empty(0)
    return {name: percentile(times, name) for name in ("p90", "p99")}


def percentile(ascending: FloatArray, name: str) -> float | None:
    """Nearest rank; ``None`` with too few samples beyond it."""
    return nearest_rank(ascending, PER_MILLE[name]) if ascending.size >= replies_needed(name) else None
