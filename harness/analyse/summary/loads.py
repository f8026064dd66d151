"""Journeys, and load that several workers shared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.analyse.summary.comparisons import Verdict
from harness.analyse.summary.estimate import Estimate


@dataclass(frozen=True, slots=True)
class JourneyClass:
    """Response times of one class of request of a journey, in microseconds.

    Attributes:
        p50_us: the blocks' medians, with their interval; the block is the replicate.
        p90_us, p99_us: over the samples of all valid blocks; ``None`` where fewer than ten lie beyond.
    """

    name: str
    count: int
    p50_us: Estimate | None
    p90_us: float | None
    p99_us: float | None


@dataclass(frozen=True, slots=True)
class JourneyResult:
    """A journey on one target, as its users saw it.

    Attributes:
        engine: who sent it; figures of different engines are never compared.
        throughput_rps: right replies per second, which think times bound: no capacity.
        cpu_us: CPU microseconds of the server's process tree per right reply.
        classes: by the time that users spent in them, the most first.
    """

    journey: str
    target: str
    users: int
    engine: Literal["wire", "locust"]
    status: Literal["ok", "failed", "not-measurable", "not-run"]
    throughput_rps: Estimate | None = None
    cpu_us: Estimate | None = None
    classes: tuple[JourneyClass, ...] = ()
    replies: int = 0
    errors: Mapping[str, int] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SharedLoad:
    """One target at one point, loaded by several workers at once in a closed loop.

    Attributes:
        workers: how many sent; ``lost_windows``: in how many windows one of them was lost.
        throughput_rps: right replies per second; ``cpu_us``: CPU µs per right reply, ``None`` of servers elsewhere.
        p50_us: the blocks' medians of the service time; ``p90_us``, ``p99_us``: over the samples of all valid blocks.
    """

    target: str
    point: str
    status: Literal["ok", "failed", "not-measurable", "not-run"]
    workers: int = 0
    lost_windows: int = 0
    throughput_rps: Estimate | None = None
    cpu_us: Estimate | None = None
    p50_us: Estimate | None = None
    p90_us: float | None = None
    p99_us: float | None = None
    replies: int = 0
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SharedContrast:
    """Throughput of ``a`` over that of ``b`` at one point, both alone, one after the other in each block.

    Attributes:
        control: whether both are one target.
    """

    a: str
    b: str
    point: str
    verdict: Verdict
    ratio: float | None
    ci_low: float | None
    ci_high: float | None
    blocks: int
    margin: float
    control: bool = False
