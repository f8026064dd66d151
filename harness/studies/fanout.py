"""One request that needs several calls to an upstream service."""

from __future__ import annotations

from dataclasses import dataclass, replace

from harness.stats.estimate import Estimate
from harness.studies.groups import Group, Spread, StudyRow, rows_of, throughput
from harness.studies.study import Brief, Requests, Study, StudySettings, WindowSpec, WindowSpecs


@dataclass(frozen=True, slots=True)
class FanOutRow(StudyRow):
    """Service times of requests that need ``calls`` calls of ``ms`` each."""

    calls: int
    ms: float
    connections: int
    latency: Spread | None = None
    throughput_rps: Estimate | None = None
    cpu_us: Estimate | None = None


def windows(brief: Brief[StudySettings]) -> WindowSpecs:
    """Each number of calls at each concurrency, in a closed loop."""
    settings = brief.settings
    for concurrency in brief.concurrency:
        for calls in brief.values["calls"]:
            request = brief.requests[0]
            request = replace(request, params={**request.params, "calls": int(calls)})
            load = Requests((request,), concurrency, settings.window_s, lead_in_s=settings.lead_in_s)
            setting = {"connections": concurrency, **request.params}
            yield WindowSpec(f"{calls}-calls@{concurrency}", "fan-out", setting, load, (request.endpoint,))


def _row(group: Group) -> FanOutRow:
    return FanOutRow(
        *group.head,
        calls=int(group.setting["calls"]),
        ms=float(group.setting.get("ms", 0)),
        connections=int(group.setting["connections"]),
        latency=group.spread(group.first_class),
        throughput_rps=group.over_blocks(throughput),
        cpu_us=group.over_blocks(lambda record: record.only.cpu_us),
    )


rows = rows_of(_row)
STUDY = Study("fan-out", windows, StudySettings, {"calls": True}, concurrency=True)
