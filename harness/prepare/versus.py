"""Two targets at one point: what is asked, and the plan of short blocks that answers it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.config import load_declarations, select_scenarios
from harness.config.files import CONCURRENCY
from harness.config.placement import Placement
from harness.config.read import read_requests
from harness.config.requests import parse_headers, planned, raw_request
from harness.errors import UsageError
from harness.model import (
    Block,
    Contrast,
    Extension,
    Manifest,
    Metric,
    Plan,
    PlannedRequest,
    Point,
    Reason,
    Scenario,
    Side,
    Target,
    Window,
)
from harness.plan import TWIN, expand, serves
from harness.plan.counting import counting_block
from harness.plan.timing import SLICE_S, turn_seconds, warmup_seconds
from harness.prepare.choose import check_contract
from harness.prepare.manifest import new_manifest
from harness.serve.envs import packages_of
from harness.stats.looks import EARLY_LOOKS, LOOKS

MIN_ROUNDS = 5
OVERHEAD_S = 0.35
CLOCK_ROUNDS = 24
REQUESTS = 300


def scenario_point(name: str, concurrency: int | None) -> Point:
    """The scenario's one point, or the last of its quick settings, at a concurrency if one is given.

    Raises:
        UsageError: the name is no scenario's, or several are called so.
    """
    [scenario, *more] = select_scenarios(load_declarations(), [name])
    if more:
        raise UsageError(f"{name!r} names {len(more) + 1} scenarios", hint="harness list scenarios")
    point = expand(scenario, "corner")[0]
    if concurrency is None or concurrency == point.concurrency:
        return point
    return replace(point, concurrency=concurrency, id=f"{point.id.rpartition('@')[0]}@{concurrency}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user wants to be sent, as it was written; ``requests`` is a file of them."""

    scenario: str = ""
    paths: Sequence[str] = ()
    method: str = ""
    headers: Sequence[str] = ()
    body: bytes = b""
    status: int | None = None
    volatile: Sequence[str] = ()
    requests: Path | None = None


def asked_point(targets: Sequence[Target], asked: Asked, concurrency: int | None) -> tuple[Point, tuple[Reason, ...]]:
    """The scenario's point or that of the requests; of neither, the small JSON reply if all targets have endpoints.

    Returns:
        The point, and what of a file of requests is not sent.

    Raises:
        UsageError: two are given, or one is wrong.
    """
    given = [("--scenario", asked.scenario), ("--path", asked.paths), ("--requests", asked.requests)]
    named = [option for option, value in given if value]
    if named[1:]:
        raise UsageError(f"{named[0]} and {named[1]} exclude each other")
    if asked.requests:
        return _point_of_file(asked, asked.requests, concurrency)
    if asked.scenario or (all(target.endpoints for target in targets) and not asked.paths):
        point = scenario_point(asked.scenario or "json", concurrency)
        check_contract(targets, point.scenario, point.requests)
        return point, ()
    sent = parse_headers(asked.headers)
    try:
        raws = [
            raw_request(path, asked.method, sent, asked.body, asked.status or 0, asked.volatile)
            for path in asked.paths or ["/"]
        ]
    except ValueError as error:
        raise UsageError(str(error)) from None
    return raw_point([planned(raw) for raw in raws], concurrency or CONCURRENCY), ()


def _point_of_file(asked: Asked, file: Path, concurrency: int | None) -> tuple[Point, tuple[Reason, ...]]:
    """What holds for each request of the file is added to it: headers that it lacks, and fields that may change."""
    if odd := [name for name, value in (("-X", asked.method), ("--body", asked.body)) if value]:
        raise UsageError(f"{odd[0]} is for --path", hint=f"{file} says it for each request")
    scenario, skipped = read_requests(file)
    requests = tuple(_with_common(request, asked) for request in scenario.requests)
    reason = Reason("requests-skipped", {"text": ", ".join(f"{count} {why}" for why, count in skipped.items())})
    return raw_point(requests, concurrency or scenario.concurrency[-1]), (reason,) if skipped else ()


def _with_common(request: PlannedRequest, asked: Asked) -> PlannedRequest:
    if (raw := request.raw) is None:
        return request
    given = {name.lower() for name, _ in raw.headers}
    more = [each for each in parse_headers(asked.headers) if each[0].lower() not in given]
    return replace(
        request,
        raw=replace(
            raw,
            headers=(*raw.headers, *more),
            status=raw.status or asked.status or 0,
            volatile=raw.volatile or tuple(asked.volatile),
        ),
    )


def raw_point(requests: Sequence[PlannedRequest], concurrency: int) -> Point:
    """Requests to an own app: one, or a mix."""
    name = requests[0].case if len(requests) == 1 else f"mix of {len(requests)} requests"
    return Point(f"{name}@{concurrency}", name, {}, concurrency, tuple(requests), slice_s=SLICE_S)


def parts_of(point: Point) -> list[Point]:
    """Of a mix of requests to an own app, each for itself, those that weigh most first; of anything else nothing."""
    if not point.requests[1:] or not all(request.raw for request in point.requests):
        return []
    ordered = sorted(point.requests, key=lambda request: -request.weight)
    parts = [raw_point([replace(request, weight=1)], point.concurrency) for request in ordered]
    return list({part.id: part for part in parts}.values())


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
    """As many short blocks as the looks ask for and the budget holds; the first few are planned, the rest to be added.

    Args:
        budget_s: what is left after the ``spent_s`` that probing took; the user gave both together.

    Raises:
        UsageError: the budget is too short for the first look.
    """
    targets = _sides(a, b, point, control)
    starting_s = start_s * len(targets) / 2 + OVERHEAD_S
    parts = parts_of(point)

    def fewest_s(each: Point) -> float:
        sides = targets if each is point else targets[:2]
        return sum(warmup_seconds(side, each) + MIN_ROUNDS * turn_seconds(side, each) for side in sides)

    while True:
        points = (*parts, point)
        needed_s = sum(map(fewest_s, points))
        slot_s = next((s for looks in reversed(LOOKS) if (s := budget_s / looks - starting_s) >= needed_s), None)
        if slot_s is not None:
            break
        if not parts:
            needed = LOOKS[0] * (needed_s + starting_s)
            raise UsageError(
                f"a budget of {budget_s + spent_s:.0f} s is too short for {LOOKS[0]} blocks of these two",
                hint=f"--budget {math.ceil(needed + spent_s + 1)}s would do",
            )
        parts.pop()
    label = f"{a.name} against {b.name}"
    contrasts = [
        Contrast(f"{metric}:{a.name}/{b.name}@{each.id}", "real", metric, one, other, label)
        for each in points
        for one, other in [(Side(a.name, each.id), Side(b.name, each.id))]
    ]
    if control:
        again, first = Side(targets[2].name, point.id), Side(a.name, point.id)
        contrasts.append(Contrast(f"{metric}:control", "real", metric, again, first, f"A/A: {a.name} against itself"))
    groups = [
        (
            tuple(Side(target.name, each.id) for target in (targets if each is point else targets[:2])),
            slot_s * fewest_s(each) / needed_s,
        )
        for each in points
    ]
    planned = tuple(block(index, groups) for index in range(EARLY_LOOKS[0]))
    return Plan("versus", seed, budget_s, budget_s, points, tuple(contrasts), planned)


def counting_plan(a: Target, b: Target, point: Point, *, seed: int, budget_s: float, control: bool) -> Plan:
    """A block that tells what an instruction takes here; starts in which instructions are counted join it.

    Raises:
        UsageError: they do not both serve the point.
    """
    targets = _sides(a, b, point, control)
    seconds = sum(warmup_seconds(target, point) + CLOCK_ROUNDS * turn_seconds(target, point) for target in targets)
    sides = tuple(Side(target.name, point.id) for target in targets)
    contrast = Contrast(f"cpu_cost:{a.name}/{b.name}", "real", "cpu_cost", sides[0], sides[1], f"{a.name} / {b.name}")
    return Plan("versus", seed, budget_s, budget_s, (point,), (contrast,), (block(0, [(sides, seconds)]),))


def further_starts(plan: Plan, done: int, count: int) -> Extension:
    """So many starts more, in each of which the plan's sides are counted, all at the same time."""
    sides = plan.windows[0].sides
    return Extension(tuple(counting_block(done + index, 0, [sides], REQUESTS) for index in range(count)))


def _sides(a: Target, b: Target, point: Point, control: bool) -> tuple[Target, ...]:
    """Both, and A once more for the A/A control."""
    if not (serves(a, point) and serves(b, point)):
        raise UsageError(f"{a.name} and {b.name} do not both serve {point.scenario}")
    return (a, b, replace(a, name=a.name + TWIN, twin_of=a.name)) if control else (a, b)


def versus_manifest(
    plan: Plan, pair: tuple[Target, Target], placement: Placement, command: str, results: Path
) -> Manifest:
    a, b = pair
    names = set(plan.blocks[0].targets)
    twins = tuple(replace(a, name=name, twin_of=a.name) for name in names - {a.name, b.name})
    scenarios = tuple(
        Scenario(point.scenario, point.scenario, "real", "", point.requests, (point.concurrency,))
        for point in plan.points
    )
    return new_manifest(
        plan,
        (a, b, *twins),
        scenarios,
        placement=placement,
        command=command,
        results=results,
        name=f"{a.name} against {b.name}",
        kind="-versus",
    )


def differing_packages(a: Target, b: Target) -> dict[str, tuple[str | None, str | None]]:
    """Package → its version on either side, for those that differ; empty if both use one interpreter."""
    if a.python == b.python:
        return {}
    first, second = packages_of(a.python), packages_of(b.python)
    names = sorted({*first, *second})
    return {name: (first.get(name), second.get(name)) for name in names if first.get(name) != second.get(name)}


def another_block(plan: Plan) -> Block:
    """One more block of what the plan's first holds."""
    return block(len(plan.blocks), [(window.sides, window.seconds) for window in plan.blocks[0].windows])


def block(index: int, groups: Sequence[tuple[tuple[Side, ...], float]]) -> Block:
    """A window for each of the groups of sides and seconds; the next block begins with the next one of them."""
    turn = index % len(groups)
    windows = tuple(
        Window.in_turns(sides[0].point, index, sides, seconds, MIN_ROUNDS)
        for sides, seconds in (*groups[turn:], *groups[:turn])
    )
    return Block.of(index, windows)
