"""What the wire engine is asked to do and what it answers: plain values that cross the pipe to its process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.model import Slices

FloatArray = npt.NDArray[np.float64]


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
        connections: concurrency of the closed loop.
        slice_s: length of a slice; the engine lengthens it to 20 service times where its warm-up says so.
        lead_in_s: the first part of a slice, not counted for throughput (the ramp).
    """

    target: str
    point: str
    address: Address
    requests: tuple[WireRequest, ...]
    connections: int
    root_pid: int = 0
    slice_s: float = 0.06
    lead_in_s: float = 0.01
    timeout_s: float = 10.0


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
    """Sent while a slot runs, a few times a second."""

    slot: str
    elapsed_s: float
    round: int
    replies: int


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
    """

    service_time_us: FloatArray
    slice_index: npt.NDArray[np.int32]
    errors: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, str] = field(default_factory=dict)
    fatal: str = ""


@dataclass(frozen=True, slots=True)
class SlotMeasurement:
    """The engine's answer to a ``SlotSpec``."""

    id: str
    duration_s: float
    slices: Slices
    sides: tuple[SideOutcome, ...]
    generator_cpu: float
