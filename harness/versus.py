"""Two targets at one point: what is asked, and the plan of short blocks that answers it."""

from __future__ import annotations

import http.client
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

from apps.contract.tokens import fill
from harness.errors import LaunchError, NotReadyError, UsageError
from harness.guard import Guard
from harness.launch import Fleet, Running
from harness.model import (
    Block,
    Contrast,
    Metric,
    Plan,
    PlannedRequest,
    Point,
    RawRequest,
    Scenario,
    Side,
    Slot,
    Target,
)
from harness.placement import Placement
from harness.plan import TWIN, expand, serves
from harness.plan.timing import slice_length, turn_seconds, warmup_seconds
from harness.services import WRITES, Services
from harness.verify import Reply, case_of, compare, exchange

LOOKS = (24, 16, 12, 8, 5)
FIRST_LOOK = LOOKS[-1]
MIN_ROUNDS = 5
OVERHEAD_S = 0.35


@dataclass(frozen=True, slots=True)
class Probed:
    """What the two sides were like before they were measured.

    Attributes:
        start_s: time in which both came up.
        raw: the request with the reply that it had; its body is set where both sides gave the same one twice.
        note: what a reader should know of the replies; empty where they are equal.
    """

    start_s: float
    raw: RawRequest | None
    note: str = ""


def named_apart(a: Target, b: Target) -> tuple[Target, Target]:
    """The two under different names, and without the endpoints' declarations in each other's way."""
    return (a, b) if a.name != b.name else (a, replace(b, name=f"{b.name} (B)"))


def point_of(scenario: Scenario, concurrency: int | None) -> Point:
    """The scenario's one point, or the last of its quick settings, at a concurrency where one is given."""
    point = expand(scenario, "corner")[0]
    if concurrency is None or concurrency == point.concurrency:
        return point
    return replace(point, concurrency=concurrency, id=f"{point.id.rpartition('@')[0]}@{concurrency}")


def raw_point(raw: RawRequest, concurrency: int) -> Point:
    name = f"{raw.method} {raw.path}"
    request = PlannedRequest("", name, raw=raw)
    return Point(f"{name}@{concurrency}", "request", {}, concurrency, (request,))


def probe(targets: Sequence[Target], point: Point, placement: Placement, around: Services) -> Probed:
    """Starts both, sends the point's requests twice to each, and ends them.

    Raises:
        LaunchError: one did not come up.
        NotReadyError: one answered with an error, or not as the contract says.
    """
    guard = Guard()
    try:
        cpus = tuple(sorted({*placement.server, *placement.generator}))
        with Fleet(
            guard,
            start_cpus=cpus,
            server_cpus=placement.server,
            many_cpus=placement.many,
            environment=around.environment,
        ) as fleet:
            fleet.start(targets)
            for failure in fleet.failures.values():
                raise LaunchError(failure.message, log=failure.log)
            start_s = max(running.startup_s for running in fleet.running.values())
            replies = [
                _reply(running, request, around)
                for running, request, _ in product(fleet.running.values(), point.requests, range(2))
            ]
    finally:
        guard.close()
    raw = point.requests[0].raw
    if raw is None:
        return Probed(start_s, None)
    statuses = sorted({reply.status for reply in replies})
    if len(statuses) > 1:
        raise NotReadyError(f"the two answer with different statuses: {' and '.join(map(str, statuses))}")
    bodies = {reply.body for reply in replies}
    if len(bodies) == 1:
        return Probed(start_s, replace(raw, status=statuses[0], body=bodies.pop().decode("latin-1")))
    note = "the replies differ: only their status is checked, and the work behind them may differ"
    return Probed(start_s, replace(raw, status=statuses[0]), note)


def _reply(running: Running, request: PlannedRequest, around: Services) -> Reply:
    """The reply to one request, right as far as can be told.

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
        difference = compare(case, reply)
        if difference:
            raise LaunchError(f"{name}: {request.endpoint}: {difference}", log=running.log())
    elif reply.status >= 400 if not raw.status else reply.status != raw.status:
        raise LaunchError(
            f"{name}: {case.name} answered {reply.status}, expected {raw.status or 'below 400'}: {reply.body[:200]!r}",
            log=running.log(),
            hint="name another request with --path, -X, -H and --body, or its status with --expect-status",
        )
    return reply


def versus_plan(
    a: Target,
    b: Target,
    point: Point,
    metric: Metric,
    *,
    seed: int,
    budget_s: float,
    start_s: float,
    control: bool,
    spent_s: float = 0.0,
) -> Plan:
    """As many short blocks as the looks ask for and the budget holds, the first look's planned, the rest to be added.

    Args:
        budget_s: what is left after the ``spent_s`` that probing took; the user gave both together.

    Raises:
        UsageError: the budget is too short for the first look.
    """
    targets = (a, b, replace(a, name=a.name + TWIN, twin_of=a.name)) if control else (a, b)
    if not all(serves(target, point) for target in targets):
        raise UsageError(f"{a.name} and {b.name} do not both serve {point.scenario}")
    round_s = sum(turn_seconds(target, point) for target in targets)
    warmup_s = sum(warmup_seconds(target, point) for target in targets)
    fewest_s = warmup_s + MIN_ROUNDS * round_s
    starting_s = start_s * len(targets) / 2 + OVERHEAD_S
    for blocks in LOOKS:
        slot_s = budget_s / blocks - starting_s
        if slot_s >= fewest_s:
            break
    else:
        needed = FIRST_LOOK * (fewest_s + starting_s)
        raise UsageError(
            f"a budget of {budget_s + spent_s:.0f} s is too short for {FIRST_LOOK} blocks of these two",
            hint=f"--budget {math.ceil(needed + spent_s + 1)}s would do",
        )
    sides = tuple(Side(target.name, point.id) for target in targets)
    contrasts = [
        Contrast(f"{metric}:{a.name}/{b.name}", "real", metric, sides[0], sides[1], f"{a.name} against {b.name}")
    ]
    if control:
        contrasts.append(
            Contrast(f"{metric}:control", "real", metric, sides[2], sides[0], f"A/A: {a.name} against itself")
        )
    planned = tuple(block(index, sides, slice_length(point), slot_s) for index in range(FIRST_LOOK))
    return Plan("versus", seed, budget_s, budget_s, (point,), tuple(contrasts), planned)


def block(index: int, sides: tuple[Side, ...], slice_s: float, slot_s: float) -> Block:
    slot = Slot(f"b{index:02d}-{sides[0].point}", index, sides, slice_s, slot_s, MIN_ROUNDS)
    return Block(index, tuple(side.target for side in sides), (slot,))
