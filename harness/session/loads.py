"""A study's load on one target, sent by the wire engine."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from harness.engine.clocks import TreeClock
from harness.engine.engine import Engine
from harness.engine.pacing import schedule
from harness.engine.spec import EventsSpec, ExtraConnections, LoadSpec, OnProgress, WebSocketSpec, WireLoad
from harness.engine.wire import requests_to
from harness.model import Gate
from harness.model.load import FloatArray, LoadResult, every
from harness.serve import Running
from harness.session.meter import Meter
from harness.session.sender import Job, Sender, SendResult, result_of_load
from harness.session.turns import blank, worker_shares
from harness.studies.study import Echoes, Idle, Requests, Streams, WindowSpec

WEBSOCKET_PATH = "/ws/echo"
OUTCOMES = frozenset({"replies"})
"""Faults that are the target's answer, not a fault of the measurement."""


class LoadSender(Sender):
    """Plain requests, WebSocket echoes or streams of events."""

    def __init__(self, wire: Engine) -> None:
        self._wire = wire

    def send(self, job: Job, meter: Meter, on_progress: OnProgress) -> SendResult:
        assert job.spec is not None
        [side] = job.sides
        spec, load = job.spec, job.spec.load
        if isinstance(load, Idle):
            meter.begin()
            time.sleep(load.duration_s)
            meter.end()
            figures = {"window_s": load.duration_s, **_memory(spec, meter.tree(side.target))}
            return SendResult((replace(blank(side, {}, spec), figures=figures),))
        order = order_of(spec, job.servers[side.target], job.seed)
        meter.begin()
        tree = meter.tree(side.target)
        before = tree.each() if tree else {}
        measured = self._wire.run_load(order, on_progress)
        after = tree.each() if tree else {}
        meter.end(measured.generator_cpu)
        times = {name: part for name, part in _parts(spec, measured).items() if len(part)}
        # Where it has a CPU with the servers it waits for them, and the servers have other requests meanwhile.
        ignored = OUTCOMES | ({"generator-starved"} if meter.shared else set())
        gates = (Gate(reason, side.target) for reason in measured.reasons if reason.code not in ignored)
        figures = _figures(measured) | {"window_s": measured.duration_s, "cpus": meter.cpus, **_memory(spec, tree)}
        spent = sorted((after[pid] - before[pid] for pid in before.keys() & after.keys()), reverse=True)
        if spec.figures is not None and isinstance(order, LoadSpec):
            assert order.rate is not None
            phases = order.phases or ((order.rate, order.duration_s),)
            figures |= spec.figures(measured, schedule(order.arrivals, phases, order.seed))
        lost = {"dropped": measured.dropped, "unfinished": measured.unfinished}
        result = replace(
            blank(side, {}, spec),
            concurrency=order.connections,
            worker_shares=worker_shares(spent, job.servers[side.target].target.workers),
            errors={kind: count for kind, count in lost.items() if count},
        )
        return result_of_load(result, measured, meter, times, figures, gates)


def order_of(spec: WindowSpec, running: Running, seed: int) -> WireLoad:
    """The order to the engine."""
    load, address = spec.load, running.bind
    if isinstance(load, Echoes):
        return WebSocketSpec(address, load.connections, load.duration_s, path=WEBSOCKET_PATH, authority=str(address))
    if isinstance(load, Streams):
        [request] = requests_to(running, [load.request])
        gap_s = request.least_s / max(1, (request.case.text or b"").count(b"\n\n") - 1)
        return EventsSpec(address, load.connections, load.duration_s, data=request.data, gap_s=gap_s)
    assert isinstance(load, Requests)
    requests = requests_to(running, load.requests)
    slow = b"".join(request.data for request in requests_to(running, filter(None, [load.slow_request])))
    return LoadSpec(
        address=address,
        requests=requests,
        connections=load.connections,
        duration_s=load.duration_s,
        rate=load.rate or None,
        arrivals="poisson",
        seed=seed,
        in_flight_cap=load.in_flight_cap,
        timeout_s=load.timeout_s,
        phases=load.phases,
        extra=ExtraConnections(load.idle, requests[0].data, load.slow, slow),
    )


def _parts(spec: WindowSpec, measured: LoadResult) -> dict[str, FloatArray]:
    """Latencies by class, without the lead-in: response times in an open loop, service times elsewhere."""
    load, service = spec.load, every(measured.service_time_us)
    if isinstance(load, Echoes):
        return {"echo": service, "handshake": every(measured.series.get("handshake_us"))}
    if isinstance(load, Streams):
        return {"first-event": service, "gap": every(measured.series.get("gap_us"))}
    assert isinstance(load, Requests)
    assert measured.trace is not None
    if measured.loop == "closed":
        return {load.classes[0]: service[measured.trace.sent_s >= load.lead_in_s]}
    response, planned = every(measured.response_time_us), measured.planned_s
    if load.phases:
        ends = np.cumsum([seconds for _, seconds in load.phases])
        number = np.minimum(np.searchsorted(ends, planned, side="right"), len(load.phases) - 1)
    else:
        number = measured.trace.request
    counted = planned >= load.lead_in_s
    return {name: response[counted & (number == index)] for index, name in enumerate(load.classes)}


def _memory(spec: WindowSpec, tree: TreeClock | None) -> dict[str, float]:
    return {"memory_bytes": float(tree.anonymous_bytes())} if spec.memory and tree is not None else {}


def _figures(measured: LoadResult) -> dict[str, float]:
    figures = {name: float(count) for name, count in measured.counts.items()}
    if measured.lateness_us is not None:
        figures["lateness_p99_us"] = measured.lateness_us.quantiles([0.99])[0]
    if measured.in_flight_mean is not None:
        figures["in_flight_mean"] = measured.in_flight_mean
    return figures
