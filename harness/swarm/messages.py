"""What crosses the pipe between the harness and a process that runs Locust."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.load.spec import FloatArray


@dataclass(frozen=True, slots=True)
class JourneySpec:
    """Users of a locustfile, for so long.

    Attributes:
        users: started evenly over the first half of ``warmup_s``; then ``duration_s`` are measured.
        host: base URL of the target.
        grace_s: how long users may finish what they are at before they are ended.
        live_port: port of Locust's web page; 0 for none.
    """

    file: str
    host: str
    users: int
    warmup_s: float
    duration_s: float
    seed: int = 0
    grace_s: float = 2.0
    live_port: int = 0


@dataclass(frozen=True, slots=True)
class Mark:
    """From the process: the measured stretch ``begin``s or ``end``s now."""

    name: str


@dataclass(frozen=True, slots=True)
class JourneyMeasurement:
    """What the users saw.

    Attributes:
        latency_us: class of request → response times of the right replies that came within the measured stretch, in
            microseconds, from sending to the last byte, as Locust's client takes them.
        errors: kind → requests that failed or were answered wrongly, at any time; ``examples``: one of each.
        generator_cpu: share of a CPU that Locust used in the measured stretch, the largest of its processes.
        users: those that were running at its end.
    """

    duration_s: float
    latency_us: Mapping[str, FloatArray]
    errors: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, str] = field(default_factory=dict)
    generator_cpu: float = 0.0
    generator_wait: float = 0.0
    users: int = 0
    interrupted: bool = False

    @property
    def answered(self) -> int:
        return sum(map(len, self.latency_us.values()))
