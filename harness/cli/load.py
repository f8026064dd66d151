"""``harness load``: a load on any URL."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from harness.cli import options as opt
from harness.cli.output import errors, print_json, print_lines
from harness.errors import UsageError
from harness.model.units import format_duration, number_of, significant

if TYPE_CHECKING:
    from harness.engine.spec import WireLoad
    from harness.engine.url import Destination

KEEP = 1_000_000
"""Latencies that are stored one by one; those after them go into an HDR histogram."""

FIVE_SECONDS, TEN_SECONDS = opt.duration("5s"), opt.duration("10s")


def load(
    url: Annotated[str, opt.argument("URL", "http[s]://…, ws[s]://…, or http+unix://%2Fpath%2Fof.sock/…")],
    connections: Annotated[int, opt.number("Concurrency.", "-c", "--connections")] = 32,
    duration: Annotated[opt.Quantity, opt.time("How long to send.", "-d", "--duration")] = FIVE_SECONDS,
    rate: Annotated[float | None, opt.number("Requests per second.", "-r", "--rate", min=None)] = None,
    arrivals: Annotated[
        Literal["constant", "poisson"] | None, typer.Option(help="How --rate spaces requests. Default: constant.")
    ] = None,
    method: opt.Method = "",
    header: opt.Headers = [],  # noqa: B006
    body: Annotated[list[str], opt.text("TEXT|@FILE", "Repeatable: sent in random order.", by_line=True)] = [],  # noqa: B006
    expect_status: Annotated[int | None, opt.number("The correct status. Default: any of 2xx and 3xx.")] = None,
    expect_body: Annotated[str | None, opt.text("TEXT|@FILE", "The correct body.")] = None,
    timeout: Annotated[opt.Quantity, opt.time("Per-request timeout.")] = TEN_SECONDS,
    cacert: opt.CaCert = "",
    insecure: opt.Insecure = False,
    seed: opt.Seed = None,
    cpu: Annotated[list[int], opt.number("CPU to send from; repeatable.", min=0)] = [],  # noqa: B006
    sse: Annotated[bool, typer.Option("--sse", help="Read server-sent events.")] = False,
    messages_in_flight: Annotated[int, opt.number("WebSocket: messages in flight on each connection.")] = 1,
    workers: opt.Workers = 0,
    join: opt.Join = 0,
    listen: opt.Listen = "",
    port: opt.Port = None,
    on_lost: opt.OnLost = "invalid",
    live: opt.Live = False,
    as_json: opt.Json = False,
    quiet: opt.Quiet = False,
) -> int:
    """Send a load to a URL; every reply is checked.

    The first million latencies are stored one by one; a histogram counts the others, within 0.05%.

    With --workers, or --join and "harness worker" on other machines, all workers start together, and each sends its
    share.

    Exit codes: 0 measured; 1 a reply differs from --expect-…; 2 usage; 3 nothing listens there; 4 no correct reply, a
    worker was lost, or this machine had no port or file left; 130 interrupted, with what was measured so far printed.
    """
    from harness.cluster.options import LIVE_PORT, ClusterOptions
    from harness.config.placement import detect
    from harness.config.requests import parse_headers
    from harness.engine.engine import Engine
    from harness.engine.soundness import MACHINE_LIMITS
    from harness.engine.spec import EventsSpec, LoadSpec, WebSocketSpec
    from harness.engine.url import expects_tls, parse_url, reach, request_to
    from harness.model.load import LoadResult
    from harness.report.load_summary import lines
    from harness.report.progress import load_shown, worker_news

    destination, headers = parse_url(url, cacert, insecure), parse_headers(header)
    _check(destination, rate, sse, bool(body or expect_body or expect_status))
    if arrivals is not None and rate is None:
        raise UsageError("--arrivals spaces the requests of --rate", hint="give --rate too, or leave out --arrivals")
    check_cpus(cpu)
    seed = random.SystemRandom().randrange(2**31) if seed is None else seed
    address = reach(destination.address)
    spec: WireLoad
    if destination.scheme == "ws":
        spec = WebSocketSpec(
            address, connections, duration, timeout, path=destination.target, authority=destination.authority,
            in_flight=messages_in_flight, headers=headers, keep=KEEP,
        )  # fmt: skip
    elif sse:
        request = request_to(destination, method or "GET", (("Accept", "text/event-stream"), *headers))
        spec = EventsSpec(address, connections, duration, timeout, data=request.data, keep=KEEP)
    else:
        text = None if expect_body is None else opt.content("--expect-body", expect_body)
        bodies = [opt.content("--body", each) for each in body] or [b""]
        method = method or ("POST" if body else "GET")
        requests = tuple(request_to(destination, method, headers, each, expect_status or 0, text) for each in bodies)
        spec = LoadSpec(
            address, requests, connections, duration, rate, arrivals or "constant", seed, timeout_s=timeout, keep=KEEP
        )
    err, title = errors(quiet), f"{url}: {number_of(connections, 'connection')}, {format_duration(duration)}"
    if rate is not None:
        title += f", {significant(rate, 3)} requests/s"
    options = ClusterOptions(workers, join, listen, port, on_lost, live, cpus=tuple(cpu))
    sender: Engine | Cluster
    if options.count:
        from harness.cluster.cluster import Cluster

        options.check_target(destination.address.host)
        if join:
            # Each worker looks the name up for itself.
            spec = replace(spec, address=destination.address)
        sender = Cluster(options, worker_news(err, LIVE_PORT if live else 0))
    else:
        sender = Engine(tuple(cpu) or detect().generator)
    # The result of a signal before the load began.
    result = LoadResult(spec.loop, connections, 0.0, 0.0, interrupted=True)
    with suppress(KeyboardInterrupt), sender, load_shown(err, title) as on_progress:
        result = sender.run_load(spec, on_progress)
    if result.failed and not result.answered and set(result.errors) <= {"closed", "reset"}:
        result = replace(result, reasons=(*expects_tls(address), *result.reasons))
    result = replace(result, url=url, seed=seed)
    if as_json:
        print_json(result.to_json())
    else:
        print_lines(lines(result))
    if result.interrupted:
        return 130
    invalid = {"worker-lost", "no-worker", *MACHINE_LIMITS}
    if any(reason.code in invalid for reason in result.reasons):
        return 4
    expected_else = expect_status is not None or expect_body is not None
    if expected_else and any(kind.startswith("wrong-") for kind in result.errors):
        return 1
    return 0 if result.answered else 4


def check_cpus(cpus: Sequence[int]) -> None:
    """Raises ``UsageError`` where this process may not run on one of them."""
    allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))
    for cpu in cpus:
        if cpu not in allowed:
            raise UsageError(f"--cpu {cpu}: there is no such CPU", hint=f"CPUs here: {', '.join(map(str, allowed))}")


def _check(destination: Destination, rate: float | None, sse: bool, plain: bool) -> None:
    streams = sse or destination.scheme == "ws"
    if rate is not None and not 0 < rate <= 1e7:
        raise UsageError(f"--rate {rate:g}: must be above 0 and at most 10,000,000 per second")
    if rate is not None and streams:
        raise UsageError("--rate is for plain requests: streams are a closed loop", hint="leave out --rate")
    if sse and destination.scheme == "ws":
        raise UsageError("--sse is for http:// URLs", hint="leave out --sse, or write http://")
    if plain and streams:
        raise UsageError("--body and --expect-… are for plain requests", hint="leave them out for streams")
