"""What the user wants to be sent to the targets that are compared or profiled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.config.files import CONCURRENCY
from harness.config.read import read_requests
from harness.config.requests import parse_headers, planned, raw_request
from harness.errors import UsageError
from harness.model import PlannedRequest, Point, Reason, Target
from harness.plan import expand, point_at
from harness.plan.timing import slice_length
from harness.prepare.choose import check_contract
from harness.prepare.references import declared
from harness.prepare.remote import common_path, reject_url_paths
from harness.prepare.select import select_scenarios

HOST = "Host: 127.0.0.1"
"""Sent to servers that are started here: with the port of each in it, absolute links would differ."""


def scenario_point(name: str, concurrency: int | None) -> Point:
    """The scenario's one point, or the last of its quick settings, at a concurrency if one is given.

    Raises:
        UsageError: no scenario has this name, or several do.
    """
    [scenario, *more] = select_scenarios(declared(), [name])
    if more:
        raise UsageError(f"{name!r} names {len(more) + 1} scenarios", hint="harness list scenarios")
    point = expand(scenario, "corner")[0]
    return point if concurrency is None else point_at(scenario, point.params, concurrency)


@dataclass(frozen=True, slots=True)
class RequestOptions:
    """The user's options for what is sent, as they were written; ``requests`` is a file of requests."""

    scenario: str = ""
    paths: Sequence[str] = ()
    method: str = ""
    headers: Sequence[str] = ()
    body: bytes = b""
    status: int | None = None
    volatile: Sequence[str] = ()
    requests: Path | None = None


def requested_point(
    targets: Sequence[Target], options: RequestOptions, concurrency: int | None
) -> tuple[Point, tuple[Reason, ...]]:
    """The scenario's point or that of the requests; without either, the small JSON reply if all targets have endpoints,
    or else the path that their URLs have.

    Returns:
        The point, and which requests of a file are skipped.

    Raises:
        UsageError: two are given, or one is wrong.
    """
    choices = [("--scenario", options.scenario), ("--path", options.paths), ("--requests", options.requests)]
    named = [option for option, value in choices if value]
    if named[1:]:
        raise UsageError(f"{named[0]} and {named[1]} exclude each other")
    if named:
        reject_url_paths(targets)
    if not any(target.elsewhere for target in targets):
        names = {name.lower() for name, _ in parse_headers(options.headers)}
        options = replace(options, headers=(*options.headers, *([] if "host" in names else [HOST])))
    if options.requests:
        return _point_of_file(options, options.requests, concurrency)
    if options.scenario or (all(target.endpoints for target in targets) and not options.paths):
        point = scenario_point(options.scenario or "json", concurrency)
        check_contract(targets, point.scenario, point.requests)
        return point, ()
    sent = parse_headers(options.headers)
    try:
        raws = [
            raw_request(path, options.method, sent, options.body, options.status or 0, options.volatile)
            for path in options.paths or [common_path(targets)]
        ]
    except ValueError as error:
        raise UsageError(str(error)) from None
    return raw_point([planned(raw) for raw in raws], concurrency or CONCURRENCY), ()


def _point_of_file(options: RequestOptions, file: Path, concurrency: int | None) -> tuple[Point, tuple[Reason, ...]]:
    """Adds to each request of the file what holds for all: headers that it lacks, and fields that may change."""
    if misplaced := [name for name, value in (("-X", options.method), ("--body", options.body)) if value]:
        raise UsageError(f"{misplaced[0]} is for --path", hint=f"{file} sets it for each request")
    scenario, skipped = read_requests(file)
    requests = tuple(_with_common(request, options) for request in scenario.requests)
    reason = Reason("requests-skipped", {"text": ", ".join(f"{count} {why}" for why, count in skipped.items())})
    return raw_point(requests, concurrency or scenario.concurrency[-1]), (reason,) if skipped else ()


def _with_common(request: PlannedRequest, options: RequestOptions) -> PlannedRequest:
    if (raw := request.raw) is None:
        return request
    names = {name.lower() for name, _ in raw.headers}
    more = [each for each in parse_headers(options.headers) if each[0].lower() not in names]
    return replace(
        request,
        raw=replace(
            raw,
            headers=(*raw.headers, *more),
            status=raw.status or options.status or 0,
            volatile=raw.volatile or tuple(options.volatile),
        ),
    )


def raw_point(requests: Sequence[PlannedRequest], concurrency: int) -> Point:
    """Requests to the user's own app: one, or a mix."""
    name = requests[0].case if len(requests) == 1 else f"mix of {len(requests)} requests"
    point = Point(f"{name}@{concurrency}", name, {}, concurrency, tuple(requests))
    return replace(point, slice_s=slice_length(point))


def parts_of(point: Point) -> list[Point]:
    """A point for each request of a mix to the user's own app, heaviest first; empty for anything else."""
    if not point.requests[1:] or not all(request.raw for request in point.requests):
        return []
    ordered = sorted(point.requests, key=lambda request: -request.weight)
    parts = [raw_point([replace(request, weight=1)], point.concurrency) for request in ordered]
    return list({part.id: part for part in parts}.values())
