"""What fills the windows of a run: users of journeys, or the wire engines of several workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, Protocol

from harness.errors import UsageError
from harness.launch import Running
from harness.load.spec import Address, LoadSpec, Progress
from harness.model import Gate, Journey, PlannedRequest, Point, Window
from harness.record import Run
from harness.swarm.journeys import read_journey
from harness.swarm.messages import JourneyMeasurement, JourneySpec
from harness.swarm.plan import JOURNEY, SWARM
from harness.swarm.reports import SwarmMeasurement
from harness.swarm.windows import Came
from harness.validity import GENERATOR_LIMIT, WAIT_LIMIT
from harness.verify import case_of
from harness.wire import TIMEOUT_S, wire_request

RunJourney = Callable[[JourneySpec, Callable[[str], None], Callable[[Progress], None]], JourneyMeasurement]
"""Carries a journey out, telling when its measured stretch begins and ends."""


class Workers(Protocol):
    """What sends a load from several workers."""

    def run_load(
        self,
        spec: LoadSpec,
        on_progress: Callable[[Progress], None] | None = None,
        on_mark: Callable[[str], None] | None = None,
    ) -> SwarmMeasurement: ...


class JourneySender:
    """Users of the run's journeys.

    Raises:
        UsageError: a locustfile changed since the run began.
    """

    study = JOURNEY
    engine: Literal["wire", "locust"] = "locust"

    def __init__(self, run: Run, carry_out: RunJourney, workers: int = 0) -> None:
        self._carry_out, self._workers, self._seed = carry_out, workers, run.manifest.seed
        self._journeys = {journey.point: journey for journey in run.manifest.journeys}
        _check_files(run.manifest.journeys)

    def requests(self, point: str) -> Sequence[PlannedRequest]:
        return self._journeys[point].requests

    def send(
        self,
        window: Window,
        running: Running,
        on_mark: Callable[[str], None],
        on_progress: Callable[[Progress], None],
    ) -> Came:
        journey = self._journeys[window.point]
        spec = JourneySpec(
            file=journey.file,
            host=f"http://{running.bind.host}:{running.bind.port}",
            users=journey.users,
            warmup_s=window.warmup_s,
            duration_s=window.seconds,
            seed=self._seed * 1_000_003 + window.block,
        )
        came = self._carry_out(spec, on_mark, on_progress)
        return Came(
            duration_s=came.duration_s,
            planned=came.answered + sum(came.errors.values()),
            answered=came.answered,
            latency_us=came.latency_us,
            setting={"users": journey.users, "workers": self._workers},
            errors=came.errors,
            figures={
                "throughput_rps": came.answered / came.duration_s if came.duration_s > 0 else 0.0,
                "generator_cpu": came.generator_cpu,
                "generator_wait": came.generator_wait,
            },
            gates=journey_gates(window, came),
            interrupted=came.interrupted,
        )


class LoadSender:
    """A closed loop of the run's points, shared by workers.

    Args:
        points: by their ids.
    """

    study = SWARM
    engine: Literal["wire", "locust"] = "wire"

    def __init__(self, points: Mapping[str, Point], workers: Workers, seed: int) -> None:
        self._points, self._workers, self._seed = points, workers, seed

    def requests(self, point: str) -> Sequence[PlannedRequest]:
        return self._points[point].requests

    def send(
        self,
        window: Window,
        running: Running,
        on_mark: Callable[[str], None],
        on_progress: Callable[[Progress], None],
    ) -> Came:
        point = self._points[window.point]
        host = f"{running.bind.host}:{running.bind.port}"
        requests = tuple(
            wire_request(case_of(request), host, request.weight, running.secret) for request in point.requests
        )
        spec = LoadSpec(
            address=Address(running.bind.host, running.bind.port),
            requests=requests,
            connections=point.concurrency,
            duration_s=window.warmup_s,
            seed=self._seed * 1_000_003 + window.block,
            timeout_s=TIMEOUT_S,
        )
        warm = self._workers.run_load(spec, on_progress)
        if warm.interrupted or warm.report is None:
            return load_came(window, warm)
        came = self._workers.run_load(replace(spec, duration_s=window.seconds), on_progress, on_mark)
        return load_came(window, came)


def load_came(window: Window, came: SwarmMeasurement) -> Came:
    """A distributed load as a window's."""
    where = window.target, window.point
    lost = sum(bool(member.lost) for member in came.members)
    setting = {"workers": len(came.members), "lost_workers": lost, "lost_share": came.lost_share}
    found = tuple(Gate(_gate(reason), *where, reason) for reason in came.reasons)
    report = came.report
    if report is None:
        return Came(0.0, 0, 0, {}, setting, gates=found, interrupted=came.interrupted)
    if report.errors:
        listed = ", ".join(f"{count} {kind}" for kind, count in sorted(report.errors.items()))
        found += (Gate("replies", *where, f"{listed} ({next(iter(report.examples.values()), '')})"),)
    figures = {
        "throughput_rps": report.in_time / report.duration_s if report.duration_s > 0 else 0.0,
        "generator_cpu": report.generator_cpu,
        "generator_wait": report.generator_wait,
        "clock_uncertain_s": max((member.uncertain_s for member in came.members if not member.lost), default=0.0),
    }
    return Came(
        duration_s=report.duration_s,
        planned=report.planned,
        answered=report.answered,
        latency_us={} if report.service is None else {"all": report.service.samples()},
        setting={**setting, "connections": report.connections},
        errors=report.errors,
        figures=figures,
        gates=found,
        interrupted=came.interrupted,
    )


def _gate(reason: str) -> str:
    """The gate that a worker's reason is of, by the words that ``load.soundness`` uses."""
    known = {"was lost": "worker-lost", "generator-bound": "generator-bound", "waited for its CPU": "generator-starved"}
    known |= {"Little's law": "littles-law", "no worker is left": "worker-lost"}
    return next((gate for words, gate in known.items() if words in reason), "worker")


def journey_gates(window: Window, came: JourneyMeasurement) -> tuple[Gate, ...]:
    """Why no number may be drawn from a window; none of them looks at how fast or cheap the target was."""
    found = []
    where = window.target, window.point
    if came.errors:
        listed = ", ".join(f"{count} {kind}" for kind, count in sorted(came.errors.items()))
        found.append(Gate("replies", *where, f"{listed} ({next(iter(came.examples.values()), '')})"))
    if not came.answered:
        found.append(Gate("replies", *where, "no right reply"))
    if came.generator_cpu > GENERATOR_LIMIT:
        reason = f"Locust at {came.generator_cpu:.0%} of its CPU: use fewer users, or more --workers"
        found.append(Gate("generator-bound", *where, reason))
    if came.generator_wait > WAIT_LIMIT:
        reason = f"Locust waited {came.generator_wait:.1%} of the time for its CPU"
        found.append(Gate("generator-starved", "", "", reason))
    found += [Gate("worker-lost", *where, reason) for reason in came.lost]
    return tuple(found)


def _check_files(journeys: Sequence[Journey]) -> None:
    for journey in journeys:
        now = read_journey(Path(journey.file)) if Path(journey.file).is_file() else None
        if now is None or now.digest != journey.digest:
            raise UsageError(f"{journey.file} is not what it was when the run began", hint="begin a new run")
