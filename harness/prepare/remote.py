"""Targets that run elsewhere already: nothing is started or ended, and their CPU cannot be read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harness.config.requests import planned
from harness.engine.url import Destination, parse_url, reach
from harness.errors import NotReadyError, UsageError
from harness.model import ELSEWHERE, OptionValue, RawRequest, Scenario, Target
from harness.serve import JWT_SECRET, READY_S, Fleet, Running
from harness.serve.servers import Bind
from harness.verify import case_of, exchange


class MixedFleet(Fleet):
    """Also of targets that run elsewhere: one is up where its address accepts connections."""

    def begin(self, targets: Sequence[Target]) -> None:
        super().begin([target for target in targets if not target.elsewhere])

    def start(self, targets: Sequence[Target], deadline_s: float = READY_S) -> None:
        super().start([target for target in targets if not target.elsewhere], deadline_s)
        for target in targets:
            if not target.elsewhere:
                continue
            try:
                address = destination_of(target).address
                reach(address)
            except (UsageError, NotReadyError) as error:
                self.fail(target, error)
                continue
            secret = os.environ.get(JWT_SECRET, "")
            bind = Bind(address.host, address.port, tls=address.tls)
            self.running[target.name] = Running(target, bind, None, secret=secret)


def destination_of(target: Target) -> Destination:
    """Where a target is, and how its certificate is checked."""
    options = target.options
    return parse_url(target.application, str(options.get("cacert", "")), bool(options.get("insecure", False)))


def remote_target(text: str, cacert: str = "", insecure: bool = False) -> Target:
    """A target from ``http[s]://host:8000/path`` or ``name=http://…``; certificates are checked as ``parse_url`` does.

    Raises:
        UsageError: it is not such a URL.
    """
    name, equals, url = text.partition("=")
    if not equals or set(name) & set(":/"):
        name, url = "", text
    if "://" not in url:
        url = f"http://{url}"
    options: dict[str, OptionValue] = {}
    if url.startswith("https:"):
        options |= {"cacert": str(Path(cacert).resolve())} if cacert else {}
        options |= {"insecure": True} if insecure else {}
    destination = parse_url(url, cacert if options else "", bool(options.get("insecure")))
    if destination.scheme != "http" or destination.address.path:
        raise UsageError(f"{text}: only http:// and https:// are compared", hint="other URLs: harness load")
    name = name or f"{destination.address.host}:{destination.address.port}"
    return Target(
        name=name,
        framework=ELSEWHERE,
        interface="native",
        server=ELSEWHERE,
        application=url,
        options=options,
        description=url,
        reference=True,
    )


def common_path(targets: Sequence[Target]) -> str:
    """The path that the URLs have; / where no target has a URL.

    Raises:
        UsageError: their paths differ.
    """
    paths = dict.fromkeys(destination_of(target).target for target in targets if target.elsewhere)
    if len(paths) > 1:
        raise UsageError(f"the URLs have different paths: {', '.join(paths)}", hint="give all the same path, or -s")
    return next(iter(paths), "/")


def raw_scenario(targets: Sequence[Target], concurrency: int) -> Scenario:
    """``GET`` of the path that all URLs have, with the reply that they give.

    Raises:
        UsageError: their paths differ.
        NotReadyError: one does not answer, or with an error.
    """
    path = common_path(targets)
    raw = RawRequest("GET", path)
    replies = []
    for target in targets:
        address = destination_of(target).address
        reach(address)
        for _ in range(2):
            try:
                reply = exchange(address, case_of(planned(raw)))
            except OSError as error:
                raise NotReadyError(f"{target.name}: no reply: {error}", hint="is the server running?") from None
            if reply.status >= 400:
                raise NotReadyError(f"{target.name}: GET {path} answered {reply.status}: {reply.body[:200]!r}")
            replies.append(reply)
    statuses, bodies = {reply.status for reply in replies}, {reply.body for reply in replies}
    raw = replace(
        raw,
        status=statuses.pop() if len(statuses) == 1 else 0,
        body=bodies.pop().decode("latin-1") if len(bodies) == 1 else None,
    )
    return Scenario("request", f"GET {path}", "pick", "What the URLs have in common.", (planned(raw),), (concurrency,))


def reject_url_paths(targets: Sequence[Target]) -> None:
    """Raises ``UsageError`` where a URL has a path, next to scenarios or requests that have paths of their own."""
    if (path := common_path(targets)) != "/":
        raise UsageError(f"the URL's path {path} and other requests exclude each other", hint="write http://host:port")
