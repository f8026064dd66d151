"""Response times at the same offered load for every target."""

from __future__ import annotations

from harness.model import Scenario, Target
from harness.studies.ask import OPEN_CONNECTIONS, Ask, Asking, Brief, Requests, lead_in, settings_of
from harness.studies.neighbours import Values

OVERHEAD_S = 0.25


def asks(brief: Brief) -> Asking:
    """Each rate once, with the same seeded arrivals to every target."""
    settings, request = brief.settings, brief.scenario.requests[0]
    for rate in brief.trial.values["rate"]:
        load = Requests(
            (request,),
            (request.endpoint,),
            OPEN_CONNECTIONS,
            settings.window_s,
            float(rate),
            lead_in_s=lead_in(settings.window_s),
        )
        yield Ask(f"{rate}-rps", "latency", {"rate": rate, **request.params}, load, (request.endpoint,))


def seconds(scenario: Scenario, values: Values, target: Target) -> float:
    return len(values["rate"]) * (settings_of(scenario).window_s + OVERHEAD_S)
