"""Capacity at an objective, known beforehand: an M/D/1 queue has a computed p99 at every rate, and so a highest rate.

``md1_capacity`` is the truth; ``search`` is the study itself, against ``harness.selftest.server`` or a simulated queue.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np

from harness.config.placement import Placement
from harness.engine.engine import Engine
from harness.engine.pacing import schedule
from harness.engine.spec import Progress
from harness.model import (
    Gate,
    PlannedRequest,
    RawRequest,
    Scenario,
    Side,
    SideResult,
    Target,
    Window,
    WindowRecord,
)
from harness.selftest.queue_checks import lindley
from harness.selftest.server import BODY, queue_server
from harness.serve import Running
from harness.serve.servers import Bind
from harness.session.loads import LoadSender
from harness.session.meter import Meter
from harness.session.sender import Job
from harness.session.validity import machine_gates
from harness.stats.quantiles import class_percentiles, percentiles
from harness.studies.capacity import STUDY, Capacity, CapacityRow, capacity_rows
from harness.studies.study import Requests, WindowSpec

TARGET = Target("md1", "own", "native", "queue", "")
SIDE = Side(TARGET.name, "")
RETRIES = 2
"""As many as a session gives a window that a gate threw out."""

Take = Callable[[WindowSpec, int], WindowRecord]


def p99_of_md1(rate: float, service_s: float) -> float:
    """99th percentile of the response time of an M/D/1 queue, in seconds, by Crommelin's formula and bisection.

    The formula's terms cancel; beyond some 30 service times of waiting, doubles hold too few digits for it.

    Raises:
        ValueError: the queue has no steady state.
    """
    rho = rate * service_s
    if not 0 < rho < 1:
        raise ValueError(f"utilization must lie in (0, 1): {rho}")

    def waits_at_most(wait: float) -> float:
        total = 0.0
        for k in range(int(wait / service_s) + 1):
            x = rate * (k * service_s - wait)
            total += x**k / math.factorial(k) * math.exp(-x)
        return (1 - rho) * total

    low, high = 0.0, service_s
    while waits_at_most(high) < 0.99:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if waits_at_most(middle) < 0.99 else (low, middle)
    return service_s + high


def md1_capacity(bound_s: float, service_s: float) -> float:
    """The rate at which the p99 of an M/D/1 queue is ``bound_s``, in requests per second."""
    low, high = 1e-3 / service_s, (1 - 1e-6) / service_s
    for _ in range(60):
        rate = (low + high) / 2
        low, high = (rate, high) if p99_of_md1(rate, service_s) < bound_s else (low, rate)
    return low


def simulated_p99(rate: float, service_s: float, duration_s: float, seed: int) -> float:
    """The p99 of one simulated run of the queue, in seconds."""
    return percentiles([lindley(schedule("poisson", [(rate, duration_s)], seed), service_s)])["p99"]


def scenario(settings: Capacity) -> Scenario:
    """The study's scenario, with the one request that the queue server knows."""
    raw = RawRequest("GET", "/", status=200, body=BODY.decode())
    return Scenario(
        "md1",
        "M/D/1",
        "real",
        "",
        (PlannedRequest("md1", "", raw=raw),),
        (1,),
        study="capacity",
        settings=settings.model_dump(),
    )


def search(settings: Capacity, around_block: Callable[[int], AbstractContextManager[Take]]) -> CapacityRow:
    """The whole study: ``around_block`` gives, for each block, what measures a window on a fresh server."""
    records: list[WindowRecord] = []
    one = scenario(settings)
    for block in range(settings.blocks):
        specs = STUDY.windows(STUDY.brief(one, {}, block, tuple(records)))
        fresh: list[WindowRecord] = []
        with around_block(block) as take:
            try:
                spec = next(specs)
                while True:
                    fresh.append(take(spec, block))
                    spec = specs.send(fresh[-1])
            except StopIteration:
                records += fresh
    [row] = capacity_rows([record for record in records if record.study == "capacity"], lambda record: {})
    return row


class LiveQueue:
    """A queue server of its own for each block, under the wire engine."""

    def __init__(self, service_s: float, engine: Engine, placement: Placement, seed: int) -> None:
        self._service, self._engine, self._placement, self._seed = service_s, engine, placement, seed

    @contextmanager
    def __call__(self, block: int) -> Iterator[Take]:
        sender = LoadSender(self._engine)
        with queue_server(self._service, self._placement.server) as server:
            bind = Bind(server.address.host, server.address.port)
            servers = {TARGET.name: Running(TARGET, bind, server.process, Path())}

            def take(spec: WindowSpec, block: int) -> WindowRecord:
                seed = self._seed + 1009 * block + sum(spec.key.encode())
                job = Job(_window(spec, block), (SIDE,), {}, servers, 0.0, seed, spec)
                for _ in range(1 + RETRIES):
                    meter = Meter(servers, self._placement, self._placement.server)
                    sent = sender.send(job, meter, _ignore)
                    record = _record(spec, block, sent.sides[0], (*machine_gates(meter.machine), *sent.gates))
                    if not record.gates:
                        break
                return record

            yield take


def _window(spec: WindowSpec, block: int) -> Window:
    return Window(f"b{block:02d}-md1-md1-{spec.key}", block, (SIDE,), 0.0, 0.0, spec.study)


def _record(spec: WindowSpec, block: int, result: SideResult, gates: tuple[Gate, ...] = ()) -> WindowRecord:
    window = _window(spec, block)
    return WindowRecord(window.id, block, 0, spec.study, "wire", "", 0.0, (result,), gates=gates)


def _ignore(progress: Progress) -> None:
    pass


class SimulatedQueue:
    """The same queue without a server or time: Lindley's recursion over the arrivals that would be sent."""

    def __init__(self, service_s: float, seed: int) -> None:
        self._service, self._rng = service_s, np.random.default_rng(seed)

    @contextmanager
    def __call__(self, block: int) -> Iterator[Take]:
        yield self._take

    def _take(self, spec: WindowSpec, block: int) -> WindowRecord:
        assert isinstance(spec.load, Requests)
        arrivals = schedule("poisson", [(spec.load.rate, spec.load.duration_s)], int(self._rng.integers(2**31)))
        counted = arrivals >= spec.load.lead_in_s
        responses = lindley(arrivals, self._service)[counted] * 1e6
        late = float(np.mean(responses > float(spec.setting["bound_ms"]) * 1e3)) if len(responses) else 0.0
        figures = {"late_share": late, "counted_s": spec.load.duration_s - spec.load.lead_in_s}
        latency = {"md1": class_percentiles(responses)} if len(responses) else {}
        count = len(arrivals)
        result = SideResult(
            TARGET.name, spec.key, "md1", spec.setting, 1, count, count, latency_us=latency, figures=figures
        )
        return _record(spec, block, result)
