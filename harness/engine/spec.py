"""Orders to the processes that send load, and their answers: plain values that cross a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal, Self

from apps.contract.case import Case
from harness.model import Reason, Slices
from harness.model.address import Address as Address
from harness.model.load import ClassProgress as ClassProgress, FloatArray, Loop, Progress as Progress
from harness.model.units import MS

Arrivals = Literal["constant", "poisson"]
OnProgress = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class WireRequest:
    """A case as bytes, ready to be written; of its reply, status, type and body are compared."""

    case: Case
    data: bytes
    weight: int = 1

    @property
    def least_s(self) -> float:
        """The least time that a right reply can take: the wait that the request asks for."""
        return self.case.least_ms / MS


@dataclass(frozen=True, slots=True)
class SideSpec:
    """One side of a window.

    Attributes:
        root_pid: root of the server's process tree, for its CPU clock; 0 where it cannot be read.
        usage_file: file in which the kernel counts the CPU time of the server's control group; empty where it has none.
        connections: concurrency of the closed loop.
        slice_s: length of a slice, for a server that answers ``least_replies`` in it.
        lead_in_s: the first part of a slice, not counted for throughput (the ramp); 0 where throughput is all replies
            over slice and drain.
        stagger_s: time over which a slice's first sends are spread evenly, so that replies after a wait do not come in
            bursts.
        crowd_wait_s: how long a request waits, where so many do that all replies of slice and drain are counted.
        least_replies: how many replies a slice should hold: where the warm-up shows fewer, the engine lengthens it.
    """

    target: str
    point: str
    address: Address
    requests: tuple[WireRequest, ...]
    connections: int
    root_pid: int = 0
    slice_s: float = 0.05
    lead_in_s: float = 0.0
    stagger_s: float = 0.0
    crowd_wait_s: float = 0.0
    least_replies: int = 20
    timeout_s: float = 10.0
    usage_file: str = ""


@dataclass(frozen=True, slots=True)
class SlicesSpec:
    """Alternating slices of a group; rounds go on until ``budget_s`` is spent, at least ``min_rounds``."""

    sides: tuple[SideSpec, ...]
    seed: int
    budget_s: float
    min_rounds: int = 3
    warmup_rounds: int = 1


@dataclass(frozen=True, slots=True)
class SideOutcome:
    """The results of one side's requests, over all recorded slices.

    Attributes:
        service_time_us: every verified reply's service time in microseconds, in order of completion.
        errors: kind (``refused``, ``reset``, ``timeout``, ``truncated``, ``malformed``, ``wrong-status``,
            ``wrong-body``, …) → count.
        examples: kind → one human-readable example.
        fatal: why this side was given up midway.
        answered: verified replies in every slice, those of the warm-up too; ``unanswered``: all other requests.
        processes_cpu: CPU seconds that each process of its server used in its slices, most first.
    """

    service_time_us: FloatArray
    errors: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, str] = field(default_factory=dict)
    fatal: Reason | None = None
    answered: int = 0
    unanswered: int = 0
    processes_cpu: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class SlicesResult:
    """The engine's answer to a ``SlicesSpec``.

    Attributes:
        generator_cpu: CPU seconds that the engine's process used.
        generator_wait: seconds for which it was ready to run and another process had its CPU.
    """

    duration_s: float
    slices: Slices
    sides: tuple[SideOutcome, ...]
    generator_cpu: float
    generator_wait: float = 0.0


@dataclass(frozen=True, slots=True)
class ExtraConnections:
    """Connections in addition to those of a load, opened before it begins.

    Attributes:
        idle: connections that send ``idle_data`` once, read the reply and then stay open.
        slow: connections that send ``slow_data`` over and over, and read ``slow_bytes`` of the reply every
            ``slow_pause_s`` seconds.
        open_s: how long opening them may take.
    """

    idle: int = 0
    idle_data: bytes = b""
    slow: int = 0
    slow_data: bytes = b""
    slow_bytes: int = 8192
    slow_pause_s: float = 0.1
    open_s: float = 8.0


@dataclass(frozen=True, slots=True)
class LoadSpec:
    """A load on one address: a closed loop at ``connections``, or an open loop where there is a ``rate``.

    Attributes:
        rate: requests per second, whatever the replies do.
        in_flight_cap: open loop: requests sent or waiting for a connection, past which one is dropped and counted.
        share, shares: which part of the load this is, where several processes send it.
        start_at: ``time.perf_counter`` at which the schedule begins, so that several processes begin together.
        phases: open loop: requests per second and seconds, one phase after the other, in place of ``rate`` and
            ``duration_s``, which are then the first phase's rate and the whole time.
        extra: open loop: connections that are held open meanwhile.
        keep: how many latencies are kept one by one; those after them go into a histogram.
    """

    address: Address
    requests: tuple[WireRequest, ...]
    connections: int
    duration_s: float
    rate: float | None = None
    arrivals: Arrivals = "constant"
    seed: int = 0
    in_flight_cap: int = 10_000
    timeout_s: float = 10.0
    share: int = 0
    shares: int = 1
    start_at: float | None = None
    phases: tuple[tuple[float, float], ...] = ()
    extra: ExtraConnections = ExtraConnections()
    keep: int = sys.maxsize

    @property
    def loop(self) -> Loop:
        return "closed" if self.rate is None else "open"

    @property
    def longest_s(self) -> float:
        """The longest that it can take, whatever the server does."""
        return self.duration_s + self.timeout_s + self.extra.open_s

    def part(self, index: int, count: int) -> LoadSpec:
        """What process ``index`` of ``count`` sends: its connections, and every ``count``-th request of the order."""
        extra = replace(
            self.extra, idle=part_of(self.extra.idle, index, count), slow=part_of(self.extra.slow, index, count)
        )
        return replace(
            self,
            connections=part_of(self.connections, index, count),
            share=index,
            shares=count,
            in_flight_cap=max(1, self.in_flight_cap // count),
            extra=extra,
        )


@dataclass(frozen=True, slots=True)
class _StreamSpec:
    """What loads of streams have in common; ``start_at`` and ``keep`` as in ``LoadSpec``."""

    address: Address
    connections: int
    duration_s: float
    timeout_s: float = 10.0
    start_at: float | None = None
    keep: int = sys.maxsize
    loop: ClassVar[Loop] = "stream"

    @property
    def longest_s(self) -> float:
        return self.duration_s + 2 * self.timeout_s

    def part(self, index: int, count: int) -> Self:
        """What process ``index`` of ``count`` sends."""
        return replace(self, connections=part_of(self.connections, index, count))


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSocketSpec(_StreamSpec):
    """Echoes over WebSocket: each connection keeps ``in_flight`` messages of ``message_bytes`` under way.

    Attributes:
        authority: value of the Host header.
    """

    path: str
    authority: str = "localhost"
    in_flight: int = 1
    message_bytes: int = 64
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsSpec(_StreamSpec):
    """Server-sent events: each connection opens the stream anew when it ended.

    Attributes:
        gap_s: the time that the request asks for between two events.
    """

    data: bytes
    gap_s: float = 0.0


@dataclass(frozen=True, slots=True)
class JourneySpec:
    """Users of a locustfile.

    Attributes:
        file: the locustfile; ``digest``, of its text, shows a worker whether its own file of that name is the same.
        host: base URL of the target.
        users: started evenly over the first half of ``warmup_s``; then ``duration_s`` are measured.
        grace_s: how long users may finish their requests afterwards.
        share, shares: which part of the users these are, where several workers send.
        start_at: ``time.perf_counter`` at which the warm-up begins.
    """

    file: str
    host: str
    users: int
    warmup_s: float
    duration_s: float
    seed: int = 0
    grace_s: float = 2.0
    digest: str = ""
    share: int = 0
    shares: int = 1
    start_at: float | None = None
    loop: ClassVar[Loop] = "journey"

    @property
    def connections(self) -> int:
        return self.users

    @property
    def longest_s(self) -> float:
        """The longest that it can take, whatever the server does."""
        return self.warmup_s + self.duration_s + self.grace_s

    def part(self, index: int, count: int) -> JourneySpec:
        """The users of worker ``index`` of ``count``."""
        users = part_of(self.users, index, count)
        return replace(self, users=users, seed=self.seed + index, share=index, shares=count)


WireLoad = LoadSpec | WebSocketSpec | EventsSpec
Load = WireLoad | JourneySpec


def part_of(whole: int, index: int, count: int) -> int:
    """How many of ``whole`` things process ``index`` of ``count`` has."""
    return whole // count + (index < whole % count)
