"""Every study: what it asks for, and how long that takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.model import Scenario, Target
from harness.studies import capacity, connections, fanout, latency, neighbours
from harness.studies.ask import Asking, Brief
from harness.studies.neighbours import Values


@dataclass(frozen=True, slots=True)
class Study:
    """``seconds``: expected time of one target's trial, without the start of its server."""

    asks: Callable[[Brief], Asking]
    seconds: Callable[[Scenario, Values, Target], float]


STUDIES: Mapping[str, Study] = {
    "neighbours": Study(neighbours.asks, neighbours.seconds),
    "fan-out": Study(fanout.asks, fanout.seconds),
    "latency": Study(latency.asks, latency.seconds),
    "capacity": Study(capacity.asks, capacity.seconds),
    "connections": Study(connections.asks, connections.seconds),
}
