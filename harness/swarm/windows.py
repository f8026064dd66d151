"""Windows of load on one target alone: each has a server of its own, verified; each is saved before the next.

What is sent in a window is a ``Sender``'s business: Locust's users, or the wire engines of several workers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal, Protocol

import numpy as np

from harness.guard import Guard
from harness.launch import Fleet, Running, Servers
from harness.load.spec import FloatArray, Progress
from harness.model import Failure, Gate, ParamValue, PlannedRequest, Window, WindowRecord
from harness.observe import Observer
from harness.placement import Placement
from harness.record import Run
from harness.services import WRITES, Services
from harness.swarm.stretch import Stretch
from harness.validity import machine_gates, transient
from harness.verify import case_of, verify

TRIES = 3
PERCENTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999}


@dataclass(frozen=True, slots=True)
class Came:
    """What a window's load came to; see ``WindowRecord``.

    Attributes:
        latency_us: class of request → latencies of its right replies, in microseconds.
        setting: what was set for it. ``gates``: why not to trust it, as far as the sender knows.
    """

    duration_s: float
    planned: int
    answered: int
    latency_us: Mapping[str, FloatArray]
    setting: Mapping[str, ParamValue]
    errors: Mapping[str, int] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)
    gates: tuple[Gate, ...] = ()
    interrupted: bool = False


class Sender(Protocol):
    """What sends the load of a study's windows."""

    study: str
    engine: Literal["wire", "locust"]

    def requests(self, point: str) -> Sequence[PlannedRequest]:
        """What a window at that point sends of the contract, to be verified before it."""

    def send(
        self,
        window: Window,
        running: Running,
        on_mark: Callable[[str], None],
        on_progress: Callable[[Progress], None],
    ) -> Came:
        """Carries the window out; ``on_mark`` is told when its measured stretch begins and ends."""


def conduct_windows(
    run: Run,
    sender: Sender,
    placement: Placement,
    observer: Observer,
    around: Services,
    deadline: float,
    fleet: Callable[[], Servers] | None = None,
) -> int:
    """Measures the sender's windows that the run's plan still lacks.

    Args:
        deadline: ``time.monotonic()`` by which the run should be over; an invalid window is tried again before it.
        fleet: makes the servers of a window; processes of our own unless given.

    Returns:
        How many windows of the plan have no valid measurement.

    Raises:
        UsageError: what is to be sent cannot be used.
        EngineError: the load generator failed.
        KeyboardInterrupt: the user's; what was measured is saved.
    """
    planned = [window for window in run.manifest.plan.windows if window.study == sender.study]
    done = {record.id for record in run.windows()}
    left = [window for window in planned if window.id not in done]
    guard = Guard()
    try:
        conductor = _Conductor(run, sender, placement, observer, around, guard, fleet)
        for number, window in enumerate(left):
            conductor.window(window, number + 1, len(left), deadline - sum(w.budget_s for w in left[number + 1 :]))
    finally:
        guard.close()
    valid = {record.id for record in run.windows() if not record.failures and not any(g.fatal for g in record.gates)}
    return sum(window.id not in valid for window in planned)


class _Conductor:
    def __init__(
        self,
        run: Run,
        sender: Sender,
        placement: Placement,
        observer: Observer,
        around: Services,
        guard: Guard,
        fleet: Callable[[], Servers] | None,
    ) -> None:
        self._run, self._sender, self._placement = run, sender, placement
        self._fleet = fleet or self._own_fleet
        self._observer, self._around, self._guard = observer, around, guard
        self._targets = {target.name: target for target in run.manifest.targets}

    def window(self, window: Window, number: int, count: int, deadline: float) -> None:
        for attempt in range(TRIES):
            self._observer.journey_started(window, number, count, attempt)
            record, samples = self._try(window, attempt)
            self._run.append_window(record, samples)
            self._observer.journey_ended(window, record)
            if not transient(record.gates) or time.monotonic() + window.budget_s > deadline:
                return

    def _try(self, window: Window, attempt: int) -> tuple[WindowRecord, Mapping[int, FloatArray]]:
        requests = self._sender.requests(window.point)
        blank = WindowRecord(
            id=window.id, block=window.block, attempt=attempt, study=window.study, target=window.target,
            point=window.point, engine=self._sender.engine, setting={"seconds": window.seconds},
            started_at=datetime.now(UTC).isoformat(timespec="milliseconds"), duration_s=0.0, planned=0, answered=0,
        )  # fmt: skip
        if any(request.endpoint in WRITES for request in requests):
            self._around.restore()
        with self._fleet() as fleet:
            fleet.start([self._targets[window.target]])
            failed = fleet.failures.get(window.target)
            running = fleet.running.get(window.target)
            if running is not None and failed is None:
                failed = self._verified(window, requests, running)
            if running is None or failed is not None:
                assert failed is not None
                failed = replace(failed, point=window.point)
                self._observer.target_failed(failed)
                return replace(blank, failures=(failed,)), {}
            return self._measured(blank, window, running)

    def _own_fleet(self) -> Fleet:
        cpus = tuple(sorted({*self._placement.server, *self._placement.generator}))
        return Fleet(
            self._guard, start_cpus=cpus, server_cpus=self._placement.server, environment=self._around.environment
        )

    def _verified(self, window: Window, requests: Sequence[PlannedRequest], running: Running) -> Failure | None:
        pairs = [(request.endpoint, case_of(request)) for request in requests]
        for checked in verify(running.target, running.bind, pairs, running.secret):
            if checked.difference:
                message = f"{checked.endpoint} ({checked.case}): {checked.difference}"
                return Failure(window.target, window.point, "wrong-reply", message, running.log())
        return None

    def _measured(
        self, blank: WindowRecord, window: Window, running: Running
    ) -> tuple[WindowRecord, Mapping[int, FloatArray]]:
        stretch = Stretch(running, self._placement)
        came = self._sender.send(window, running, stretch.mark, self._observer.slot_progress)
        if came.interrupted:
            raise KeyboardInterrupt
        names = sorted(came.latency_us)
        failures = () if running.alive else (self._died(window, running),)
        record = replace(
            blank,
            setting={**came.setting, "seconds": window.seconds},
            duration_s=came.duration_s,
            planned=came.planned,
            answered=came.answered,
            errors=dict(came.errors),
            latency_us={name: percentiles(came.latency_us[name]) for name in names},
            figures={**came.figures, "startup_s": running.startup_s, **stretch.figures(came.answered)},
            failures=failures,
            gates=(*machine_gates(stretch.machine), *came.gates),
        )
        return record, {index: came.latency_us[name] for index, name in enumerate(names)}

    def _died(self, window: Window, running: Running) -> Failure:
        message = f"the server died under load (exit code {running.process.poll()})"
        failure = Failure(window.target, window.point, "died", message, running.log())
        self._observer.target_failed(failure)
        return failure


def percentiles(samples: FloatArray) -> dict[str, float]:
    """``count p50 p90 p99 p999 max``, each percentile an actual sample."""
    values = np.quantile(samples, list(PERCENTILES.values()), method="inverted_cdf")
    table = {name: float(value) for name, value in zip(PERCENTILES, values, strict=True)}
    return {"count": float(len(samples)), **table, "max": float(samples.max())}
