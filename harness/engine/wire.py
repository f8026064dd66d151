"""Cases of the contract → requests on the wire, and sides of a window → orders to the engine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from apps.contract.case import Case
from apps.contract.tokens import fill
from harness.config.requests import wire_bytes
from harness.engine.spec import SideSpec, WireRequest
from harness.model import PlannedRequest, Point
from harness.plan.timing import crowd_wait, lead_in, least_replies, stagger
from harness.serve import Running
from harness.verify import case_of

TIMEOUT_S = 15.0


def wire_request(case: Case, host: str, weight: int = 1, secret: str = "") -> WireRequest:
    """The request as the bytes that are sent; ``secret`` is the key of the tokens that the server accepts."""
    case = fill(case, secret)
    data = wire_bytes(case.method, case.path, case.headers, case.body, host)
    # An upload goes to other processes, and machines, once.
    return WireRequest(replace(case, body=b""), data, weight)


def requests_to(running: Running, planned: Iterable[PlannedRequest]) -> tuple[WireRequest, ...]:
    """Requests as they are sent to a server."""
    host = running.bind.authority
    return tuple(wire_request(case_of(each), host, each.weight, running.secret) for each in planned)


def side_spec(point: Point, running: Running) -> SideSpec:
    return SideSpec(
        target=running.target.name,
        point=point.id,
        address=running.bind,
        requests=requests_to(running, point.requests),
        connections=point.concurrency,
        root_pid=running.pid,
        usage_file=running.usage_file,
        slice_s=point.slice_s,
        lead_in_s=lead_in(point),
        crowd_wait_s=crowd_wait(point),
        stagger_s=stagger(point),
        least_replies=least_replies(point),
        timeout_s=TIMEOUT_S,
    )
