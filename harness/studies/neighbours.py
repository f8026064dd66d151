"""What slow, CPU-heavy or blocking requests do to a fast endpoint beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from harness.declare.study_settings import Neighbours
from harness.model import ParamValue, PlannedRequest, Scenario, Target
from harness.studies.ask import OPEN_CONNECTIONS, Ask, Asking, Brief, Requests, lead_in, settings_of

Values = Mapping[str, tuple[ParamValue, ...]]
ALONE = "alone"
OVERHEAD_S = 0.25
_WEIGHTS = 1000


def asks(brief: Brief) -> Asking:
    """The fast endpoint alone, and then beside each neighbour at each share: the same arrivals every time."""
    settings = brief.settings
    assert isinstance(settings, Neighbours)
    fast, *others = brief.scenario.requests
    yield _ask(settings, (fast,), ALONE, {"neighbour": "", "share": 0})
    for other in others:
        for share in brief.trial.values["share"]:
            weight = round(float(share) / 100 * _WEIGHTS)
            mix = replace(fast, weight=_WEIGHTS - weight), replace(other, weight=weight)
            setting = {"neighbour": other.endpoint, "share": share, **other.params}
            yield _ask(settings, mix, f"{other.endpoint}-{share}", setting)


def seconds(scenario: Scenario, values: Values, target: Target) -> float:
    settings = settings_of(scenario)
    return (1 + len(values["share"]) * (len(scenario.requests) - 1)) * (settings.window_s + OVERHEAD_S)


def _ask(
    settings: Neighbours, requests: tuple[PlannedRequest, ...], key: str, setting: Mapping[str, ParamValue]
) -> Ask:
    names = tuple(request.endpoint for request in requests)
    load = Requests(
        requests, names, OPEN_CONNECTIONS, settings.window_s, settings.rate, lead_in_s=lead_in(settings.window_s)
    )
    return Ask(key, "neighbours", {"rate": settings.rate, **setting}, load, names, arrivals="same")
