"""The highest Poisson rate at which the p99 stays within a bound, and what happens beyond it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from pydantic import Field

from harness.model import ParamValue, Reason, WindowRecord
from harness.model.load import FloatArray, LoadResult, every
from harness.stats.bisection import LIMIT, Bisection, RateTest
from harness.studies.groups import Group, Spread, StudyRow, rows_of
from harness.studies.study import OPEN_CONNECTIONS, Brief, Requests, Study, StudySettings, WindowSpec, WindowSpecs

LEAD_IN_SHARE = 0.25
"""A queue begins empty, and takes its time to become as long as it will be."""

QUANTILES = (0.5, 0.9)
"""Quantiles that the search tries in turn: near the edge most windows have no late reply and show little, a little
beyond it they have many."""

SEARCH = ("double", "search")
"""Steps of the search; ``confirm`` is the other."""

BELOW, ABOVE = 0.95, 1.05
OVERLOAD, RECOVERY = 1.5, 0.5
BIN_S = 0.25
OVERHEAD_S = 0.6
TIMEOUT_S = 5.0
LOWEST_RPS = 1.0
TAIL = 0.025


class Capacity(StudySettings):
    """The search for the highest rate, and the overload after it.

    Attributes:
        bound_ms: what the p99 of response times must not exceed.
        start_rps: where the doubling begins; ``highest_rps``: where it gives up.
        searches: windows of the bisection in each block.
        confirm_s: length of the windows at 0.95 and 1.05 times the estimated rate.
        overload_s: at 1.5 times that rate, then ``recovery_s`` at half of it, in so many of the last blocks as
            ``overloads`` says; 0 for none.
    """

    bound_ms: float = Field(50, gt=0, le=60_000)
    start_rps: float = Field(100, gt=0)
    highest_rps: float = Field(20_000, gt=0)
    searches: int = Field(5, ge=1, le=50)
    confirm_s: float = Field(4, gt=0, le=600)
    overload_s: float = Field(10, ge=0, le=600)
    recovery_s: float = Field(4, gt=0, le=600)
    overloads: int = Field(3, ge=0, le=50)


@dataclass(frozen=True, slots=True)
class CapacityRow(StudyRow):
    """The highest rate that meets the objective.

    Attributes:
        rps: median of the search over all blocks; ``low_rps`` to ``high_rps`` is its 95% interval, no narrower than the
            rates that confirmed it, 0.95 and 1.05 times the estimate.
        below_held, above_failed: windows at 0.95 times that met the objective, and at 1.05 times that did not, of
            ``below`` and ``above``.
        tried: (rate, p99 in microseconds, 1 where the objective was met) of every window of the search.
    """

    bound_ms: float
    rps: float | None = None
    low_rps: float | None = None
    high_rps: float | None = None
    below: int = 0
    below_held: int = 0
    above: int = 0
    above_failed: int = 0
    tried: tuple[tuple[float, float, int], ...] = ()


@dataclass(frozen=True, slots=True)
class OverloadRow(StudyRow):
    """1.5 times the capacity, and half of it afterwards.

    Attributes:
        unanswered_share: of the requests of the overload, pooled over blocks. ``errors``: what became of those.
        recovered: blocks in which the p99 returned to the bound. ``recovery_s``: the longest that it took in them.
    """

    bound_ms: float
    rate_rps: float = 0.0
    unanswered_share: float | None = None
    errors: Mapping[str, int] = field(default_factory=dict)
    latency: Spread | None = None
    recovered: int = 0
    recovery_s: float | None = None


def windows(brief: Brief[Capacity]) -> WindowSpecs:
    """Doubling (in the first block), bisection, in the last block the confirmation, and then the overload."""
    settings = brief.settings
    records = [record for record in brief.earlier if record.study == "capacity"]
    if not tried(records):
        yield from _double(brief, records)
    if not tried(records) or not any(record.only.answered for record in records):
        return
    bisection = Bisection(tried(records))
    for number in range(settings.searches):
        rate = min(bisection.quantile(QUANTILES[number % len(QUANTILES)]), _ceiling(settings, records))
        records.append((yield _step(brief, f"search-{number}", "search", rate, settings.window_s)))
        for each in tried(records[-1:]):
            bisection.learn(each)
    estimate = min(bisection.median, _ceiling(settings, records))
    if brief.block == settings.blocks - 1:
        for factor in (BELOW, ABOVE):
            yield _step(brief, f"confirm-{factor}", "confirm", factor * estimate, settings.confirm_s, factor)
    if settings.overload_s and brief.block >= settings.blocks - settings.overloads:
        yield _overload(brief, estimate)


def _ceiling(settings: Capacity, records: Iterable[WindowRecord]) -> float:
    """While every rate tried met the objective, a step goes to twice the highest of them and no further: if the window
    that ended the doubling was disturbed, nothing else bounds the search from above."""
    windows = tried(records)
    if any(each.late > LIMIT for each in windows):
        return settings.highest_rps
    return min(settings.highest_rps, 2 * max(each.rate for each in windows))


def _expected_s(settings: Capacity) -> float:
    """Mean over the blocks."""
    doublings = min(6.0, math.log2(max(2.0, settings.highest_rps / settings.start_rps)))
    once = doublings * (settings.window_s / 2 + OVERHEAD_S) + 2 * (settings.confirm_s + OVERHEAD_S)
    each = settings.searches * (settings.window_s + OVERHEAD_S)
    if settings.overload_s:
        beyond = settings.overload_s + settings.recovery_s + OVERHEAD_S
        once += min(settings.blocks, settings.overloads) * beyond
    return each + once / settings.blocks


def _double(brief: Brief[Capacity], records: list[WindowRecord]) -> WindowSpecs:
    """Doubles from the first rate on until the objective fails; halves where the first one fails already."""
    settings = brief.settings
    rate, factor = settings.start_rps, 0.0
    while LOWEST_RPS <= rate <= settings.highest_rps:
        record = yield _step(brief, f"double-{rate:g}", "double", rate, settings.window_s / 2)
        records.append(record)
        met = met_objective(record)
        factor = factor or (2.0 if met else 0.5)
        if met != (factor > 1) or record.failures:
            return
        rate *= factor


def _step(brief: Brief[Capacity], key: str, step: str, rate: float, seconds: float, factor: float = 0.0) -> WindowSpec:
    settings, request = brief.settings, brief.requests[0]
    setting: dict[str, ParamValue] = {"rate": round(rate, 2), "bound_ms": settings.bound_ms, "step": step}
    if factor:
        setting["factor"] = factor
    load = Requests(
        (request,),
        OPEN_CONNECTIONS,
        seconds,
        round(rate, 2),
        lead_in_s=LEAD_IN_SHARE * seconds,
        timeout_s=TIMEOUT_S,
    )
    figures = partial(late_figures, bound_us=settings.bound_ms * 1e3, lead_in_s=load.lead_in_s, seconds=seconds)
    return WindowSpec(key, "capacity", setting, load, (request.endpoint,), figures=figures)


def _overload(brief: Brief[Capacity], rate: float) -> WindowSpec:
    settings, request = brief.settings, brief.requests[0]
    phases = (OVERLOAD * rate, settings.overload_s), (RECOVERY * rate, settings.recovery_s)
    load = Requests(
        (request,),
        OPEN_CONNECTIONS,
        settings.overload_s + settings.recovery_s,
        phases[0][0],
        phases,
        ("overload", "recovery"),
        timeout_s=TIMEOUT_S,
        in_flight_cap=OPEN_CONNECTIONS,
    )
    setting = {"rate": round(rate, 2), "bound_ms": settings.bound_ms, "overload_s": settings.overload_s}
    figures = partial(overload_figures, overload_s=settings.overload_s, bound_us=settings.bound_ms * 1e3)
    return WindowSpec("overload", "overload", setting, load, (request.endpoint,), figures=figures)


def late_figures(
    measured: LoadResult, planned: FloatArray, *, bound_us: float, lead_in_s: float, seconds: float
) -> dict[str, float]:
    """``late_share``: requests planned after the lead-in that were answered later than the bound, or not rightly."""
    begun, response = measured.planned_s, every(measured.response_time_us)
    due = int(np.count_nonzero(planned >= lead_in_s))
    good = int(np.count_nonzero((begun >= lead_in_s - 1e-9) & (response <= bound_us)))
    return {"late_share": max(0.0, 1 - good / due) if due else 0.0, "counted_s": seconds - lead_in_s}


def overload_figures(
    measured: LoadResult, planned: FloatArray, *, overload_s: float, bound_us: float
) -> dict[str, float]:
    """What became of the overload's requests, and when the p99 was back.

    ``recovery_s`` is from the overload's end to the beginning of the first quarter of a second from which on every
    quarter's p99 is within the bound and none of its requests failed; it is missing where there is none.
    """
    begun, response = measured.planned_s, every(measured.response_time_us)
    due, right = (float(np.count_nonzero(times < overload_s)) for times in (planned, begun))
    figures = {
        "overload_planned": due,
        "overload_answered": right,
        "overload_answered_rps": right / overload_s,
        "unanswered_share": 1 - right / max(1.0, due),
    }
    back = recovered(planned, begun, response, overload_s, bound_us)
    return figures if back is None else {**figures, "recovery_s": back}


def recovered(
    planned: FloatArray, begun: FloatArray, response_us: FloatArray, from_s: float, bound_us: float
) -> float | None:
    """See ``overload_figures``; ``begun`` are the planned times of right replies."""
    end = float(planned.max(initial=0.0))
    since = None
    for number in range(max(0, math.ceil((end - from_s) / BIN_S))):
        low, high = from_s + number * BIN_S, from_s + (number + 1) * BIN_S
        due = np.count_nonzero((planned >= low) & (planned < high))
        responses = np.sort(response_us[(begun >= low - 1e-9) & (begun < high - 1e-9)])
        good = due <= len(responses) + 1 and (
            not due or not len(responses) or responses[-(-len(responses) * 99 // 100) - 1] <= bound_us
        )
        if not good:
            since = None
        elif since is None:
            since = number * BIN_S
    return since


def met_objective(record: WindowRecord) -> bool:
    """Every request got its right reply, and no more of them were late than a p99 allows."""
    if record.failures or record.only.errors or not record.only.answered or record.only.answered < record.only.planned:
        return False
    return record.only.figures["late_share"] <= LIMIT


def tried(records: Iterable[WindowRecord]) -> list[RateTest]:
    """The results of the search's windows without gates, in their order."""
    return [
        RateTest(float(record.only.params["rate"]), record.only.figures["late_share"], record.only.figures["counted_s"])
        for record in records
        if record.only.params.get("step") in SEARCH and "late_share" in record.only.figures and not record.gates
    ]


def _row(group: Group) -> CapacityRow:
    usable = group.records
    met = {each: [met_objective(r) for r in usable if r.only.params.get("factor") == each] for each in (BELOW, ABOVE)}
    rps = low = high = None
    searched = [record for record in usable if record.only.params.get("step") in SEARCH]
    reached = not all(map(met_objective, searched))
    if any(record.only.answered for record in usable) and reached:
        rps, low, high = interval(Bisection(tried(usable)), met[BELOW], met[ABOVE])
    if group.status == "ok" and searched and not reached:
        group = replace(group, status="not-measurable", reason=Reason("beyond-rates"))
    return CapacityRow(
        *group.head,
        bound_ms=float(group.setting["bound_ms"]),
        rps=rps,
        low_rps=low,
        high_rps=high,
        below=len(met[BELOW]),
        below_held=sum(met[BELOW]),
        above=len(met[ABOVE]),
        above_failed=sum(not each for each in met[ABOVE]),
        tried=tuple(
            (float(record.only.params["rate"]), latency["p99"], int(met_objective(record)))
            for record in searched
            for latency in record.only.latency_us.values()
        ),
    )


def interval(bisection: Bisection, below: Sequence[bool], above: Sequence[bool]) -> tuple[float, float, float]:
    """Estimate, lower and upper end.

    The 95% interval of the search over all blocks, but no narrower than the confirming rates. Where most windows at one
    of these contradict, that end goes out by as much again.
    """
    low = BELOW if not below or 2 * sum(below) >= len(below) else BELOW**2
    high = ABOVE if not above or 2 * sum(above) <= len(above) else ABOVE**2
    rps = bisection.median
    return rps, min(bisection.quantile(TAIL), rps * low), max(bisection.quantile(1 - TAIL), rps * high)


def _overload_row(group: Group) -> OverloadRow:
    errors: Counter[str] = Counter()
    for record in group.records:
        errors.update(record.only.errors)
    planned = sum(record.only.figures.get("overload_planned", 0.0) for record in group.records)
    answered = sum(record.only.figures.get("overload_answered", 0.0) for record in group.records)
    rates = [float(record.only.params["rate"]) for record in group.records]
    back = [record.only.figures["recovery_s"] for record in group.records if "recovery_s" in record.only.figures]
    return OverloadRow(
        *group.head,
        bound_ms=float(group.setting["bound_ms"]),
        rate_rps=OVERLOAD * sum(rates) / len(rates) if rates else 0.0,
        unanswered_share=1 - answered / planned if planned else None,
        errors=dict(sorted(errors.items())),
        latency=group.spread("overload"),
        recovered=len(back),
        recovery_s=max(back) if back else None,
    )


capacity_rows = rows_of(_row, key=lambda record: "")
overload_rows = rows_of(_overload_row)
STUDY = Study("capacity", windows, Capacity, expected_s=_expected_s)
