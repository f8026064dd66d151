"""What slow, CPU-heavy or blocking requests do to a fast endpoint next to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import Field

from harness.model import ParamValue, PlannedRequest, WindowRecord
from harness.model.load import Samples
from harness.stats.estimate import Estimate
from harness.studies.groups import Group, Spread, StudyRow, groups
from harness.studies.study import OPEN_CONNECTIONS, Brief, Requests, Study, StudySettings, WindowSpec, WindowSpecs

ALONE = "alone"
_WEIGHTS = 1000


class Neighbours(StudySettings):
    """``rate``: requests per second, the neighbours' included, from a seeded Poisson process."""

    rate: float = Field(160, gt=0, le=100_000)


@dataclass(frozen=True, slots=True)
class NeighbourRow(StudyRow):
    """The fast endpoint next to a neighbour; alone where ``neighbour`` is empty.

    Attributes:
        share: percent of the requests that are the neighbour's. ``ms``: how long one of them takes; 0 where not set.
        fast: the fast endpoint's name, and ``latency`` its response times.
        times: its p99 over that of the endpoint alone, in the same block.
        errors: requests of either kind without a right reply.
    """

    neighbour: str
    share: float
    ms: float
    rate_rps: float
    fast: str
    latency: Spread | None = None
    times: Estimate | None = None
    errors: int = 0


def windows(brief: Brief[Neighbours]) -> WindowSpecs:
    """The fast endpoint alone, and then next to each neighbour at each share: the same arrivals every time."""
    fast, *others = brief.requests
    yield _window(brief.settings, (fast,), ALONE, {"neighbour": "", "share": 0})
    for other in others:
        for share in brief.values["share"]:
            weight = round(float(share) / 100 * _WEIGHTS)
            mix = replace(fast, weight=_WEIGHTS - weight), replace(other, weight=weight)
            setting = {"neighbour": other.endpoint, "share": share, **other.params}
            yield _window(brief.settings, mix, f"{other.endpoint}-{share}", setting)


def _window(
    settings: Neighbours, requests: tuple[PlannedRequest, ...], key: str, setting: Mapping[str, ParamValue]
) -> WindowSpec:
    load = Requests(requests, OPEN_CONNECTIONS, settings.window_s, settings.rate, lead_in_s=settings.lead_in_s)
    return WindowSpec(key, "neighbours", {"rate": settings.rate, **setting}, load, load.classes, arrivals="same")


def rows(records: Sequence[WindowRecord], samples: Samples) -> tuple[NeighbourRow, ...]:
    every = groups(records, samples)
    baselines = {(group.target, group.scenario): group for group in every if group.point == ALONE}
    return tuple(_row(group, baselines.get((group.target, group.scenario))) for group in every)


def _row(group: Group, baseline: Group | None) -> NeighbourRow:
    setting, fast = group.setting, group.first_class

    def p99(record: WindowRecord) -> float | None:
        return record.only.latency_us.get(fast, {}).get("p99")

    return NeighbourRow(
        *group.head,
        neighbour=str(setting.get("neighbour", "")),
        share=float(setting.get("share", 0)),
        ms=float(setting.get("ms", 0)),
        rate_rps=float(setting.get("rate", 0)),
        fast=fast,
        latency=group.spread(fast),
        times=group.over(baseline, p99) if baseline and setting.get("neighbour") else None,
        errors=sum(sum(record.only.errors.values()) for record in group.records),
    )


STUDY = Study("neighbours", windows, Neighbours, {"share": True}, requests=(2, 20))
