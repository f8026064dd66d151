"""From what a loop noted to the measurement that leaves the engine's process."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np

from harness.load.checks import ReplyCheck
from harness.load.peer import Traffic
from harness.load.spec import FloatArray

WINDOW_S = 0.1


def floats(values: array[float]) -> FloatArray:
    """A copy of ``values``, since an array that is viewed cannot grow."""
    return np.array(values, dtype=np.float64)


def windows(moments: FloatArray, duration_s: float) -> tuple[int, ...]:
    """How many of ``moments`` (seconds from the load's beginning) lie in each ``WINDOW_S``, up to the last."""
    count = int(np.ceil(round(max(duration_s, float(moments.max(initial=0.0))) / WINDOW_S, 6)))
    indexes = np.clip((moments / WINDOW_S).astype(np.int64), 0, max(0, count - 1))
    return tuple(int(value) for value in np.bincount(indexes, minlength=count))


def statuses(traffic: Traffic, checks: Sequence[ReplyCheck]) -> dict[int, int]:
    """Status code → replies, right or wrong."""
    total = dict(traffic.statuses)
    for check in checks:
        if check.hits:
            total[check.usual_status] = total.get(check.usual_status, 0) + check.hits
    return dict(sorted(total.items()))
