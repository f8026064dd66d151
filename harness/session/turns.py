"""Sides that take turns, sent by the wire engine."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from harness.engine.engine import Engine
from harness.engine.spec import OnProgress, SlicesResult, SlicesSpec
from harness.engine.wire import side_spec
from harness.model import Point, Side, SideResult
from harness.session import calls, validity
from harness.session.meter import Meter
from harness.session.sender import Job, Sender, SendResult
from harness.studies.study import WindowSpec


class TurnsSender(Sender):
    """Alternating slices.

    Args:
        ceilings: concurrency → replies per second from a null server.
    """

    def __init__(self, wire: Engine, ceilings: Mapping[int, float]) -> None:
        self._wire, self._ceilings = wire, ceilings

    def send(self, job: Job, meter: Meter, on_progress: OnProgress) -> SendResult:
        specs = [side_spec(job.points[side.point], job.servers[side.target]) for side in job.sides]
        points = [job.points[side.point] for side in job.sides]
        spec = SlicesSpec(tuple(specs), job.seed, job.seconds, job.window.min_rounds)
        meter.begin()
        measured = self._wire.run_slices(spec, on_progress)
        meter.end()
        gates = validity.examine(specs, measured, self._ceilings)
        if "upstream_calls" in meter.machine:
            gates += calls.gates(meter.machine, points, measured.sides)
        # Of a server elsewhere it cannot be read: JSON can hold a 0, which no server uses.
        cpu = tuple(0.0 if math.isnan(each) else each for each in measured.slices.cpu)
        return SendResult(
            sides=tuple(_result(job, number, measured) for number in range(len(job.sides))),
            slices=replace(measured.slices, cpu=cpu),
            gates=gates,
            samples={number: outcome.service_time_us for number, outcome in enumerate(measured.sides)},
        )


def blank(side: Side, points: Mapping[str, Point], spec: WindowSpec | None = None) -> SideResult:
    """A side without results, at its point or at the setting that a study asked for."""
    if spec is not None:
        return SideResult(side.target, side.point, spec.scenario, spec.setting, 0)
    point = points.get(side.point)
    if point is None:
        return SideResult(side.target, side.point, "", {}, 0)
    return SideResult(side.target, side.point, point.scenario, point.params, point.concurrency)


def _result(job: Job, number: int, measured: SlicesResult) -> SideResult:
    outcome = measured.sides[number]
    [answered] = map(int, measured.slices.sums(number, "replies"))
    return replace(
        blank(job.sides[number], job.points),
        planned=answered + outcome.unanswered,
        answered=answered,
        errors=dict(outcome.errors),
        worker_shares=worker_shares(outcome.processes_cpu, job.servers[job.sides[number].target].target.workers),
    )


def worker_shares(processes_cpu: Sequence[float], workers: int) -> tuple[float, ...]:
    """The share of the requests that each worker process served, by CPU time; empty with one worker.

    The busiest processes are the workers: what starts them does next to nothing meanwhile.
    """
    busiest = processes_cpu[:workers]
    if workers < 2 or len(busiest) < workers or not sum(busiest):
        return ()
    return tuple(spent / sum(busiest) for spent in busiest)
