"""Capacity at an objective, known beforehand: an M/D/1 queue has a computed p99 at every rate, and so a highest rate.

``md1_capacity`` is the truth; ``search`` is the study itself, against ``harness.truth.server`` or against a simulated
queue.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager

import numpy as np

from harness.analyse.capacity import capacity_row
from harness.analyse.summary.studies import CapacityRow
from harness.analyse.windows import Group
from harness.declare.study_settings import Capacity
from harness.load.pacing import poisson_schedule
from harness.model import PlannedRequest, RawRequest, Scenario, Target, Trial, WindowRecord
from harness.placement import Placement
from harness.quantiles import percentiles
from harness.studies import capacity
from harness.studies.ask import Ask, Brief, Requests
from harness.studies.measure import LoadEngine, Site, measure
from harness.truth.queue_checks import lindley
from harness.truth.server import BODY, queue_server

TARGET = Target("md1", "own", "native", "queue", "")
Take = Callable[[Ask, int], WindowRecord]


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
    return percentiles([lindley(poisson_schedule(rate, duration_s, seed), service_s)])["p99"]


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
        trial = Trial(f"b{block:02d}-md1-md1", block, "capacity", "md1", TARGET.name, {}, 0.0)
        asking = capacity.asks(Brief(trial, one, TARGET, tuple(records)))
        fresh: list[WindowRecord] = []
        with around_block(block) as take:
            try:
                ask = next(asking)
                while True:
                    fresh.append(take(ask, block))
                    ask = asking.send(fresh[-1])
            except StopIteration:
                records += fresh
    mine = [record for record in records if record.study == "capacity"]
    return capacity_row(Group(TARGET.name, "md1", "", tuple(mine), "ok", ""), mine)


class LiveQueue:
    """A queue server of its own for each block, under the wire engine."""

    def __init__(self, service_s: float, engine: LoadEngine, placement: Placement, seed: int) -> None:
        self._service, self._engine, self._placement, self._seed = service_s, engine, placement, seed

    def __call__(self, block: int) -> AbstractContextManager[Take]:
        return _LiveBlock(self._service, self._engine, self._placement, self._seed)


class _LiveBlock(AbstractContextManager[Take]):
    def __init__(self, service_s: float, engine: LoadEngine, placement: Placement, seed: int) -> None:
        self._server = queue_server(service_s, placement.server)
        self._engine, self._placement, self._seed = engine, placement, seed

    def __enter__(self) -> Take:
        running = self._server.__enter__()
        site = Site(TARGET.name, running.address, running.pid)

        def take(ask: Ask, block: int) -> WindowRecord:
            seed = self._seed + 1009 * block + sum(ask.key.encode())
            name = f"b{block:02d}-md1-md1-{ask.key}"
            return measure(ask, name, block, 0, site, self._engine, self._placement, seed)[0]

        return take

    def __exit__(self, *error: object) -> None:
        self._server.__exit__(None, None, None)


class SimulatedQueue:
    """The same queue without a server or time: Lindley's recursion over the arrivals that would be sent."""

    def __init__(self, service_s: float, seed: int) -> None:
        self._service, self._rng = service_s, np.random.default_rng(seed)

    def __call__(self, block: int) -> AbstractContextManager[Take]:
        return _SimulatedBlock(self._service, self._rng)


class _SimulatedBlock(AbstractContextManager[Take]):
    def __init__(self, service_s: float, rng: np.random.Generator) -> None:
        self._service, self._rng = service_s, rng

    def __enter__(self) -> Take:
        return self._take

    def __exit__(self, *error: object) -> None:
        pass

    def _take(self, ask: Ask, block: int) -> WindowRecord:
        assert isinstance(ask.load, Requests)
        arrivals = poisson_schedule(ask.load.rate, ask.load.duration_s, int(self._rng.integers(2**31)))
        counted = arrivals >= ask.load.lead_in_s
        responses = lindley(arrivals, self._service)[counted] * 1e6
        late = float(np.mean(responses > float(ask.setting["bound_ms"]) * 1e3)) if len(responses) else 0.0
        figures = {"late_share": late, "counted_s": ask.load.duration_s - ask.load.lead_in_s}
        count, name = len(arrivals), f"b{block:02d}-md1-md1-{ask.key}"
        latency = {"md1": {"count": float(len(responses)), **percentiles([responses])}} if len(responses) else {}
        return WindowRecord(
            name,
            block,
            0,
            ask.study,
            "md1",
            ask.key,
            "wire",
            ask.setting,
            "",
            0.0,
            count,
            count,
            latency_us=latency,
            figures=figures,
        )
