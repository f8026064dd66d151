"""Percentiles of service times block by block, so that they have an interval like everything else."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness.analyse.cells import Samples
from harness.analyse.frames import Frames, side_faults
from harness.analyse.interval import FloatArray
from harness.model import Side
from harness.quantiles import PER_MILLE

BEYOND = 10
"""Samples that must lie beyond a percentile before a block's value of it is taken."""


def block_percentiles(frames: Frames, samples: Samples, name: str) -> dict[Side, dict[int, float]]:
    """Side → block → the percentile ``name`` (``p50`` … ``p999``) of the block's service times, in µs."""
    share = PER_MILLE[name]
    parts: dict[Side, dict[int, list[FloatArray]]] = {}
    for record in frames.records:
        faults = side_faults(record)
        if len(faults) == len(record.sides):
            continue
        found = samples(record)
        for index, side in enumerate(record.sides):
            if side not in faults and index in found:
                parts.setdefault(side, {}).setdefault(record.block, []).append(found[index])
    values = {side: {block: _percentile(each, share) for block, each in by.items()} for side, by in parts.items()}
    return {side: {k: v for k, v in by.items() if v is not None} for side, by in values.items()}


def aligned(a: Mapping[int, float], b: Mapping[int, float]) -> FloatArray:
    """ln(a / b) of the blocks that both have."""
    return np.asarray([np.log(a[block] / b[block]) for block in sorted(set(a) & set(b))], dtype=np.float64)


def _percentile(parts: list[FloatArray], per_mille: int) -> float | None:
    """Nearest rank; ``None`` with too few samples beyond it."""
    together = np.sort(np.concatenate(parts))
    if together.size * (1000 - per_mille) < BEYOND * 1000:
        return None
    return float(together[-(-together.size * per_mille // 1000) - 1])
