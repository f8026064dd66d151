"""Known truth about queues: what theory says a server with a set service time does, and what the engine then measures.

The predictions are pure; each ``check_…`` runs a load against ``harness.selftest.server``, on the first of ``cpus`` if
there are any, and compares.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat

import numpy as np

from harness.engine.engine import Engine
from harness.engine.pacing import schedule
from harness.engine.spec import Arrivals, LoadSpec, WireRequest
from harness.engine.url import parse_url, request_to
from harness.model.load import FloatArray, LoadResult, every
from harness.selftest.server import BODY, RunningServer, queue_server

Cpus = tuple[int, ...]
CONNECTIONS = 512
CLOSED_CONNECTIONS = 4


@dataclass(frozen=True, slots=True)
class Check:
    """What was measured, what is true, and how much they may differ; ``what`` names figure and unit."""

    what: str
    measured: float
    expected: float
    tolerance: float

    @property
    def passed(self) -> bool:
        return abs(self.measured - self.expected) <= self.tolerance


def lindley(sends: FloatArray, service: float) -> FloatArray:
    """Response times of a single first-come-first-served server, by Lindley's recursion.

    Args:
        sends: ascending moments, in the unit of ``service``.
        service: the service time of every request.
    """
    responses = np.empty_like(sends)
    free = -np.inf
    for index, sent in enumerate(sends.tolist()):
        free = max(free, sent) + service
        responses[index] = free - sent
    return responses


def md1_mean(rho: float) -> float:
    """Mean response time of M/D/1 in service times (Pollaczek–Khinchine): ``1 + ρ / (2 (1 − ρ))``.

    Raises:
        ValueError: the queue has no steady state.
    """
    if not 0 <= rho < 1:
        raise ValueError(f"utilization must lie in [0, 1): {rho}")
    return 1 + rho / (2 * (1 - rho))


def stall_quantile(share_beyond: float, rate: float, duration: float, stall: float, service: float) -> float:
    """Response time that ``share_beyond`` of the requests exceed when the server stops once for ``stall`` seconds.

    A request ``t`` after the stall's beginning waits for its end and for those before it: ``stall − t (1 − rate ×
    service)``. Valid while the quantile lies within the stall: ``share_beyond × duration <= stall``.
    """
    return stall - share_beyond * duration * (1 - rate * service)


def request(path: str = "/") -> WireRequest:
    """The request that the checks send."""
    return request_to(parse_url(f"truth{path}"), "GET", status=200, text=BODY)


def open_spec(
    server: RunningServer, rate: float, duration_s: float, seed: int, arrivals: Arrivals = "poisson"
) -> LoadSpec:
    """An open loop with a connection for every request that can be under way."""
    return LoadSpec(server.address, (request(),), CONNECTIONS, duration_s, rate=rate, arrivals=arrivals, seed=seed)


def lindley_errors(result: LoadResult, service_s: float) -> FloatArray:
    """Seconds between each service time measured and the one that the recorded sends imply."""
    assert result.trace is not None
    order = np.argsort(result.trace.sent_s, kind="stable")
    predicted = lindley(result.trace.sent_s[order], service_s)
    errors: FloatArray = np.abs(every(result.service_time_us)[order] * 1e-6 - predicted)
    return errors


def check_lindley(
    engine: Engine, service_s: float, rho: float, duration_s: float, seed: int, cpus: Cpus = ()
) -> list[Check]:
    """Item 1: each request is predicted from the sends that were recorded."""
    with queue_server(service_s, cpus) as server:
        measured = engine.run_load(open_spec(server, rho / service_s, duration_s, seed))
    errors = lindley_errors(measured, service_s)
    return [
        Check("right replies", measured.answered, measured.planned, 0),
        Check("error of a request's predicted time, median, ms", float(np.median(errors)) * 1e3, 0, 0.5),
        Check("error of a request's predicted time, p99, ms", float(np.percentile(errors, 99)) * 1e3, 0, 1.0),
    ]


def check_md1(
    engine: Engine, service_s: float, rho: float, duration_s: float, seed: int, cpus: Cpus = ()
) -> list[Check]:
    """Item 2: the mean response time is that of M/D/1, and closer still that of the very schedule that was sent."""
    with queue_server(service_s, cpus) as server:
        spec = open_spec(server, rho / service_s, duration_s, seed)
        measured = engine.run_load(spec)
    mean = float(every(measured.response_time_us).mean()) * 1e-6 / service_s
    own = float(lindley(schedule("poisson", [(rho / service_s, duration_s)], seed), service_s).mean()) / service_s
    expected = md1_mean(rho)
    return [
        Check(f"mean response time of the schedule sent at ρ = {rho:g}, service times", mean, own, 0.1 * own),
        Check(f"mean response time of M/D/1 at ρ = {rho:g}, service times", mean, expected, 0.2 * expected),
    ]


def check_stall(
    engine: Engine, service_s: float, rate: float, duration_s: float, stall_s: float, cpus: Cpus = ()
) -> list[Check]:
    """Item 3: a stopped server shows in the open loop's p99, and hardly in a closed loop's."""
    stall = [(duration_s / 2, stall_s)]
    expected = stall_quantile(0.01, rate, duration_s, stall_s, service_s)
    with queue_server(service_s, cpus) as server, _stopped(server.process.pid, stall):
        measured = engine.run_load(open_spec(server, rate, duration_s, 0, "constant"))
    with queue_server(service_s, cpus) as server, _stopped(server.process.pid, stall):
        spec = LoadSpec(server.address, (request(),), CLOSED_CONNECTIONS, duration_s)
        naive = engine.run_load(spec)
    p99 = float(np.percentile(every(measured.response_time_us), 99)) * 1e-3
    naive_p99 = float(np.percentile(every(naive.service_time_us), 99)) * 1e-3
    return [
        Check("p99 of response time over a stall, ms", p99, expected * 1e3, 40),
        Check("p99 of a closed loop over the same stall, ms", naive_p99, CLOSED_CONNECTIONS * service_s * 1e3, 5),
        Check("100 ms without a reply", naive.answered_steps.count(0), stall_s * 10, 2),
    ]


def check_missing(engine: Engine, duration_s: float) -> list[Check]:
    """Item 9: 404 answers do not count as throughput."""
    with queue_server(0.001) as server:
        spec = LoadSpec(server.address, (request("/missing"),), CLOSED_CONNECTIONS, duration_s)
        measured = engine.run_load(spec)
    return [
        Check("right replies among 404s", measured.answered, 0, 0),
        Check("404s counted as wrong-status", measured.errors.get("wrong-status", 0), measured.planned, 0),
        Check("reasons to doubt 404s", float("replies" in _codes(measured)), 1, 0),
    ]


def check_throttled(engine: Engine, duration_s: float) -> list[Check]:
    """Item 9: a generator that is stopped again and again reports it."""
    with queue_server(0.001) as server:
        engine.run_load(open_spec(server, 100, 0.1, 0))
        [generator] = engine.pids
        with _stopped(generator, repeat((0.02, 0.02))):
            measured = engine.run_load(open_spec(server, 200, duration_s, 0))
    return [Check("reasons to doubt a throttled generator", float("generator-late" in _codes(measured)), 1, 0)]


def _codes(result: LoadResult) -> set[str]:
    return {reason.code for reason in result.reasons}


@contextmanager
def _stopped(pid: int, stops: Iterable[tuple[float, float]]) -> Iterator[None]:
    """Stops a process again and again while the block lasts: each time after so many seconds, for so many."""
    ended = threading.Event()

    def stop() -> None:
        for after_s, for_s in stops:
            if ended.wait(after_s):
                return
            os.kill(pid, signal.SIGSTOP)
            ended.wait(for_s)
            os.kill(pid, signal.SIGCONT)

    thread = threading.Thread(target=stop)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
