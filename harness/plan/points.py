"""Scenarios → points: every combination of a scenario's settings, with its requests filled in. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import product

from harness.errors import UsageError
from harness.model import ParamValue, PlannedRequest, Point, Reason, Scenario, Target
from harness.plan.profiles import Detail
from harness.plan.timing import slice_length


def settings_of(scenario: Scenario, detail: Detail) -> tuple[dict[str, tuple[ParamValue, ...]], list[int]]:
    """The values of each of the scenario's parameters, and the concurrencies, that ``detail`` asks for."""
    settings = {**scenario.matrix, "concurrency": scenario.concurrency}
    if detail != "full":
        settings |= (detail == "grid" and scenario.grid) or scenario.quick
    if detail == "corner":
        settings = {key: values[-1:] for key, values in settings.items()}
    concurrencies = [int(value) for value in settings.pop("concurrency")]
    return settings, concurrencies


def expand(scenario: Scenario, detail: Detail) -> tuple[Point, ...]:
    """Every combination of the settings that ``detail`` asks for."""
    settings, concurrencies = settings_of(scenario, detail)
    combinations = [dict(zip(settings, values, strict=True)) for values in product(*settings.values())]
    return tuple(point_at(scenario, params, count) for params in combinations for count in concurrencies)


def point_at(scenario: Scenario, params: Mapping[str, ParamValue], concurrency: int) -> Point:
    """The scenario with its parameters filled in."""
    setting = ",".join(f"{key}={value}" for key, value in params.items())
    requests = tuple(
        request
        if request.raw
        else PlannedRequest(
            str(_substituted(request.endpoint, params)),
            str(_substituted(request.case, params)),
            {key: _substituted(value, params) for key, value in request.params.items()},
            request.weight,
        )
        for request in scenario.requests
    )
    wait_s = float(_substituted(scenario.wait_ms, params) or 0) / 1e3
    name = f"{scenario.name}{f'[{setting}]' if setting else ''}@{concurrency}"
    point = Point(name, scenario.name, params, concurrency, requests, wait_s)
    return replace(point, slice_s=slice_length(point))


def lacking(target: Target, endpoints: Iterable[str], others: Iterable[str] = ()) -> Reason | None:
    """Why a target cannot take a load of these endpoints and other things that it may lack; ``None`` where it can.

    A user's own app is assumed to take any load.
    """
    endpoints = [endpoint for endpoint in endpoints if endpoint]
    for need in (*endpoints, *others):
        if need in target.lacks:
            return Reason("lacks", {"text": target.lacks[need]})
    if "websocket" in others and target.interface == "wsgi":
        return Reason("no-websocket")
    if target.endpoints and "*" not in target.endpoints:
        missing = [endpoint for endpoint in endpoints if endpoint not in target.endpoints]
        return Reason("not-implemented", {"endpoint": missing[0]}) if missing else None
    return None


def serves(target: Target, point: Point) -> bool:
    """Whether the target implements all that the point sends, and its scenario suits the target."""
    return not lacking(target, [request.endpoint for request in point.requests], [point.scenario])


def _substituted(value: ParamValue, params: Mapping[str, ParamValue]) -> ParamValue:
    """``"{ms}"`` becomes the parameter itself, ``"{size}-refused"`` a text with it filled in."""
    if not isinstance(value, str) or "{" not in value:
        return value
    if value.startswith("{") and value.endswith("}") and value[1:-1] in params:
        return params[value[1:-1]]
    try:
        return value.format(**params)
    except (KeyError, IndexError, ValueError) as error:
        raise UsageError(f"{value!r} names a parameter that the scenario's matrix does not have: {error}") from None
