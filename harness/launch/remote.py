"""Targets that run elsewhere already: nothing is started or ended, and their CPU cannot be read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import NotReadyError, UsageError
from harness.launch import JWT_SECRET, Running
from harness.load.url import parse_url, reach
from harness.model import Failure, PlannedRequest, RawRequest, Scenario, Target
from harness.servers import Bind
from harness.verify import case_of, exchange

SERVER = "elsewhere"
NOTE = (
    "targets elsewhere: they are not started afresh in each block, the network is part of every figure, and their CPU "
    "cannot be read"
)


@dataclass(slots=True)
class Elsewhere:
    """The process of a server that this machine does not see."""

    pid: int = 0
    returncode: int | None = None

    def poll(self) -> int | None:
        return None


class RemoteFleet:
    """Takes the place of ``launch.Fleet``: a target is up where its address accepts connections."""

    def __init__(self) -> None:
        self.running: dict[str, Running] = {}
        self.failures: dict[str, Failure] = {}

    def __enter__(self) -> RemoteFleet:
        return self

    def __exit__(self, *_: object) -> None:
        self.running.clear()

    def start(self, targets: Sequence[Target]) -> None:
        """Looks whether each is there; one that is not is a ``Failure``."""
        for target in targets:
            try:
                destination = parse_url(target.application)
                reach(destination)
            except (UsageError, NotReadyError) as error:
                self.failures[target.name] = Failure(target.name, "", "not-ready", str(error))
                continue
            address, secret = destination.address, os.environ.get(JWT_SECRET, "")
            bind = Bind(address.host, address.port)
            self.running[target.name] = Running(target, bind, Elsewhere(), Path(os.devnull), secret=secret)


def remote_target(text: str) -> Target:
    """A target from ``http://host:8000/path`` or ``name=http://…``.

    Raises:
        UsageError: it is no such URL.
    """
    name, equals, url = text.partition("=")
    if not equals or "://" in name:
        name, url = "", text
    destination = parse_url(url)
    if destination.scheme != "http" or destination.address.path:
        raise UsageError(f"--url {text}: only http:// is compared", hint="other URLs: harness load")
    name = name or f"{destination.address.host}:{destination.address.port}"
    return Target(name=name, framework="elsewhere", interface="native", server=SERVER, application=url, reference=True)


def raw_scenario(targets: Sequence[Target], concurrency: int) -> Scenario:
    """``GET`` of the path that all URLs have, with the reply that they give.

    Raises:
        UsageError: their paths differ.
        NotReadyError: one does not answer, or with an error.
    """
    destinations = [parse_url(target.application) for target in targets]
    paths = dict.fromkeys(destination.target for destination in destinations)
    if len(paths) > 1:
        raise UsageError(f"the URLs have different paths: {', '.join(paths)}", hint="give all the same path, or -s")
    path = next(iter(paths))
    raw = RawRequest("GET", path)
    replies = []
    for target, destination in zip(targets, destinations, strict=True):
        reach(destination)
        bind = Bind(destination.address.host, destination.address.port)
        for _ in range(2):
            try:
                reply = exchange(bind, case_of(PlannedRequest("", path, raw=raw)))
            except OSError as error:
                raise NotReadyError(f"{target.name}: no reply: {error}", hint="is the server running?") from None
            if reply.status >= 400:
                raise NotReadyError(f"{target.name}: GET {path} answered {reply.status}: {reply.body[:200]!r}")
            replies.append(reply)
    statuses, bodies = {reply.status for reply in replies}, {reply.body for reply in replies}
    raw = RawRequest(
        "GET",
        path,
        status=statuses.pop() if len(statuses) == 1 else 0,
        body=bodies.pop().decode("latin-1") if len(bodies) == 1 else None,
    )
    request = PlannedRequest("", f"GET {path}", raw=raw)
    return Scenario("request", f"GET {path}", "pick", "What the URLs have in common.", (request,), (concurrency,))


def bare(targets: Sequence[Target]) -> None:
    """Raises ``UsageError`` where a URL has a path beside scenarios, which bring their own."""
    for target in targets:
        if parse_url(target.application).target != "/":
            raise UsageError(f"{target.application}: -s brings its own paths", hint="write http://host:port")
