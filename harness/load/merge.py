"""Several processes' measurements of one load as one, exactly: samples are joined and never summarised before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from harness.load.spec import FloatArray, LoadMeasurement

_Key = TypeVar("_Key")


def merge(parts: Sequence[LoadMeasurement]) -> LoadMeasurement:
    """One measurement from its shares; samples stand in order of process, then of completion.

    Raises:
        ValueError: there are none.
    """
    if not parts:
        raise ValueError("nothing to merge")
    if len(parts) == 1:
        return parts[0]
    series = {name for part in parts for name in part.series}
    means = [part.in_flight_mean for part in parts if part.in_flight_mean is not None]
    return LoadMeasurement(
        duration_s=max(part.duration_s for part in parts),
        elapsed_s=max(part.elapsed_s for part in parts),
        planned=sum(part.planned for part in parts),
        answered=sum(part.answered for part in parts),
        failed=sum(part.failed for part in parts),
        dropped=sum(part.dropped for part in parts),
        unfinished=sum(part.unfinished for part in parts),
        waited=sum(part.waited for part in parts),
        in_time=sum(part.in_time for part in parts),
        sent_s=np.concatenate([part.sent_s for part in parts]),
        service_time_us=np.concatenate([part.service_time_us for part in parts]),
        response_time_us=_joined([part.response_time_us for part in parts]),
        lateness_us=_joined([part.lateness_us for part in parts]),
        in_flight_mean=sum(means) if means else None,
        window_s=parts[0].window_s,
        windows=added([part.windows for part in parts]),
        failed_windows=added([part.failed_windows for part in parts]),
        status=summed([part.status for part in parts]),
        errors=summed([part.errors for part in parts]),
        examples={kind: text for part in reversed(parts) for kind, text in part.examples.items()},
        generator_cpu=max(part.generator_cpu for part in parts),
        connects=sum(part.connects for part in parts),
        reconnects=sum(part.reconnects for part in parts),
        retries=sum(part.retries for part in parts),
        surplus=sum(part.surplus for part in parts),
        series={name: np.concatenate([part.series[name] for part in parts if name in part.series]) for name in series},
        generator_wait=max(part.generator_wait for part in parts),
        interrupted=any(part.interrupted for part in parts),
        request=_joined_numbers([part.request for part in parts]),
        counts=summed([part.counts for part in parts]),
    )


def _joined(arrays: Sequence[FloatArray | None]) -> FloatArray | None:
    present = [array for array in arrays if array is not None]
    return np.concatenate(present) if present else None


def _joined_numbers(arrays: Sequence[npt.NDArray[np.int32] | None]) -> npt.NDArray[np.int32] | None:
    present = [array for array in arrays if array is not None]
    return np.concatenate(present) if present else None


def added(rows: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(map(sum, zip_longest(*rows, fillvalue=0)))


def summed(counts: Sequence[Mapping[_Key, int]]) -> dict[_Key, int]:
    total: dict[_Key, int] = {}
    for count in counts:
        for key, value in count.items():
            total[key] = total.get(key, 0) + value
    return total
