"""One window: from what a study asks for to the engine's order, and from its answer to a record."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import numpy as np

from harness.launch import Running
from harness.load import soundness
from harness.load.pacing import phased_schedule
from harness.load.spec import (
    Address,
    Beside,
    EventsSpec,
    FloatArray,
    LoadMeasurement,
    LoadSpec,
    Progress,
    WebSocketSpec,
)
from harness.model import Failure, Gate, WindowRecord
from harness.placement import Placement
from harness.quantiles import percentiles
from harness.sampling import ProcessGone, TreeClock, clock_of, machine_delta, machine_sample, throttled_seconds
from harness.studies.ask import Ask, Echoes, Streams
from harness.validity import machine_gates
from harness.verify import case_of
from harness.wire import wire_request

WEBSOCKET_PATH = "/ws/echo"
OUTCOMES = frozenset({"replies"})
"""Faults that are the target's answer and no fault of the measurement."""

Order = LoadSpec | WebSocketSpec | EventsSpec
Samples = dict[int, FloatArray]


class LoadEngine(Protocol):
    """The load generator, as studies see it."""

    def run_load(self, spec: Order, on_progress: Callable[[Progress], None] | None = None) -> LoadMeasurement: ...


@dataclass(frozen=True, slots=True)
class Site:
    """A server under load.

    Attributes:
        pid: root of its process tree; 0 where that is not to be seen from here. ``usage_file``: see ``clock_of``.
        secret: the key of the tokens that it accepts.
    """

    target: str
    address: Address
    pid: int
    secret: str = ""
    usage_file: str = ""

    @property
    def host(self) -> str:
        return f"{self.address.host}:{self.address.port}"


def site_of(running: Running) -> Site:
    address = Address(running.bind.host, running.bind.port)
    return Site(running.target.name, address, running.pid, running.secret, running.usage_file)


def order_of(ask: Ask, site: Site, seed: int) -> Order:
    """What the engine is told to do."""
    load = ask.load
    if isinstance(load, Echoes):
        return WebSocketSpec(site.address, WEBSOCKET_PATH, load.connections, load.duration_s, authority=site.host)
    if isinstance(load, Streams):
        data = wire_request(case_of(load.request), site.host, secret=site.secret).data
        return EventsSpec(site.address, data, load.connections, load.duration_s)
    requests = tuple(wire_request(case_of(one), site.host, one.weight, site.secret) for one in load.requests)
    slow = wire_request(case_of(load.slow_request), site.host).data if load.slow_request else b""
    return LoadSpec(
        address=site.address,
        requests=requests,
        connections=load.connections,
        duration_s=load.duration_s,
        rate=load.rate or None,
        arrivals="poisson",
        seed=seed,
        in_flight_cap=load.in_flight_cap,
        timeout_s=load.timeout_s,
        phases=load.phases,
        beside=Beside(load.idle, requests[0].data, load.slow, slow),
    )


def measure(
    ask: Ask,
    name: str,
    block: int,
    attempt: int,
    site: Site,
    engine: LoadEngine,
    placement: Placement,
    seed: int,
    on_progress: Callable[[Progress], None] | None = None,
) -> tuple[WindowRecord, Samples]:
    """Sends the load and records what came of it.

    Raises:
        EngineError: the load generator failed.
    """
    order = order_of(ask, site, seed)
    tree = clock_of(site.pid, site.usage_file) if site.pid else None
    started_at, started = datetime.now(UTC), time.monotonic()
    cpu, before, throttled = _cpu(tree), machine_sample(), throttled_seconds()
    measured = engine.run_load(order, on_progress)
    elapsed = time.monotonic() - started
    used, delta = max(0.0, _cpu(tree) - cpu), machine_delta(before, machine_sample())
    machine = {"steal": delta.steal}
    if tree is not None and placement.server != placement.generator:
        # Packets and timers are no process's, and at a low rate a third of what the load itself makes the CPU do.
        busy = sum(delta.busy.get(cpu, 0.0) - delta.interrupts.get(cpu, 0.0) for cpu in placement.server)
        machine["foreign"] = max(0.0, busy - used / elapsed)
    if throttled is not None:
        machine["throttled"] = ((throttled_seconds() or 0.0) - throttled) / elapsed
    classes, samples = latencies(ask, measured)
    gates = [*machine_gates(machine)]
    gates += [
        Gate(gate, site.target, "", reason)
        for gate, reason in soundness.faults(measured, order.connections)
        if gate not in OUTCOMES
    ]
    figures = _figures(measured) | machine | {"window_s": measured.duration_s}
    if tree is not None:
        figures |= {"cpu_s": used, "rss_bytes": float(tree.memory_bytes())}
    if ask.figures is not None and isinstance(order, LoadSpec):
        assert order.rate is not None
        phases = order.phases or ((order.rate, order.duration_s),)
        figures |= ask.figures(measured, phased_schedule(order.arrivals, phases, order.seed))
    record = WindowRecord(
        id=name,
        block=block,
        attempt=attempt,
        study=ask.study,
        target=site.target,
        point=ask.key,
        engine="wire",
        setting=ask.setting,
        started_at=started_at.isoformat(timespec="milliseconds"),
        duration_s=elapsed,
        planned=measured.planned,
        answered=measured.answered,
        errors=_errors(measured),
        latency_us=classes,
        figures=figures,
        gates=tuple(gates),
    )
    return record, samples


def unmeasured(ask: Ask, name: str, block: int, target: str, failure: Failure) -> WindowRecord:
    """The record of a window that could not be: a target that lacks something, or that died."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return WindowRecord(
        name, block, 0, ask.study, target, ask.key, "wire", ask.setting, now, 0.0, 0, 0, failures=(failure,)
    )


def latencies(ask: Ask, measured: LoadMeasurement) -> tuple[dict[str, dict[str, float]], Samples]:
    """By class of request, without the lead-in: response times in an open loop, service times elsewhere."""
    parts = {name: part for name, part in _parts(ask, measured).items() if len(part)}
    return (
        {name: {"count": float(len(part)), **percentiles([part])} for name, part in parts.items()},
        dict(enumerate(parts.values())),
    )


def _parts(ask: Ask, measured: LoadMeasurement) -> dict[str, FloatArray]:
    load, service = ask.load, measured.service_time_us
    if isinstance(load, Echoes):
        return {"echo": service, "handshake": measured.series.get("handshake_us", np.empty(0))}
    if isinstance(load, Streams):
        return {"first-event": service, "gap": measured.series.get("gap_us", np.empty(0))}
    response = measured.response_time_us
    if response is None:
        return {load.classes[0]: service[measured.sent_s >= load.lead_in_s]}
    planned = measured.sent_s - (response - service) * 1e-6
    if load.phases:
        ends = np.cumsum([seconds for _, seconds in load.phases])
        number = np.minimum(np.searchsorted(ends, planned, side="right"), len(load.phases) - 1)
    else:
        assert measured.request is not None
        number = measured.request
    counted = planned >= load.lead_in_s
    return {name: response[counted & (number == index)] for index, name in enumerate(load.classes)}


def _errors(measured: LoadMeasurement) -> dict[str, int]:
    more = {"dropped": measured.dropped, "unfinished": measured.unfinished}
    return dict(measured.errors) | {kind: count for kind, count in more.items() if count}


def _figures(measured: LoadMeasurement) -> dict[str, float]:
    figures = {
        "throughput_rps": measured.in_time / measured.duration_s if measured.duration_s else 0.0,
        "generator_cpu": measured.generator_cpu,
        **{name: float(count) for name, count in measured.counts.items()},
    }
    if measured.lateness_us is not None and len(measured.lateness_us):
        figures["lateness_p99_us"] = float(np.percentile(measured.lateness_us, 99))
    if measured.in_flight_mean is not None:
        figures["in_flight_mean"] = measured.in_flight_mean
    return figures


def _cpu(tree: TreeClock | None) -> float:
    if tree is None:
        return 0.0
    try:
        tree.refresh()
        return tree.cpu()
    except ProcessGone:
        return 0.0
