"""Senders of a run's windows: users of journeys, and closed loops that several workers share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harness.cluster.cluster import Cluster
from harness.engine.process import OnMark, OnProgress
from harness.engine.spec import LoadSpec
from harness.engine.wire import TIMEOUT_S, address_of, wire_request
from harness.errors import UsageError
from harness.journeys.files import read_journey
from harness.journeys.process import Journeys
from harness.journeys.spec import JourneySpec
from harness.model import Gate, Journey, SideResult
from harness.model.load import LoadResult
from harness.model.units import US
from harness.record import Run
from harness.session.meter import Meter
from harness.session.sender import Job, Sender, Sent
from harness.session.turns import blank
from harness.stats.quantiles import class_percentiles
from harness.verify import case_of


class JourneySender(Sender):
    """Users of the run's journeys.

    Raises:
        UsageError: a locustfile changed since the run began.
    """

    engine = "locust"

    def __init__(self, run: Run, users: Cluster | Journeys) -> None:
        self._users = users
        self._journeys = {journey.point: journey for journey in run.manifest.journeys}
        _check_files(run.manifest.journeys)

    def send(self, job: Job, meter: Meter, on_progress: OnProgress) -> Sent:
        [side] = job.sides
        journey, bind = self._journeys[side.point], job.servers[side.target].bind
        spec = JourneySpec(
            file=journey.file,
            host=f"http{'s' if bind.tls else ''}://{bind.host}:{bind.port}",
            users=journey.users,
            warmup_s=job.window.warmup_s,
            duration_s=job.seconds,
            seed=job.seed,
            digest=journey.digest,
        )
        result = self._users.run_load(spec, on_progress, _marks(meter))
        return sent(SideResult(side.target, side.point, journey.name, {}, journey.users), result, meter)


class LoadSender(Sender):
    """A closed loop of the run's points, shared by workers."""

    def __init__(self, workers: Cluster) -> None:
        self._workers = workers

    def send(self, job: Job, meter: Meter, on_progress: OnProgress) -> Sent:
        [side] = job.sides
        point, running = job.points[side.point], job.servers[side.target]
        address = address_of(running)
        requests = tuple(
            wire_request(case_of(request), str(address), request.weight, running.secret) for request in point.requests
        )
        spec = LoadSpec(
            address=address,
            requests=requests,
            connections=point.concurrency,
            duration_s=job.window.warmup_s,
            seed=job.seed,
            timeout_s=TIMEOUT_S,
        )
        result = self._workers.run_load(spec, on_progress)
        if not result.interrupted and result.answered:
            result = self._workers.run_load(replace(spec, duration_s=job.seconds), on_progress, _marks(meter))
        return sent(blank(side, job.points), result, meter)


def sent(side: SideResult, result: LoadResult, meter: Meter) -> Sent:
    """A load's result as a window's; a window that lost a worker is tried again, with all of them."""
    gates = tuple(Gate(reason, side.target, side.point) for reason in result.reasons)
    times = dict(result.series) or ({"all": result.service_time_us} if result.service_time_us else {})
    samples = {name: latencies.samples() for name, latencies in times.items()}
    figures = {
        "throughput_rps": result.throughput_rps or 0.0,
        "generator_cpu": result.generator_cpu,
        "generator_wait": result.generator_wait,
    }
    if result.workers:
        lost = [worker for worker in result.workers if worker.lost]
        uncertain = [worker.clock_uncertain_s or 0.0 for worker in result.workers if worker not in lost]
        figures |= {"workers": float(len(result.workers)), "lost_workers": float(len(lost))}
        figures |= {"lost_share": result.lost_share, "clock_uncertain_s": max(uncertain, default=0.0)}
    if (spent := meter.cpu_s.get(side.target)) is not None:
        figures["cpu_s"] = spent
        if result.answered and spent > 0:
            figures["cpu_us"] = spent * US / result.answered
    side = replace(
        side,
        planned=result.planned,
        answered=result.answered,
        errors=dict(result.errors),
        latency_us={name: class_percentiles(each) for name, each in samples.items()},
        figures=figures,
    )
    return Sent((side,), gates=gates, samples=dict(enumerate(samples.values())), interrupted=result.interrupted)


def _marks(meter: Meter) -> OnMark:
    return lambda name: meter.begin() if name == "begin" else meter.end()


def _check_files(journeys: Sequence[Journey]) -> None:
    for journey in journeys:
        now = read_journey(Path(journey.file)) if Path(journey.file).is_file() else None
        if now is None or now.digest != journey.digest:
            raise UsageError(f"{journey.file} is not what it was when the run began", hint="begin a new run")
