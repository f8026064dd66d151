"""``harness load``: a load on any URL."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.status import Status

from harness.commands.crew import CrewRequest, check_reachable, crew_of, teller
from harness.commands.inputs import content, seconds
from harness.errors import UsageError, one_of
from harness.load.document import LoadDocument, LoadFacts, document
from harness.load.engine import Engine
from harness.load.soundness import reasons
from harness.load.spec import (
    Arrivals,
    EventsSpec,
    Expected,
    FloatArray,
    LoadSpec,
    Progress,
    WebSocketSpec,
    WireRequest,
)
from harness.load.url import Destination, parse_headers, parse_url, reach, request_bytes
from harness.placement import detect
from harness.render.load_summary import lines
from harness.units import format_duration, significant

Spec = LoadSpec | WebSocketSpec | EventsSpec
Counts = npt.NDArray[np.int64]
Order = TypeVar("Order", bound=Spec, contravariant=True)
Came = TypeVar("Came", covariant=True)
SUCCESS = (200, 399)
MAX_PROCESSES = 256


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """What the command line says.

    Attributes:
        bodies: each a text, or ``@`` and a file; several are sent in turn, in a seeded order.
        expect_body: a text, or ``@`` and a file.
        method: ``GET`` unless given, ``POST`` where there is a body.
        seed: a fresh one where ``None``.
        cpus: CPUs to send from; the machine's generator CPU unless given.
    """

    url: str
    connections: int = 32
    duration: str = "5s"
    rate: float | None = None
    arrivals: str = "constant"
    method: str = ""
    headers: tuple[str, ...] = ()
    bodies: tuple[str, ...] = ()
    expect_status: int | None = None
    expect_body: str | None = None
    timeout: str = "10s"
    processes: int = 1
    seed: int | None = None
    cpus: tuple[int, ...] = ()
    sse: bool = False
    messages_in_flight: int = 1
    crew: CrewRequest = field(default_factory=CrewRequest)
    as_json: bool = False
    quiet: bool = False


def run(request: LoadRequest, out: Console | None = None, err: Console | None = None) -> int:
    """Send the load and print what it came to.

    Returns:
        0 measured; 1 not one right reply, or one that differed from an ``--expect-…``; 4 a worker was lost; 130
        interrupted, with what was measured so far printed.

    Raises:
        UsageError: an option or the URL is wrong.
        NotReadyError: nothing listens there.
        EngineError: the load generator failed.
    """
    out = out or Console(file=sys.stdout, highlight=False)
    err = err or Console(file=sys.stderr, highlight=False)
    seed = random.SystemRandom().randrange(2**31) if request.seed is None else request.seed
    spec = build(request, seed)
    if request.crew.asked:
        return _run_crew(request, spec, seed, out, err)
    cpus = request.cpus or (detect().generator if request.processes == 1 else ())
    with Engine(cpus, request.processes) as engine:
        measurement = _send(engine, spec, request, err)
    why = reasons(measurement, spec.connections)
    result = document(measurement, why, _facts(request, spec, seed))
    samples = measurement.service_time_us if measurement.response_time_us is None else measurement.response_time_us
    _show(request, result, samples, None, out)
    return _code(request, measurement.interrupted, measurement.answered, measurement.failed)


def _run_crew(request: LoadRequest, spec: Spec, seed: int, out: Console, err: Console) -> int:
    """The same, from workers."""
    from harness.swarm.cluster import Cluster
    from harness.swarm.document import swarm_document

    if not isinstance(spec, LoadSpec):
        raise UsageError("--workers is for plain requests", hint="streams: --processes, on one machine")
    if request.processes > 1:
        raise UsageError("--processes and --workers exclude each other: each worker is a process")
    crew = crew_of(request.crew, request.cpus)
    destination = parse_url(request.url)
    check_reachable(destination.address.host, crew)
    if crew.elsewhere:
        # Each worker looks the name up for itself.
        spec = replace(spec, address=destination.address)
    told = teller(err, request.quiet, crew)
    with Cluster(crew, told) as cluster:
        measurement = _send(cluster, spec, request, err)
    facts = _facts(request, spec, seed)
    facts["processes"] = crew.count
    result = swarm_document(measurement, facts)
    report = measurement.report
    found = None if report is None else report.service if report.response is None else report.response
    values, counts = (np.zeros(0), None) if found is None else found.values()
    _show(request, result, values, counts, out)
    if report is None:
        return 4
    lost = any(member.lost for member in measurement.members) and crew.lost == "invalid"
    return _code(request, measurement.interrupted, report.answered, report.failed) or (4 if lost else 0)


def _facts(request: LoadRequest, spec: Spec, seed: int) -> LoadFacts:
    return {
        "url": request.url,
        "loop": "stream" if not isinstance(spec, LoadSpec) else "closed" if spec.rate is None else "open",
        "connections": spec.connections,
        "rate_rps": request.rate,
        "seed": seed,
        "processes": request.processes,
    }


def _show(request: LoadRequest, result: LoadDocument, samples: FloatArray, counts: Counts | None, out: Console) -> None:
    if request.as_json:
        out.file.write(json.dumps(result, indent=1, allow_nan=False) + "\n")
        return
    for line in lines(result, samples, counts):
        out.print(line, markup=False, soft_wrap=True)


def _code(request: LoadRequest, interrupted: bool, answered: int, failed: int) -> int:
    if interrupted:
        return 130
    expecting = request.expect_status is not None or request.expect_body is not None
    return 1 if not answered or (expecting and failed) else 0


def build(request: LoadRequest, seed: int) -> Spec:
    """The engine's order for a request, once the address is known to accept connections.

    Raises:
        UsageError, NotReadyError: see ``run``.
    """
    destination = parse_url(request.url)
    headers = parse_headers(request.headers)
    duration, timeout = seconds("--duration", request.duration), seconds("--timeout", request.timeout)
    _check(request, destination)
    if destination.scheme == "ws":
        return WebSocketSpec(
            address=reach(destination),
            path=destination.target,
            connections=request.connections,
            duration_s=duration,
            authority=destination.authority,
            in_flight=request.messages_in_flight,
            headers=headers,
            timeout_s=timeout,
        )
    if request.sse:
        accept = (("Accept", "text/event-stream"), *headers)
        data = request_bytes(destination, request.method or "GET", accept, None)
        return EventsSpec(reach(destination), data, request.connections, duration, timeout)
    return LoadSpec(
        requests=_requests(request, destination, headers),
        address=reach(destination),
        connections=request.connections,
        duration_s=duration,
        rate=request.rate,
        arrivals=_arrivals(request.arrivals),
        seed=seed,
        timeout_s=timeout,
    )


def _requests(
    request: LoadRequest, destination: Destination, headers: tuple[tuple[str, str], ...]
) -> tuple[WireRequest, ...]:
    expected = Expected(
        status=request.expect_status,
        statuses=SUCCESS if request.expect_status is None else None,
        body=None if request.expect_body is None else content("--expect-body", request.expect_body),
    )
    bodies: list[bytes | None] = [content("--body", body) for body in request.bodies]
    method = request.method or ("POST" if bodies else "GET")
    name = f"{method} {destination.target}"
    return tuple(
        WireRequest(name, request_bytes(destination, method, headers, body), expected, method)
        for body in bodies or [None]
    )


def _check(request: LoadRequest, destination: Destination) -> None:
    positive = {
        "--connections": request.connections,
        "--processes": request.processes,
        "--messages-in-flight": request.messages_in_flight,
    }
    for option, value in positive.items():
        if value < 1:
            raise UsageError(f"{option} {value}: must be 1 or more")
    if request.processes > min(request.connections, MAX_PROCESSES):
        raise UsageError(f"--processes {request.processes}: must not be above --connections ({request.connections})")
    if request.rate is not None and not 0 < request.rate <= 1e7:
        raise UsageError(f"--rate {request.rate:g}: must be above 0 and at most 10,000,000 per second")
    if request.rate is not None and (request.sse or destination.scheme == "ws"):
        raise UsageError("--rate is for plain requests: streams are a closed loop", hint="leave out --rate")
    if request.sse and destination.scheme == "ws":
        raise UsageError("--sse is for http:// URLs", hint="leave out --sse, or write http://")
    plain = request.bodies or request.expect_body is not None or request.expect_status is not None
    if plain and (request.sse or destination.scheme == "ws"):
        raise UsageError("--body and --expect-… are for plain requests", hint="leave them out for streams")


def _arrivals(text: str) -> Arrivals:
    return "constant" if one_of("--arrivals", text, ("constant", "poisson")) == "constant" else "poisson"


class Sender(Protocol[Order, Came]):
    """An engine here, or workers."""

    def run_load(self, spec: Order, on_progress: Callable[[Progress], None] | None = None) -> Came: ...


def _send(sender: Sender[Order, Came], spec: Order, request: LoadRequest, err: Console) -> Came:
    what = f"{request.url}: {spec.connections} connections, {format_duration(spec.duration_s)}"
    if request.rate is not None:
        what += f", {significant(request.rate, 3)} requests/s"
    shown: AbstractContextManager[object] = nullcontext()
    tell: Callable[[Progress], None] | None = None
    if err.is_terminal and not request.quiet:
        status = Status(what, console=err)
        shown, tell = status, _teller(status, what)
    elif not request.quiet:
        err.print(what, markup=False, soft_wrap=True)
    with shown:
        return sender.run_load(spec, tell)


def _teller(status: Status, what: str) -> Callable[[Progress], None]:
    last = Progress("", 0.0, 0, 0)

    def tell(progress: Progress) -> None:
        nonlocal last
        rate = (progress.replies - last.replies) / max(progress.elapsed_s - last.elapsed_s, 1e-9)
        last = progress
        status.update(f"{what} · {format_duration(progress.elapsed_s)} · {significant(rate, 3)} replies/s")

    return tell
