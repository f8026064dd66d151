"""One request that needs several calls to an upstream service."""

from __future__ import annotations

from dataclasses import replace

from harness.model import Scenario, Target
from harness.studies.ask import Ask, Asking, Brief, Requests, lead_in, settings_of
from harness.studies.neighbours import Values

OVERHEAD_S = 0.25


def asks(brief: Brief) -> Asking:
    """Each number of calls at each concurrency, in a closed loop."""
    settings = brief.settings
    for concurrency in brief.scenario.concurrency:
        for calls in brief.trial.values["calls"]:
            request = brief.scenario.requests[0]
            request = replace(request, params={**request.params, "calls": int(calls)})
            load = Requests(
                (request,),
                (request.endpoint,),
                concurrency,
                settings.window_s,
                lead_in_s=lead_in(settings.window_s),
            )
            setting = {"connections": concurrency, **request.params}
            yield Ask(f"{calls}-calls@{concurrency}", "fan-out", setting, load, (request.endpoint,))


def seconds(scenario: Scenario, values: Values, target: Target) -> float:
    windows = len(values["calls"]) * len(scenario.concurrency)
    return windows * (settings_of(scenario).window_s + OVERHEAD_S)
