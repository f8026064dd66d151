"""The calls that apps had to make to the upstream service, and those that the service counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import parse_qs, urlsplit

from harness.engine.spec import SideOutcome
from harness.model import Gate, PlannedRequest, Point, Reason
from harness.verify import case_of

ENDPOINT = "io-upstream"


def calls_of(request: PlannedRequest) -> int:
    """How many calls one request makes to the upstream service."""
    if request.endpoint != ENDPOINT:
        return 0
    case = case_of(request)
    return int(parse_qs(urlsplit(case.path).query).get("calls", ["1"])[-1]) if case.status == 200 else 0


def expected_calls(points: Iterable[Point], outcomes: Iterable[SideOutcome]) -> tuple[int, int]:
    """The fewest and the most calls that are possible; equal where nothing failed and all requests make as many.

    A request that failed may have made all of its calls or none; a mix of requests is not counted one by one.
    """
    least = most = 0
    for point, outcome in zip(points, outcomes, strict=True):
        each = [calls_of(request) for request in point.requests]
        least += outcome.answered * min(each)
        most += (outcome.answered + outcome.unanswered) * max(each)
    return least, most


def calls_upstream(points: Iterable[Point]) -> bool:
    return any(request.endpoint == ENDPOINT for point in points for request in point.requests)


def gates(machine: Mapping[str, float], points: Sequence[Point], outcomes: Sequence[SideOutcome]) -> tuple[Gate, ...]:
    """Whether the service counted as many calls as expected: no app skips work or does it twice."""
    least, most = expected_calls(points, outcomes)
    counted = int(machine["upstream_calls"])
    if least <= counted <= most:
        return ()
    return (Gate(Reason("upstream-count", {"counted": counted, "least": least, "most": most})),)
