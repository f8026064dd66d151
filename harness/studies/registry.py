"""Every study, in one place: a line for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from harness.model import WindowRecord
from harness.model.load import Samples
from harness.studies import connections, fanout, latency, memory, neighbours, waiting
from harness.studies.capacity import STUDY as CAPACITY, CapacityRow, OverloadRow, capacity_rows, overload_rows
from harness.studies.connections import ConnectionRow
from harness.studies.fanout import FanOutRow
from harness.studies.groups import StudyRow
from harness.studies.latency import LatencyRow
from harness.studies.memory import MemoryRow
from harness.studies.neighbours import NeighbourRow
from harness.studies.scaling import STUDY as SCALING, ScalingFit, ScalingRow, scaling_fits, scaling_rows
from harness.studies.study import Study

Rows = Callable[[Sequence[WindowRecord], Samples], tuple[StudyRow, ...]]


def _of(study: Study[Any], rows: Rows, windows: str = "") -> Any:
    """``windows``: the name that their records have; default: the study's."""
    return field(default=(), metadata={"study": study, "rows": rows, "windows": windows or study.name})


@dataclass(frozen=True, slots=True)
class StudyResults:
    """The results of a run's studies, each in the order in which its windows were first recorded."""

    neighbours: tuple[NeighbourRow, ...] = _of(neighbours.STUDY, neighbours.rows)
    fan_out: tuple[FanOutRow, ...] = _of(fanout.STUDY, fanout.rows)
    latency: tuple[LatencyRow, ...] = _of(latency.STUDY, latency.rows)
    capacity: tuple[CapacityRow, ...] = _of(CAPACITY, capacity_rows)
    overload: tuple[OverloadRow, ...] = _of(CAPACITY, overload_rows, "overload")
    connections: tuple[ConnectionRow, ...] = _of(connections.STUDY, connections.rows)
    memory: tuple[MemoryRow, ...] = _of(memory.STUDY, memory.rows)
    scaling: tuple[ScalingRow, ...] = _of(SCALING, scaling_rows)
    scaling_fits: tuple[ScalingFit, ...] = _of(SCALING, scaling_fits)


DECLARED: Mapping[str, Study[Any]] = {one.metadata["study"].name: one.metadata["study"] for one in fields(StudyResults)}
"""Those that a scenario file may name."""

STUDIES: Mapping[str, Study[Any]] = {**DECLARED, waiting.WAITING: waiting.STUDY}

WINDOWS = frozenset(one.metadata["windows"] for one in fields(StudyResults))
"""The names in the field ``study`` of the records of declared studies."""


def study_results(records: Sequence[WindowRecord], samples: Samples) -> StudyResults:
    """``records``: the attempts that count."""
    results = {}
    for one in fields(StudyResults):
        mine = [record for record in records if record.study == one.metadata["windows"]]
        results[one.name] = one.metadata["rows"](mine, samples)
    return StudyResults(**results)
