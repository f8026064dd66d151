"""Senders of a run's windows: users of journeys, and closed loops that several workers share."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.cluster.cluster import Cluster
from harness.engine.engine import OnMark
from harness.engine.spec import JourneySpec, LoadSpec, OnProgress
from harness.engine.wire import TIMEOUT_S, requests_to
from harness.errors import UsageError
from harness.journeys.files import read_journey
from harness.journeys.process import Journeys
from harness.model import Gate, SideResult
from harness.model.load import LoadResult
from harness.model.units import US
from harness.record import Run
from harness.session.meter import Meter
from harness.session.sender import Job, Sender, SendResult, result_of_load
from harness.session.turns import blank


class JourneySender(Sender):
    """Users of the run's journeys.

    Raises:
        UsageError: a locustfile changed since the run began.
    """

    engine = "locust"

    def __init__(self, run: Run, users: Cluster | Journeys) -> None:
        self._users = users
        self._journeys = {journey.point: journey for journey in run.manifest.journeys}
        for journey in run.manifest.journeys:
            now = read_journey(Path(journey.file)) if Path(journey.file).is_file() else None
            if now is None or now.digest != journey.digest:
                raise UsageError(f"{journey.file} is not what it was when the run began", hint="begin a new run")

    def send(self, job: Job, meter: Meter, on_progress: OnProgress) -> SendResult:
        [side] = job.sides
        journey, address = self._journeys[side.point], job.servers[side.target].bind
        spec = JourneySpec(
            file=journey.file,
            host=f"http{'s' if address.tls else ''}://{address}",
            users=journey.users,
            warmup_s=job.window.warmup_s,
            duration_s=job.seconds,
            seed=job.seed,
            digest=journey.digest,
        )
        result = self._users.run_load(spec, on_progress, _marks(meter))
        return window_send_result(SideResult(side.target, side.point, journey.name, {}, journey.users), result, meter)


class SharedLoadSender(Sender):
    """A closed loop of the run's points, shared by workers."""

    def __init__(self, workers: Cluster) -> None:
        self._workers = workers

    def send(self, job: Job, meter: Meter, on_progress: OnProgress) -> SendResult:
        [side] = job.sides
        point, running = job.points[side.point], job.servers[side.target]
        spec = LoadSpec(
            address=running.bind,
            requests=requests_to(running, point.requests),
            connections=point.concurrency,
            duration_s=job.window.warmup_s,
            seed=job.seed,
            timeout_s=TIMEOUT_S,
        )
        result = self._workers.run_load(spec, on_progress)
        if not result.interrupted and result.answered:
            result = self._workers.run_load(replace(spec, duration_s=job.seconds), on_progress, _marks(meter))
        return window_send_result(blank(side, job.points), result, meter)


def window_send_result(side: SideResult, result: LoadResult, meter: Meter) -> SendResult:
    """A load's result as a window's outcome; a window that lost a worker is tried again, with all of them."""
    gates = (Gate(reason, side.target, side.point) for reason in result.reasons)
    times = dict(result.series) or ({"all": result.service_time_us} if result.service_time_us else {})
    samples = {name: latencies.samples() for name, latencies in times.items()}
    figures = dict[str, float]()
    if result.workers:
        lost = [worker for worker in result.workers if worker.lost]
        uncertain = [worker.clock_uncertain_s or 0.0 for worker in result.workers if worker not in lost]
        figures |= {"workers": float(len(result.workers)), "lost_workers": float(len(lost))}
        figures |= {"lost_share": result.lost_share, "clock_uncertain_s": max(uncertain, default=0.0)}
    if result.answered and (spent := meter.cpu_s.get(side.target, 0.0)) > 0:
        figures["cpu_us"] = spent * US / result.answered
    return result_of_load(side, result, meter, samples, figures, gates)


def _marks(meter: Meter) -> OnMark:
    return lambda name: meter.begin() if name == "begin" else meter.end()
