"""Many connections: idle ones and slow readers next to a load, WebSocket echoes, server-sent events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from pydantic import Field

from harness.model import PlannedRequest, WindowRecord
from harness.studies.groups import Group, Spread, StudyRow, rows_of
from harness.studies.study import (
    OPEN_CONNECTIONS,
    Brief,
    Echoes,
    Requests,
    Streams,
    Study,
    StudySettings,
    WindowSpec,
    WindowSpecs,
)

OVERHEAD_S = 0.4
OPENED_PER_S = 2000
TIMEOUT_S = 2.0
SLOW_KB = 10_240
EVENTS = 1000

Kind = Literal["idle", "slow", "sockets", "streams"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Connections(StudySettings):
    """``rate``: requests per second next to the open connections; ``events_ms``: between two server-sent events."""

    rate: float = Field(100, gt=0, le=100_000)
    events_ms: int = Field(500, ge=1, le=1000)


@dataclass(frozen=True, slots=True)
class ConnectionRow(StudyRow):
    """Many connections of one kind.

    Attributes:
        number: connections to be opened; ``served``: those that got an answer, in the block with the fewest.
        latency: of requests next to them, of echoes, or of the gaps between events.
        rate_rps: echoes, events or requests per second.
        unanswered_share: requests next to them without a right reply.
    """

    kind: Literal["alone", "idle", "slow", "sockets", "streams"]
    number: int
    served: int = 0
    latency: Spread | None = None
    rate_rps: float | None = None
    unanswered_share: float | None = None
    rss_bytes: float | None = None


def windows(brief: Brief[Connections]) -> WindowSpecs:
    """The load alone and with idle connections, then echoes, slow readers and streams: last those that leave a server
    with work to do."""
    settings, values, request = brief.settings, brief.values, brief.requests[0]
    yield _with_open(settings, request, "alone", 0, 0)
    for count in values.get("idle", ()):
        yield _with_open(settings, request, f"idle-{count}", int(count), 0)
    for count in values.get("sockets", ()):
        load = Echoes(int(count), settings.window_s)
        setting, overhead_s = {"sockets": count}, _overhead(int(count))
        yield WindowSpec(f"sockets-{count}", "connections", setting, load, (), ("websocket",), overhead_s=overhead_s)
    for count in values.get("slow", ()):
        yield _with_open(settings, request, f"slow-{count}", 0, int(count))
    for count in values.get("streams", ()):
        events = PlannedRequest("stream-events", "", {"n": EVENTS, "interval_ms": settings.events_ms})
        setting, overhead_s = {"streams": count, "interval_ms": settings.events_ms}, _overhead(int(count))
        streams = Streams(events, int(count), settings.window_s)
        yield WindowSpec(f"streams-{count}", "connections", setting, streams, ("stream-events",), overhead_s=overhead_s)


def _with_open(settings: Connections, request: PlannedRequest, key: str, idle: int, slow: int) -> WindowSpec:
    load = Requests(
        (request,),
        OPEN_CONNECTIONS,
        settings.window_s,
        settings.rate,
        lead_in_s=settings.lead_in_s,
        timeout_s=TIMEOUT_S,
        idle=idle,
        slow=slow,
        slow_request=PlannedRequest("download", "", {"kb": SLOW_KB}) if slow else None,
    )
    needs = (request.endpoint, "download") if slow else (request.endpoint,)
    setting = {"rate": settings.rate, "idle": idle, "slow": slow}
    return WindowSpec(key, "connections", setting, load, needs, overhead_s=_overhead(idle + slow))


def _overhead(opened: int) -> float:
    return OVERHEAD_S + opened / OPENED_PER_S


def _row(group: Group) -> ConnectionRow:
    kind = next((kind for kind in KINDS if group.setting.get(kind)), None)
    name = {"sockets": "echo", "streams": "gap"}.get(kind or "", group.first_class)
    planned = sum(record.only.planned for record in group.records)
    answered = sum(record.only.answered for record in group.records)
    memory = [record.rss_bytes[group.target] for record in group.records if group.target in record.rss_bytes]
    return ConnectionRow(
        *group.head,
        kind=kind or "alone",
        number=int(group.setting[kind]) if kind else 0,
        served=min((_served(kind, record) for record in group.records), default=0),
        latency=group.spread(name),
        rate_rps=_rate(group, kind),
        unanswered_share=1 - answered / planned if kind not in ("sockets", "streams") and planned else None,
        rss_bytes=max(memory) if memory else None,
    )


def _served(kind: Kind | None, record: WindowRecord) -> int:
    if kind == "idle":
        return int(record.only.figures.get("idle_answered", 0) - record.only.figures.get("idle_closed", 0))
    if kind == "slow":
        return int(record.only.figures.get("slow_opened", 0))
    if kind == "sockets":
        return int(record.only.latency_us.get("handshake", {}).get("count", 0))
    return record.only.answered


def _rate(group: Group, kind: Kind | None) -> float | None:
    """Mean over blocks: echoes, events or requests per second."""
    if not group.records:
        return None
    if kind == "streams":
        sides = [record.only for record in group.records]
        count = sum(side.latency_us.get("gap", {}).get("count", 0) + side.answered for side in sides)
        return count / sum(max(side.figures.get("window_s", 1.0), 1e-9) for side in sides)
    rates = [record.only.figures.get("throughput_rps", 0.0) for record in group.records]
    return sum(rates) / len(rates)


rows = rows_of(_row)
STUDY = Study("connections", windows, Connections, dict.fromkeys(KINDS, False))
