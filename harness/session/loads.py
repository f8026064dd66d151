"""A study's load on one target, sent by the wire engine."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from harness.engine.clocks import TreeClock
from harness.engine.engine import Engine
from harness.engine.messages import Load
from harness.engine.pacing import schedule
from harness.engine.process import OnProgress
from harness.engine.spec import EventsSpec, ExtraConnections, LoadSpec, WebSocketSpec
from harness.engine.wire import address_of, wire_request
from harness.model import Gate
from harness.model.load import FloatArray, LoadResult, every
from harness.serve import Running
from harness.session.meter import Meter
from harness.session.sender import Job, Sender, Sent
from harness.session.turns import blank, worker_shares
from harness.stats.quantiles import percentiles
from harness.studies.study import Ask, Echoes, Idle, Requests, Streams
from harness.verify import case_of

WEBSOCKET_PATH = "/ws/echo"
OUTCOMES = frozenset({"replies"})
"""Faults that are the target's answer and no fault of the measurement."""

Samples = dict[int, FloatArray]


class LoadSender(Sender):
    """Plain requests, WebSocket echoes or streams of events."""

    def __init__(self, wire: Engine) -> None:
        self._wire = wire

    def send(self, job: Job, meter: Meter, on_progress: OnProgress) -> Sent:
        assert job.ask is not None
        [side] = job.sides
        ask, load = job.ask, job.ask.load
        if isinstance(load, Idle):
            meter.begin()
            time.sleep(load.duration_s)
            meter.end()
            figures = {"window_s": load.duration_s, **_memory(ask, meter.tree(side.target))}
            return Sent((replace(blank(side, {}), params=ask.setting, figures=figures),))
        order = order_of(ask, job.servers[side.target], job.seed)
        meter.begin()
        tree = meter.tree(side.target)
        before = tree.each() if tree else {}
        measured = self._wire.run_load(order, on_progress)
        after = tree.each() if tree else {}
        meter.end(measured.generator_cpu)
        classes, samples = latencies(ask, measured)
        # Where it has a CPU with the servers it waits for them, and the servers have other requests meanwhile.
        ignored = OUTCOMES | ({"generator-starved"} if meter.shared else set())
        gates = tuple(Gate(reason, side.target) for reason in measured.reasons if reason.code not in ignored)
        figures = _figures(measured) | {"window_s": measured.duration_s, "cpus": meter.cpus, **_memory(ask, tree)}
        spent = sorted((after[pid] - before[pid] for pid in before.keys() & after.keys()), reverse=True)
        if side.target in meter.cpu_s:
            figures["cpu_s"] = meter.cpu_s[side.target]
        if ask.figures is not None and isinstance(order, LoadSpec):
            assert order.rate is not None
            phases = order.phases or ((order.rate, order.duration_s),)
            figures |= ask.figures(measured, schedule(order.arrivals, phases, order.seed))
        result = replace(
            blank(side, {}),
            params=ask.setting,
            concurrency=order.connections,
            planned=measured.planned,
            answered=measured.answered,
            worker_shares=worker_shares(spent, job.servers[side.target].target.workers),
            errors=_errors(measured),
            latency_us=classes,
            figures=figures,
        )
        return Sent((result,), gates=gates, samples=samples, interrupted=measured.interrupted)


def order_of(ask: Ask, running: Running, seed: int) -> Load:
    """What the engine is told to do."""
    load, address = ask.load, address_of(running)
    host = str(address)
    if isinstance(load, Echoes):
        return WebSocketSpec(address, load.connections, load.duration_s, path=WEBSOCKET_PATH, authority=host)
    if isinstance(load, Streams):
        request = wire_request(case_of(load.request), host, secret=running.secret)
        gap_s = request.least_s / max(1, (request.expected.body or b"").count(b"\n\n") - 1)
        return EventsSpec(address, load.connections, load.duration_s, data=request.data, gap_s=gap_s)
    assert isinstance(load, Requests)
    requests = tuple(wire_request(case_of(one), host, one.weight, running.secret) for one in load.requests)
    slow = wire_request(case_of(load.slow_request), host).data if load.slow_request else b""
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


def latencies(ask: Ask, measured: LoadResult) -> tuple[dict[str, dict[str, float]], Samples]:
    """By class of request, without the lead-in: response times in an open loop, service times elsewhere."""
    parts = {name: part for name, part in _parts(ask, measured).items() if len(part)}
    return (
        {name: {"count": float(len(part)), **percentiles([part])} for name, part in parts.items()},
        dict(enumerate(parts.values())),
    )


def _parts(ask: Ask, measured: LoadResult) -> dict[str, FloatArray]:
    load, service = ask.load, every(measured.service_time_us)
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


def _errors(measured: LoadResult) -> dict[str, int]:
    more = {"dropped": measured.dropped, "unfinished": measured.unfinished}
    return dict(measured.errors) | {kind: count for kind, count in more.items() if count}


def _memory(ask: Ask, tree: TreeClock | None) -> dict[str, float]:
    return {"memory_bytes": float(tree.anonymous_bytes())} if ask.memory and tree is not None else {}


def _figures(measured: LoadResult) -> dict[str, float]:
    figures = {
        "throughput_rps": measured.throughput_rps or 0.0,
        "generator_cpu": measured.generator_cpu,
        "generator_wait": measured.generator_wait,
        **{name: float(count) for name, count in measured.counts.items()},
    }
    if measured.lateness_us is not None:
        figures["lateness_p99_us"] = measured.lateness_us.quantiles([0.99])[0]
    if measured.in_flight_mean is not None:
        figures["in_flight_mean"] = measured.in_flight_mean
    return figures
