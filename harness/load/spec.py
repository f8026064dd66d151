"""What the wire engine is asked to do and what it answers: plain values that cross the pipe to its process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from harness.model import Slices

FloatArray = npt.NDArray[np.float64]
Arrivals = Literal["constant", "poisson"]


@dataclass(frozen=True, slots=True)
class Expected:
    """What a right reply looks like; ``None`` means that the part is not checked.

    Attributes:
        body: the exact bytes.
        json: the JSON value; compared once per distinct body.
        volatile: top-level keys of the JSON value that must be there but may vary.
        media_type: the content type without its parameters.
        statuses: the first and last status that are right, where ``status`` is ``None``.
    """

    status: int | None = 200
    body: bytes | None = None
    json: Any = None
    check_json: bool = False
    volatile: tuple[str, ...] = ()
    media_type: str | None = None
    statuses: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class WireRequest:
    """A request as bytes, ready to be written, and its expected reply."""

    name: str
    data: bytes
    expected: Expected
    method: str = "GET"
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens: host and port, or ``path`` of a Unix socket."""

    host: str = "127.0.0.1"
    port: int = 0
    path: str = ""


@dataclass(frozen=True, slots=True)
class SideSpec:
    """One side of a slot.

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
class SlotSpec:
    """Alternating slices of a group; rounds go on until ``budget_s`` is spent, at least ``min_rounds``."""

    id: str
    sides: tuple[SideSpec, ...]
    seed: int
    budget_s: float
    min_rounds: int = 3
    warmup_rounds: int = 1


@dataclass(frozen=True, slots=True)
class Progress:
    """Sent while a slot runs, a few times a second; ``latest_us`` is the last right reply's service time."""

    slot: str
    elapsed_s: float
    round: int
    replies: int
    latest_us: float = 0.0


@dataclass(frozen=True, slots=True)
class SideOutcome:
    """What one side's requests came to, over all recorded slices.

    Attributes:
        service_time_us: every verified reply's service time in microseconds, in order of completion.
        slice_index: for each of them, the index of its slice in ``SlotMeasurement.slices``.
        errors: kind (``refused``, ``reset``, ``timeout``, ``truncated``, ``malformed``, ``wrong-status``,
            ``wrong-body``, …) → count.
        examples: kind → one human-readable example.
        fatal: why this side was given up midway; empty where it was not.
        answered: verified replies in every slice, those of the warm-up too; ``unanswered``: all other requests.
    """

    service_time_us: FloatArray
    slice_index: npt.NDArray[np.int32]
    errors: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, str] = field(default_factory=dict)
    fatal: str = ""
    answered: int = 0
    unanswered: int = 0


@dataclass(frozen=True, slots=True)
class SlotMeasurement:
    """The engine's answer to a ``SlotSpec``.

    Attributes:
        generator_cpu: CPU seconds that the engine's process used.
        generator_wait: seconds for which it was ready to run and another process had its CPU.
    """

    id: str
    duration_s: float
    slices: Slices
    sides: tuple[SideOutcome, ...]
    generator_cpu: float
    generator_wait: float = 0.0


@dataclass(frozen=True, slots=True)
class Beside:
    """Connections beside a load, opened before it begins.

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


NOTHING_BESIDE = Beside()


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
        beside: open loop: connections that are held open meanwhile.
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
    beside: Beside = NOTHING_BESIDE


@dataclass(frozen=True, slots=True)
class WebSocketSpec:
    """Echoes over WebSocket: each connection keeps ``in_flight`` messages of ``message_bytes`` under way.

    Attributes:
        authority: value of the Host header.
    """

    address: Address
    path: str
    connections: int
    duration_s: float
    authority: str = "localhost"
    in_flight: int = 1
    message_bytes: int = 64
    headers: tuple[tuple[str, str], ...] = ()
    timeout_s: float = 10.0


@dataclass(frozen=True, slots=True)
class EventsSpec:
    """Server-sent events: each connection opens the stream anew when it ended."""

    address: Address
    data: bytes
    connections: int
    duration_s: float
    timeout_s: float = 10.0


@dataclass(frozen=True, slots=True)
class LoadMeasurement:
    """The engine's answer to a ``LoadSpec``, a ``WebSocketSpec`` or an ``EventsSpec``.

    ``planned = answered + failed + dropped + unfinished``, always.

    Attributes:
        duration_s: the time in which requests were sent; ``elapsed_s`` with the drain.
        planned: requests whose time had come; in a closed loop, requests sent.
        waited: of these, how many found no free connection (open loop).
        in_time: right replies that were whole within ``duration_s``.
        sent_s: for each right reply, when its request was sent, from the load's beginning, in order of completion.
        service_time_us: for each of them, from its sending to the last byte.
        response_time_us: open loop: for each of them, from its planned time to the last byte.
        lateness_us: open loop: for each planned request, from its planned time to the engine's acting on it.
        in_flight_mean: open loop: requests planned and not ended, mean over time, counted apart from the samples.
        windows: right replies by the ``window_s`` in which they were complete; ``failed_windows``: the others.
        generator_cpu: share of its CPU that the (busiest) sending process used.
        generator_wait: share of the time for which it was ready to run and another process had its CPU.
        series: further samples by name, such as ``first_event_us`` and ``gap_us``.
        request: open loop: for each right reply, the index of its request in the ``LoadSpec``.
        counts: of connections beside the load: ``idle_opened``, ``idle_answered``, ``idle_closed``, ``slow_opened``, …
        interrupted: whether it was ended early.
    """

    duration_s: float
    elapsed_s: float
    planned: int
    answered: int
    failed: int
    dropped: int
    unfinished: int
    waited: int
    in_time: int
    sent_s: FloatArray
    service_time_us: FloatArray
    response_time_us: FloatArray | None
    lateness_us: FloatArray | None
    in_flight_mean: float | None
    window_s: float
    windows: tuple[int, ...]
    failed_windows: tuple[int, ...]
    status: Mapping[int, int]
    errors: Mapping[str, int]
    examples: Mapping[str, str]
    generator_cpu: float
    connects: int = 0
    reconnects: int = 0
    retries: int = 0
    surplus: int = 0
    series: Mapping[str, FloatArray] = field(default_factory=dict)
    interrupted: bool = False
    generator_wait: float = 0.0
    request: npt.NDArray[np.int32] | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
