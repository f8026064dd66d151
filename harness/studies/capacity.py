"""The highest Poisson rate at which the p99 stays within a bound, and what happens beyond it."""

from __future__ import annotations

import math

import numpy as np

from harness.declare.study_settings import Capacity
from harness.load.spec import FloatArray, LoadMeasurement
from harness.model import ParamValue, Scenario, Target, WindowRecord
from harness.objective import edge, held, tried
from harness.studies.ask import OPEN_CONNECTIONS, Ask, Asking, Brief, Figures, Requests, settings_of
from harness.studies.neighbours import Values

LEAD_IN_SHARE = 0.25
"""A queue begins empty, and takes its time to become as long as it will be."""

ASKED = (0.5, 0.9)
"""Quantiles at which the search asks in turn: near the edge most windows have no late reply and tell little, a little
beyond it they have many."""

BELOW, ABOVE = 0.95, 1.05
OVERLOAD, RECOVERY = 1.5, 0.5
BIN_S = 0.25
OVERHEAD_S = 0.6
TIMEOUT_S = 5.0
LOWEST_RPS = 1.0


def asks(brief: Brief) -> Asking:
    """Doubling (in the first block), bisection, in the last block the confirmation, and then the overload."""
    settings = brief.settings
    assert isinstance(settings, Capacity)
    records = [record for record in brief.earlier if record.study == "capacity"]
    if not tried(records):
        yield from _double(brief, settings, records)
    if not tried(records) or not any(record.answered for record in records):
        return
    bisection = edge(records)
    for number in range(settings.searches):
        rate = min(bisection.quantile(ASKED[number % len(ASKED)]), settings.highest_rps)
        record = yield _ask(brief, settings, f"search-{number}", "search", rate, settings.window_s)
        for each in tried([record]):
            bisection.learn(each)
    found = min(bisection.median, settings.highest_rps)
    if brief.trial.block == settings.blocks - 1:
        for factor in (BELOW, ABOVE):
            yield _ask(brief, settings, f"confirm-{factor}", "confirm", factor * found, settings.confirm_s, factor)
    if settings.overload_s and brief.trial.block >= settings.blocks - settings.overloads:
        yield _overload(brief, settings, found)


def seconds(scenario: Scenario, values: Values, target: Target) -> float:
    """Mean over the blocks."""
    settings = settings_of(scenario)
    assert isinstance(settings, Capacity)
    doublings = min(6.0, math.log2(max(2.0, settings.highest_rps / settings.start_rps)))
    once = doublings * (settings.window_s / 2 + OVERHEAD_S) + 2 * (settings.confirm_s + OVERHEAD_S)
    each = settings.searches * (settings.window_s + OVERHEAD_S)
    if settings.overload_s:
        beyond = settings.overload_s + settings.recovery_s + OVERHEAD_S
        once += min(settings.blocks, settings.overloads) * beyond
    return each + once / settings.blocks


def _double(brief: Brief, settings: Capacity, records: list[WindowRecord]) -> Asking:
    """Doubles from the first rate on until the objective fails; halves where the first one fails already."""
    rate, factor = settings.start_rps, 0.0
    while LOWEST_RPS <= rate <= settings.highest_rps:
        record = yield _ask(brief, settings, f"double-{rate:g}", "double", rate, settings.window_s / 2)
        records.append(record)
        kept = held(record)
        factor = factor or (2.0 if kept else 0.5)
        if kept != (factor > 1) or record.failures:
            return
        rate *= factor


def _ask(
    brief: Brief, settings: Capacity, key: str, step: str, rate: float, seconds: float, factor: float = 0.0
) -> Ask:
    request = brief.scenario.requests[0]
    setting: dict[str, ParamValue] = {"rate": round(rate, 2), "bound_ms": settings.bound_ms, "step": step}
    if factor:
        setting["factor"] = factor
    load = Requests(
        (request,),
        (request.endpoint,),
        OPEN_CONNECTIONS,
        seconds,
        round(rate, 2),
        lead_in_s=LEAD_IN_SHARE * seconds,
        timeout_s=TIMEOUT_S,
    )
    figures = late_figures(settings.bound_ms * 1e3, load.lead_in_s, seconds)
    return Ask(key, "capacity", setting, load, (request.endpoint,), figures)


def _overload(brief: Brief, settings: Capacity, rate: float) -> Ask:
    request = brief.scenario.requests[0]
    phases = (OVERLOAD * rate, settings.overload_s), (RECOVERY * rate, settings.recovery_s)
    load = Requests(
        (request,),
        ("overload", "recovery"),
        OPEN_CONNECTIONS,
        settings.overload_s + settings.recovery_s,
        phases[0][0],
        phases,
        timeout_s=TIMEOUT_S,
        in_flight_cap=OPEN_CONNECTIONS,
    )
    setting = {"rate": round(rate, 2), "bound_ms": settings.bound_ms, "overload_s": settings.overload_s}
    figures = overload_figures(settings.overload_s, settings.bound_ms * 1e3)
    return Ask("overload", "overload", setting, load, (request.endpoint,), figures)


def late_figures(bound_us: float, lead_in_s: float, seconds: float) -> Figures:
    """``late_share``: requests planned after the lead-in that were answered later than the bound, or not rightly."""

    def figures(measured: LoadMeasurement, planned: FloatArray) -> dict[str, float]:
        assert measured.response_time_us is not None
        begun = measured.sent_s - (measured.response_time_us - measured.service_time_us) * 1e-6
        asked = int(np.count_nonzero(planned >= lead_in_s))
        good = int(np.count_nonzero((begun >= lead_in_s - 1e-9) & (measured.response_time_us <= bound_us)))
        return {"late_share": max(0.0, 1 - good / asked) if asked else 0.0, "counted_s": seconds - lead_in_s}

    return figures


def overload_figures(overload_s: float, bound_us: float) -> Figures:
    """What became of the overload's requests, and when the p99 was back.

    ``recovery_s`` is from the overload's end to the beginning of the first quarter of a second from which on every
    quarter's p99 is within the bound and none of its requests failed; it is missing where there is no such.
    """

    def figures(measured: LoadMeasurement, planned: FloatArray) -> dict[str, float]:
        assert measured.response_time_us is not None
        begun = measured.sent_s - (measured.response_time_us - measured.service_time_us) * 1e-6
        asked, right = planned < overload_s, begun < overload_s
        found = {
            "overload_planned": float(np.count_nonzero(asked)),
            "overload_answered": float(np.count_nonzero(right)),
            "overload_answered_rps": float(np.count_nonzero(right)) / overload_s,
        }
        found["unanswered_share"] = 1 - found["overload_answered"] / max(1.0, found["overload_planned"])
        back = recovered(planned, begun, measured.response_time_us, overload_s, bound_us)
        if back is not None:
            found["recovery_s"] = back
        return found

    return figures


def recovered(
    planned: FloatArray, begun: FloatArray, response_us: FloatArray, from_s: float, bound_us: float
) -> float | None:
    """See ``overload_figures``; ``begun`` are the planned times of right replies."""
    end = float(planned.max(initial=0.0))
    since = None
    for number in range(max(0, math.ceil((end - from_s) / BIN_S))):
        low, high = from_s + number * BIN_S, from_s + (number + 1) * BIN_S
        asked = np.count_nonzero((planned >= low) & (planned < high))
        responses = np.sort(response_us[(begun >= low - 1e-9) & (begun < high - 1e-9)])
        good = asked <= len(responses) + 1 and (
            not asked or not len(responses) or responses[-(-len(responses) * 99 // 100) - 1] <= bound_us
        )
        if not good:
            since = None
        elif since is None:
            since = number * BIN_S
    return since
