"""Many connections: idle ones and slow readers beside a load, WebSocket echoes, server-sent events."""

from __future__ import annotations

from harness.declare.study_settings import Connections
from harness.model import PlannedRequest, Scenario, Target
from harness.studies.ask import OPEN_CONNECTIONS, Ask, Asking, Brief, Echoes, Requests, Streams, lead_in, settings_of
from harness.studies.neighbours import Values

OVERHEAD_S = 0.4
OPENED_PER_S = 2000
TIMEOUT_S = 2.0
SLOW_KB = 10_240
EVENTS = 1000


def asks(brief: Brief) -> Asking:
    """The load alone and beside idle connections, then echoes, then slow readers, then streams: those last that leave
    a server with work to do."""
    settings, values = brief.settings, brief.trial.values
    assert isinstance(settings, Connections)
    request = brief.scenario.requests[0]
    yield _beside(settings, request, "alone", 0, 0)
    for count in values.get("idle", ()):
        yield _beside(settings, request, f"idle-{count}", int(count), 0)
    for count in values.get("sockets", ()):
        load = Echoes(int(count), settings.window_s)
        yield Ask(f"sockets-{count}", "connections", {"sockets": count}, load, ("websocket",))
    for count in values.get("slow", ()):
        yield _beside(settings, request, f"slow-{count}", 0, int(count))
    for count in values.get("streams", ()):
        events = PlannedRequest("stream-events", "", {"n": EVENTS, "interval_ms": settings.events_ms})
        setting = {"streams": count, "interval_ms": settings.events_ms}
        load_of_events = Streams(events, int(count), settings.window_s)
        yield Ask(f"streams-{count}", "connections", setting, load_of_events, ("stream-events",))


def seconds(scenario: Scenario, values: Values, target: Target) -> float:
    settings = settings_of(scenario)
    counts = {name: [int(count) for count in values.get(name, ())] for name in ("idle", "slow", "sockets", "streams")}
    windows = 1 + sum(map(len, counts.values()))
    opening = sum(map(sum, counts.values())) / OPENED_PER_S
    return windows * (settings.window_s + OVERHEAD_S) + opening


def _beside(settings: Connections, request: PlannedRequest, key: str, idle: int, slow: int) -> Ask:
    load = Requests(
        (request,),
        (request.endpoint,),
        OPEN_CONNECTIONS,
        settings.window_s,
        settings.rate,
        lead_in_s=lead_in(settings.window_s),
        timeout_s=TIMEOUT_S,
        idle=idle,
        slow=slow,
        slow_request=PlannedRequest("download", "", {"kb": SLOW_KB}) if slow else None,
    )
    needs = (request.endpoint, "download") if slow else (request.endpoint,)
    return Ask(key, "connections", {"rate": settings.rate, "idle": idle, "slow": slow}, load, needs)
