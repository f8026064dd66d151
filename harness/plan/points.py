"""Scenarios → points: every combination of a scenario's settings, with its requests filled in. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

from harness.errors import UsageError
from harness.model import ParamValue, PlannedRequest, Point, Scenario, Target
from harness.plan.profiles import Detail


def expand(scenario: Scenario, detail: Detail) -> tuple[Point, ...]:
    """Every combination of the scenario's parameters and concurrencies that ``detail`` asks for."""
    settings = {**scenario.matrix, "concurrency": scenario.concurrency}
    if detail != "full":
        settings |= (detail == "grid" and scenario.grid) or scenario.quick
    if detail == "corner":
        settings = {key: values[-1:] for key, values in settings.items()}
    concurrencies = [int(value) for value in settings.pop("concurrency")]
    combinations = [dict(zip(settings, values, strict=True)) for values in product(*settings.values())]
    return tuple(point_at(scenario, params, count) for params in combinations for count in concurrencies)


def point_at(scenario: Scenario, params: Mapping[str, ParamValue], concurrency: int) -> Point:
    """The scenario with its parameters filled in."""
    setting = ",".join(f"{key}={value}" for key, value in params.items())
    requests = tuple(
        PlannedRequest(
            _filled(request.endpoint, params),
            _filled(request.case, params),
            {key: _substituted(value, params) for key, value in request.params.items()},
            request.weight,
            request.raw,
        )
        for request in scenario.requests
    )
    wait_s = float(_substituted(scenario.wait_ms, params) or 0) / 1e3
    name = f"{scenario.name}{f'[{setting}]' if setting else ''}@{concurrency}"
    return Point(name, scenario.name, params, concurrency, requests, wait_s)


def serves(target: Target, point: Point) -> bool:
    """Whether the target implements all that the point sends; a user's own app is taken at its word."""
    wanted = {request.endpoint for request in point.requests}
    if wanted & set(target.lacks):
        return False
    return not target.endpoints or "*" in target.endpoints or wanted <= set(target.endpoints)


def _filled(text: str, params: Mapping[str, ParamValue]) -> str:
    return str(_substituted(text, params))


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
