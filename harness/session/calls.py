"""The calls that apps were asked to make to the upstream service, beside those that the service counted."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import parse_qs, urlsplit

from harness.engine.clocks import ProcessGone, TreeClock
from harness.engine.spec import SideOutcome
from harness.errors import NotReadyError
from harness.model import Gate, PlannedRequest, Point, Reason
from harness.serve.services.upstream import Upstream
from harness.verify import case_of

ENDPOINT = "io-upstream"


def calls_of(request: PlannedRequest) -> int:
    """How many calls one request makes to the upstream service."""
    if request.endpoint != ENDPOINT:
        return 0
    case = case_of(request)
    return int(parse_qs(urlsplit(case.path).query).get("calls", ["1"])[-1]) if case.status == 200 else 0


def asked(points: Iterable[Point], outcomes: Iterable[SideOutcome]) -> tuple[int, int]:
    """The fewest and the most calls that can have come; equal where nothing failed and all requests make as many.

    A request that failed may have made all of its calls or none; a mix of requests is not counted one by one.
    """
    least = most = 0
    for point, outcome in zip(points, outcomes, strict=True):
        each = [calls_of(request) for request in point.requests]
        least += outcome.answered * min(each)
        most += (outcome.answered + outcome.unanswered) * max(each)
    return least, most


class Meter:
    """Counts from where it is made; for the windows that call the upstream service."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream, self._started = upstream, time.monotonic()
        self._clock = TreeClock(upstream.pid)
        self._cpu, self._before = self._clock.cpu(), upstream.requests()

    def read(self) -> dict[str, float]:
        """Calls since then, and the share of a CPU that the service used for them.

        Raises:
            NotReadyError: the service has gone.
        """
        try:
            share = (self._clock.cpu() - self._cpu) / (time.monotonic() - self._started)
            return {"upstream": share, "upstream_calls": float(self._upstream.requests() - self._before)}
        except ProcessGone as error:
            raise NotReadyError(f"the upstream service has gone: {error}") from None


def meter(upstream: Upstream | None, points: Iterable[Point]) -> Meter | None:
    """``None`` where none of the points calls it, or it is not this run's own."""
    used = any(request.endpoint == ENDPOINT for point in points for request in point.requests)
    return Meter(upstream) if used and upstream is not None else None


def gates(read: Mapping[str, float], points: Sequence[Point], outcomes: Sequence[SideOutcome]) -> tuple[Gate, ...]:
    """Whether the service counted what the apps were asked to call: nobody skips work, and nobody does it twice."""
    least, most = asked(points, outcomes)
    counted = int(read["upstream_calls"])
    if least <= counted <= most:
        return ()
    return (Gate(Reason("upstream-count", {"counted": counted, "least": least, "most": most})),)
