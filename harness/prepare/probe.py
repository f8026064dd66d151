"""What targets answer: to each request, sent twice before they are measured, or to a list of probes."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from apps.contract.tokens import fill
from harness.errors import LaunchError, NotReadyError
from harness.model import Failure, PlannedRequest, Point, Reason, Target
from harness.serve import Fleet, Running, serving
from harness.serve.interpreter import gil_state
from harness.serve.services import WRITES, Services, needs_of, services
from harness.verify import Reply, case_of, compare, endpoints_of, exchange
from harness.verify.alike import agreed, error_page

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Probed:
    """What the two sides were like before they were measured.

    Attributes:
        start_s: time in which all servers started.
        point: its requests to an own app with their replies; with bodies where both sides gave the same ones twice.
        notes: what a reader should know of the interpreters and of the replies.
    """

    start_s: float
    point: Point
    notes: tuple[Reason, ...] = ()


def probe(fleet: Fleet, targets: Sequence[Target], point: Point, around: Services) -> Probed:
    """Sends the point's requests twice to the server of each target.

    Raises:
        LaunchError: one gave no reply, or answered with an error, or not as the contract says.
        NotReadyError: their statuses differ.
    """
    running = [fleet.running[target.name] for target in targets]
    start_s = max(each.startup_s for each in fleet.running.values())
    locks = list(map(gil_state, running))
    replies = [[[_reply(each, request, around) for _ in range(2)] for each in running] for request in point.requests]
    settled = list(map(_settled, point.requests, replies))
    requests = tuple(request for request, _ in settled)
    notes = (*(lock for lock in locks if lock), *(note for _, notes in settled for note in notes))
    return Probed(start_s, replace(point, requests=requests), notes)


def _settled(request: PlannedRequest, replies: Sequence[Sequence[Reply]]) -> tuple[PlannedRequest, list[Reason]]:
    """The request with the status and the body that both sides gave every time, and what a reader should know.

    Raises:
        NotReadyError: their statuses differ.
    """
    if request.raw is None:
        return request, []
    first, notes = replies[0][0], list[Reason]()
    statuses = sorted({reply.status for side in replies for reply in side})
    if len(statuses) > 1:
        raise NotReadyError(
            f"{request.case}: the two answer with different statuses: {' and '.join(map(str, statuses))}"
        )
    if 300 <= first.status < 400:
        notes.append(Reason("redirects", {"request": request.case, "location": first.header("location") or ""}))
    elif message := error_page(first):
        notes.append(Reason("error-page", {"request": request.case, "status": first.status, "text": message}))
    one, other = ([reply.body for reply in side] for side in (replies[0], replies[-1]))
    body, volatile, difference = agreed(one, other, request.raw.volatile)
    if difference:
        notes.append(Reason("replies-differ", {"request": request.case, "text": difference}))
    text = None if body is None else body.decode("latin-1")
    return replace(request, raw=replace(request.raw, status=first.status, body=text, volatile=volatile)), notes


def _reply(running: Running, request: PlannedRequest, around: Services) -> Reply:
    """The reply to one request, checked as far as possible.

    Raises:
        LaunchError: there is none, or it is an error, or not what the contract says.
    """
    name, case, raw = running.target.name, fill(case_of(request), running.secret), request.raw
    if request.endpoint in WRITES:
        around.restore()
    try:
        reply = exchange(running.bind, case)
    except (OSError, http.client.HTTPException) as error:
        raise LaunchError(f"{name}: {case.name}: no reply: {error}", log=running.log()) from None
    if raw is None:
        difference = compare(case, reply, running.target.adds)
        if difference:
            raise LaunchError(f"{name}: {request.endpoint}: {difference}", log=running.log())
    elif reply.status >= 400 if not raw.status else reply.status != raw.status:
        raise LaunchError(
            f"{name}: {case.name} answered {reply.status}, expected {raw.status or 'below 400'}: {reply.body[:200]!r}",
            log=running.log(),
            hint="name another request with --path, -X, -H and --body, or its status with --expect-status",
        )
    return reply


def ask_each(
    targets: Sequence[Target], ask: Callable[[Running], list[Result]], say: Callable[[str], None]
) -> tuple[list[Result], list[Failure]]:
    """The results of ``ask`` from all targets, and those that did not start; ``say`` takes a line for each."""
    results: list[Result] = []
    failures: list[Failure] = []
    needs = needs_of(name for target in targets for name in endpoints_of(target))
    with services(needs) as around:
        for number, target in enumerate(targets, start=1):
            say(f"[{number}/{len(targets)}] {target.name}")
            around.restore()
            try:
                with serving(target, environment=around.environment) as running:
                    results += ask(running)
            except LaunchError as error:
                failures.append(Failure(target.name, "", Reason("not-ready", {"text": str(error)}), error.log))
    return results, failures
