"""What crosses the pipe between the harness and a process that runs Locust."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.load.spec import FloatArray

OnLost = Literal["invalid", "continue"]


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
        lost: workers that were lost, and why.
    """

    duration_s: float
    latency_us: Mapping[str, FloatArray]
    errors: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, str] = field(default_factory=dict)
    generator_cpu: float = 0.0
    generator_wait: float = 0.0
    users: int = 0
    interrupted: bool = False
    lost: tuple[str, ...] = ()

    @property
    def answered(self) -> int:
        return sum(map(len, self.latency_us.values()))


@dataclass(frozen=True, slots=True)
class Listen:
    """To the master: take workers.

    Attributes:
        host: address to listen on. ``port``: 0 for any that is free.
        live_port: port of Locust's web page; 0 for none.
        lost: what to do about a worker that is lost: ``invalid`` ends the load, ``continue`` goes on with the rest.
    """

    host: str
    port: int
    live_port: int = 0
    lost: OnLost = "invalid"


@dataclass(frozen=True, slots=True)
class Listening:
    """From the master: it takes workers at this port."""

    port: int


@dataclass(frozen=True, slots=True)
class Await:
    """To the master: answer with ``Joined`` once so many workers are there."""

    count: int


@dataclass(frozen=True, slots=True)
class Joined:
    """From the master: how many workers are there."""

    count: int


@dataclass(frozen=True, slots=True)
class Note:
    """From the master, at any time: a worker joined, was refused or is lost."""

    text: str
    warning: bool = False
