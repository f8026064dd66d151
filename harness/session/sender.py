"""What sends the load of a window and returns its result: one small interface for every kind of load."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from harness.engine.spec import OnProgress
from harness.model import CpuProfile, Gate, InstructionCount, Point, Side, SideResult, Slices, Window
from harness.model.load import FloatArray, LoadResult
from harness.serve import Running
from harness.session.meter import Meter
from harness.stats.quantiles import class_percentiles
from harness.studies.study import WindowSpec


@dataclass(frozen=True, slots=True)
class Job:
    """One attempt at a window.

    Attributes:
        sides: those of the window whose servers are up and give right replies.
        points: by id, of the run.
        servers: by name of their target.
        seconds: time under load.
        seed: the same for every attempt at the window, and of windows that share their arrivals.
        spec: what a study asked for; ``None`` where the window was planned beforehand.
    """

    window: Window
    sides: tuple[Side, ...]
    points: Mapping[str, Point]
    servers: Mapping[str, Running]
    seconds: float
    seed: int
    spec: WindowSpec | None = None


@dataclass(frozen=True, slots=True)
class SendResult:
    """The result of a job; see ``WindowRecord``.

    Attributes:
        sides: a result for each of the job's sides, in their order.
        gates: why not to trust it, as far as the sender knows.
        samples: index of the side, or of the class of request where there is one side → latencies in microseconds.
        interrupted: whether the user ended it.
        counts: instructions of the sides that could be counted; ``profiles``: of those that could be sampled.
    """

    sides: tuple[SideResult, ...]
    slices: Slices | None = None
    gates: tuple[Gate, ...] = ()
    samples: Mapping[int, FloatArray] = field(default_factory=dict)
    interrupted: bool = False
    counts: tuple[InstructionCount, ...] = ()
    profiles: tuple[CpuProfile, ...] = ()


class Sender(ABC):
    """Sends one kind of load."""

    engine: Literal["wire", "locust"] = "wire"

    @abstractmethod
    def send(self, job: Job, meter: Meter, on_progress: OnProgress) -> SendResult:
        """Carries out the job, with ``meter.begin`` and ``meter.end`` around the measured stretch.

        Raises:
            EngineError: the load generator failed.
        """


def result_of_load(
    side: SideResult,
    result: LoadResult,
    meter: Meter,
    times: Mapping[str, FloatArray],
    figures: Mapping[str, float],
    gates: Iterable[Gate],
) -> SendResult:
    """The result of a load on one side; ``times`` are its latencies by class of request, none of them empty."""
    known = {
        "throughput_rps": result.throughput_rps or 0.0,
        "generator_cpu": result.generator_cpu,
        "generator_wait": result.generator_wait,
        **figures,
    }
    if side.target in meter.cpu_s:
        known["cpu_s"] = meter.cpu_s[side.target]
    side = replace(
        side,
        planned=result.planned,
        answered=result.answered,
        errors={**result.errors, **side.errors},
        latency_us={name: class_percentiles(each) for name, each in times.items()},
        figures=known,
    )
    return SendResult(
        (side,), gates=tuple(gates), samples=dict(enumerate(times.values())), interrupted=result.interrupted
    )
