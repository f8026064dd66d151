"""Response times at the same offered load for every target."""

from __future__ import annotations

from dataclasses import dataclass

from harness.studies.groups import Group, Spread, StudyRow, rows_of
from harness.studies.study import OPEN_CONNECTIONS, Brief, Requests, Study, StudySettings, WindowSpec, WindowSpecs


@dataclass(frozen=True, slots=True)
class LatencyRow(StudyRow):
    """Response times at an offered rate.

    Attributes:
        curve: (share of the requests, microseconds) up to where 10 samples lie beyond.
    """

    rate_rps: float
    endpoint: str
    latency: Spread | None = None
    curve: tuple[tuple[float, float], ...] = ()


def windows(brief: Brief[StudySettings]) -> WindowSpecs:
    """Each rate once, with the same seeded arrivals to every target."""
    settings, request = brief.settings, brief.requests[0]
    for rate in brief.values["rate"]:
        load = Requests((request,), OPEN_CONNECTIONS, settings.window_s, float(rate), lead_in_s=settings.lead_in_s)
        yield WindowSpec(f"{rate}-rps", "latency", {"rate": rate, **request.params}, load, (request.endpoint,))


def _row(group: Group) -> LatencyRow:
    return LatencyRow(
        *group.head,
        rate_rps=float(group.setting["rate"]),
        endpoint=group.first_class,
        latency=group.spread(group.first_class),
        curve=group.curve(group.first_class),
    )


rows = rows_of(_row)
STUDY = Study("latency", windows, StudySettings, {"rate": True})
