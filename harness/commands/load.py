"""``harness load``: a load on any URL."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from rich.console import Console
from rich.status import Status

from harness.commands.inputs import content, seconds
from harness.errors import UsageError, one_of
from harness.load.document import LoadFacts, document
from harness.load.engine import Engine
from harness.load.soundness import reasons
from harness.load.spec import (
    Arrivals,
    EventsSpec,
    Expected,
    LoadMeasurement,
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
    as_json: bool = False
    quiet: bool = False


def run(request: LoadRequest, out: Console | None = None, err: Console | None = None) -> int:
    """Send the load and print what it came to.

    Returns:
        0 measured; 1 not one right reply, or one that differed from an ``--expect-…``; 130 interrupted, with what was
        measured so far printed.

    Raises:
        UsageError: an option or the URL is wrong.
        NotReadyError: nothing listens there.
        EngineError: the load generator failed.
    """
    out = out or Console(file=sys.stdout, highlight=False)
    err = err or Console(file=sys.stderr, highlight=False)
    seed = random.SystemRandom().randrange(2**31) if request.seed is None else request.seed
    spec = build(request, seed)
    cpus = request.cpus or (detect().generator if request.processes == 1 else ())
    with Engine(cpus, request.processes) as engine:
        measurement = _send(engine, spec, request, err)
    why = reasons(measurement, spec.connections)
    facts: LoadFacts = {
        "url": request.url,
        "loop": "stream" if not isinstance(spec, LoadSpec) else "closed" if spec.rate is None else "open",
        "connections": spec.connections,
        "rate_rps": request.rate,
        "seed": seed,
        "processes": request.processes,
    }
    result = document(measurement, why, facts)
    if request.as_json:
        out.file.write(json.dumps(result, indent=1, allow_nan=False) + "\n")
    else:
        samples = measurement.service_time_us if measurement.response_time_us is None else measurement.response_time_us
        for line in lines(result, samples):
            out.print(line, markup=False, soft_wrap=True)
    if measurement.interrupted:
        return 130
    expecting = request.expect_status is not None or request.expect_body is not None
    return 1 if not measurement.answered or (expecting and measurement.failed) else 0


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


def _send(engine: Engine, spec: Spec, request: LoadRequest, err: Console) -> LoadMeasurement:
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
        return engine.run_load(spec, tell)


def _teller(status: Status, what: str) -> Callable[[Progress], None]:
    last = Progress("", 0.0, 0, 0)

    def tell(progress: Progress) -> None:
        nonlocal last
        rate = (progress.replies - last.replies) / max(progress.elapsed_s - last.elapsed_s, 1e-9)
        last = progress
        status.update(f"{what} · {format_duration(progress.elapsed_s)} · {significant(rate, 3)} replies/s")

    return tell
