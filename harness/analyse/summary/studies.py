"""What a run's studies came to: the part of ``summary.json`` about load on one target alone.

Latencies are in microseconds, pooled over every sample of the sound windows of all blocks; ``…_low`` and ``…_high`` are
the lowest and the highest block's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.analyse.summary.estimate import Estimate

RowStatus = Literal["ok", "cannot", "failed", "not-measurable"]
ConnectionKind = Literal["alone", "idle", "slow", "sockets", "streams"]


@dataclass(frozen=True, slots=True)
class Spread:
    """A class of requests: pooled percentiles, and how the p99 varied from block to block."""

    count: int
    p50_us: float
    p99_us: float
    p99_low_us: float
    p99_high_us: float


@dataclass(frozen=True, slots=True)
class StudyRow:
    """One target at one setting; ``reason`` says why there is no number, where ``status`` is not ``ok``."""

    target: str
    scenario: str
    status: RowStatus
    reason: str
    blocks: int


@dataclass(frozen=True, slots=True)
class NeighbourRow(StudyRow):
    """The fast endpoint beside a neighbour; alone where ``neighbour`` is empty.

    Attributes:
        share: percent of the requests that are the neighbour's. ``ms``: how long one of them takes; 0 where not set.
        fast: the fast endpoint's name, and ``latency`` its response times.
        times: its p99 over the one alone, in the same block.
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


@dataclass(frozen=True, slots=True)
class FanOutRow(StudyRow):
    """Service times of requests that need ``calls`` calls of ``ms`` each."""

    calls: int
    ms: float
    connections: int
    latency: Spread | None = None
    throughput_rps: Estimate | None = None
    cpu_us: Estimate | None = None


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


@dataclass(frozen=True, slots=True)
class CapacityRow(StudyRow):
    """The highest rate that keeps the objective.

    Attributes:
        rps: median of the search over all blocks; ``low_rps`` to ``high_rps`` is its 95% interval, no narrower than the
            rates that confirmed it, 0.95 and 1.05 times the estimate.
        below_held, above_failed: windows at 0.95 times that kept the objective, and at 1.05 times that did not, of
            ``below`` and ``above``.
        tried: (rate, p99 in microseconds, 1 where the objective held) of every window of the search.
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
        recovered: blocks in which the p99 came back within the bound. ``recovery_s``: the longest that it took in them.
    """

    bound_ms: float
    rate_rps: float = 0.0
    unanswered_share: float | None = None
    errors: Mapping[str, int] = field(default_factory=dict)
    latency: Spread | None = None
    recovered: int = 0
    recovery_s: float | None = None


@dataclass(frozen=True, slots=True)
class ConnectionRow(StudyRow):
    """Many connections of one kind.

    Attributes:
        number: connections asked for; ``served``: those that got an answer, in the block with the fewest.
        latency: of requests beside them, of echoes, or of the gaps between events.
        rate_rps: echoes, events or requests per second.
        unanswered_share: requests beside them without a right reply.
    """

    kind: ConnectionKind
    number: int
    served: int = 0
    latency: Spread | None = None
    rate_rps: float | None = None
    unanswered_share: float | None = None
    rss_bytes: float | None = None


@dataclass(frozen=True, slots=True)
class StudyResults:
    """By study, in the order in which their windows were first recorded."""

    neighbours: tuple[NeighbourRow, ...] = ()
    fan_out: tuple[FanOutRow, ...] = ()
    latency: tuple[LatencyRow, ...] = ()
    capacity: tuple[CapacityRow, ...] = ()
    overload: tuple[OverloadRow, ...] = ()
    connections: tuple[ConnectionRow, ...] = ()
