"""Journeys of a run: each window has a fresh server, verified, alone; each is saved before the next."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from harness.errors import UsageError
from harness.guard import Guard
from harness.launch import Fleet, Running, Servers
from harness.load.spec import FloatArray, Progress
from harness.model import Failure, Gate, Journey, Window, WindowRecord
from harness.observe import Observer
from harness.placement import Placement
from harness.record import Run
from harness.sampling import ProcessGone, clock_of, machine_delta, machine_sample, throttled_seconds
from harness.services import WRITES, Services
from harness.swarm.journeys import read_journey
from harness.swarm.messages import JourneyMeasurement, JourneySpec
from harness.swarm.plan import STUDY
from harness.units import US
from harness.validity import GENERATOR_LIMIT, WAIT_LIMIT, machine_gates, transient
from harness.verify import case_of, verify

TRIES = 3
PERCENTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999}

RunJourney = Callable[[JourneySpec, Callable[[str], None], Callable[[Progress], None]], JourneyMeasurement]
"""Carries a journey out, telling when its measured stretch begins and ends."""


def conduct_journeys(
    run: Run,
    send: RunJourney,
    placement: Placement,
    observer: Observer,
    around: Services,
    deadline: float,
    fleet: Callable[[], Servers] | None = None,
) -> int:
    """Measures the windows of journeys that the run's plan still lacks.

    Args:
        deadline: ``time.monotonic()`` by which the run should be over; an invalid window is tried again before it.
        fleet: makes the servers of a window; processes of our own unless given.

    Returns:
        How many windows of the plan have no valid measurement.

    Raises:
        UsageError: a locustfile cannot be used, or changed since the run began.
        EngineError: Locust failed.
        KeyboardInterrupt: the user's; what was measured is saved.
    """
    planned = [window for window in run.manifest.plan.windows if window.study == STUDY]
    done = {record.id for record in run.windows()}
    left = [window for window in planned if window.id not in done]
    if left:
        _check_files(run.manifest.journeys)
        guard = Guard()
        try:
            conductor = _Conductor(run, send, placement, observer, around, guard, fleet)
            for number, window in enumerate(left):
                conductor.window(window, number + 1, len(left), deadline - sum(w.budget_s for w in left[number + 1 :]))
        finally:
            guard.close()
    valid = {record.id for record in run.windows() if not record.failures and not any(g.fatal for g in record.gates)}
    return sum(window.id not in valid for window in planned)


def _check_files(journeys: Sequence[Journey]) -> None:
    for journey in journeys:
        now = read_journey(Path(journey.file)) if Path(journey.file).is_file() else None
        if now is None or now.digest != journey.digest:
            raise UsageError(f"{journey.file} is not what it was when the run began", hint="begin a new run")


class _Conductor:
    def __init__(
        self,
        run: Run,
        send: RunJourney,
        placement: Placement,
        observer: Observer,
        around: Services,
        guard: Guard,
        fleet: Callable[[], Servers] | None,
    ) -> None:
        self._run, self._send, self._placement = run, send, placement
        self._fleet = fleet or self._own_fleet
        self._observer, self._around, self._guard = observer, around, guard
        self._targets = {target.name: target for target in run.manifest.targets}
        self._journeys = {journey.point: journey for journey in run.manifest.journeys}

    def window(self, window: Window, number: int, count: int, deadline: float) -> None:
        for attempt in range(TRIES):
            self._observer.journey_started(window, number, count, attempt)
            record, samples = self._try(window, attempt)
            self._run.append_window(record, samples)
            self._observer.journey_ended(window, record)
            if not transient(record.gates) or time.monotonic() + window.budget_s > deadline:
                return

    def _try(self, window: Window, attempt: int) -> tuple[WindowRecord, Mapping[int, FloatArray]]:
        journey = self._journeys[window.point]
        blank = WindowRecord(
            id=window.id, block=window.block, attempt=attempt, study=window.study, target=window.target,
            point=window.point, engine="locust", setting={"users": journey.users, "seconds": window.seconds},
            started_at=datetime.now(UTC).isoformat(timespec="milliseconds"), duration_s=0.0, planned=0, answered=0,
        )  # fmt: skip
        if any(request.endpoint in WRITES for request in journey.requests):
            self._around.restore()
        with self._fleet() as fleet:
            fleet.start([self._targets[window.target]])
            failed = fleet.failures.get(window.target)
            running = fleet.running.get(window.target)
            if running is not None and failed is None:
                failed = self._verified(journey, running)
            if running is None or failed is not None:
                assert failed is not None
                failed = replace(failed, point=window.point)
                self._observer.target_failed(failed)
                return replace(blank, failures=(failed,)), {}
            return self._measured(blank, window, journey, running)

    def _own_fleet(self) -> Fleet:
        cpus = tuple(sorted({*self._placement.server, *self._placement.generator}))
        return Fleet(
            self._guard, start_cpus=cpus, server_cpus=self._placement.server, environment=self._around.environment
        )

    def _verified(self, journey: Journey, running: Running) -> Failure | None:
        pairs = [(request.endpoint, case_of(request)) for request in journey.requests]
        for checked in verify(running.target, running.bind, pairs, running.secret):
            if checked.difference:
                message = f"{checked.endpoint} ({checked.case}): {checked.difference}"
                return Failure(running.target.name, journey.point, "wrong-reply", message, running.log())
        return None

    def _measured(
        self, blank: WindowRecord, window: Window, journey: Journey, running: Running
    ) -> tuple[WindowRecord, Mapping[int, FloatArray]]:
        stretch = _Stretch(running, self._placement)
        spec = JourneySpec(
            file=journey.file,
            host=f"http://{running.bind.host}:{running.bind.port}",
            users=journey.users,
            warmup_s=window.warmup_s,
            duration_s=window.seconds,
            seed=self._run.manifest.seed * 1_000_003 + window.block,
        )
        came = self._send(spec, stretch.mark, self._observer.slot_progress)
        if came.interrupted:
            raise KeyboardInterrupt
        names = sorted(came.latency_us)
        failures = () if running.alive else (self._died(window, running),)
        figures = {
            "throughput_rps": came.answered / came.duration_s,
            "generator_cpu": came.generator_cpu,
            "generator_wait": came.generator_wait,
            "startup_s": running.startup_s,
            **stretch.figures(came.answered),
        }
        record = replace(
            blank,
            duration_s=came.duration_s,
            planned=came.answered + sum(came.errors.values()),
            answered=came.answered,
            errors=dict(came.errors),
            latency_us={name: percentiles(came.latency_us[name]) for name in names},
            figures=figures,
            failures=failures,
            gates=gates(window, came, stretch.machine),
        )
        return record, {index: came.latency_us[name] for index, name in enumerate(names)}

    def _died(self, window: Window, running: Running) -> Failure:
        message = f"the server died under load (exit code {running.process.poll()})"
        failure = Failure(window.target, window.point, "died", message, running.log())
        self._observer.target_failed(failure)
        return failure


class _Stretch:
    """What the server and the machine did between the two marks of a window."""

    def __init__(self, running: Running, placement: Placement) -> None:
        self._tree, self._placement = clock_of(running.pid, running.usage_file), placement
        self._began = self._cpu = 0.0
        self._before, self._throttled = machine_sample(), throttled_seconds()
        self._spent: float | None = None
        self._memory = 0
        self.machine: dict[str, float] = {}

    def mark(self, name: str) -> None:
        self._tree.refresh()
        try:
            cpu = self._tree.cpu()
        except ProcessGone:
            return
        if name == "begin":
            self._cpu, self._began = cpu, time.monotonic()
            self._before, self._throttled = machine_sample(), throttled_seconds()
            return
        self._spent, self._memory = cpu - self._cpu, self._tree.memory_bytes()
        elapsed = time.monotonic() - self._began
        delta = machine_delta(self._before, machine_sample())
        busy = sum(delta.busy.get(cpu, 0.0) for cpu in self._placement.server)
        shared = self._placement.server == self._placement.generator
        foreign = 0.0 if shared else max(0.0, busy - self._spent / elapsed)
        self.machine = {"steal": delta.steal, "server": busy, "foreign": foreign}
        if self._throttled is not None:
            self.machine["throttled"] = ((throttled_seconds() or 0.0) - self._throttled) / elapsed

    def figures(self, answered: int) -> dict[str, float]:
        if self._spent is None:
            return {}
        known = {"cpu_s": self._spent, "rss_bytes": float(self._memory), **self.machine}
        return known | ({"cpu_us": self._spent * US / answered} if answered and self._spent > 0 else {})


def gates(window: Window, came: JourneyMeasurement, machine: Mapping[str, float]) -> tuple[Gate, ...]:
    """Why no number may be drawn from a window; none of them looks at how fast or cheap the target was."""
    found = list(machine_gates(machine))
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
        found.append(
            Gate("generator-starved", "", "", f"Locust waited {came.generator_wait:.1%} of the time for its CPU")
        )
    return tuple(found)


def percentiles(samples: FloatArray) -> dict[str, float]:
    """``count p50 p90 p99 p999 max``, each percentile an actual sample."""
    values = np.quantile(samples, list(PERCENTILES.values()), method="inverted_cdf")
    table = {name: float(value) for name, value in zip(PERCENTILES, values, strict=True)}
    return {"count": float(len(samples)), **table, "max": float(samples.max())}
