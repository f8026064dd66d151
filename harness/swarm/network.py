"""What master and workers say to each other over Locust's messages: plain values, checked where they arrive.

=============  ================  ===========================================================================
from worker    ``hello``         ``Hello``: who it is; answered by ``welcome`` or ``refused``
both           ``beat``          ``Beat`` from a worker, twice a second; an empty one from the master
from master    ``clock``         its clock; the worker adds its own and sends it back
from master    ``load``          ``LoadOrder``; answered by ``report`` (``LoadReport``) or ``failed``
from master    ``journey``       ``JourneyOrder``; answered by ``prepared``, and at the end by ``seen``
from master    ``stop``          end the order under way and report what was measured
from master    ``expelled``      the master took it for lost: it must leave
=============  ================  ===========================================================================

All times are seconds of ``time.perf_counter``; those in an order are of the receiving worker's clock.
"""

from __future__ import annotations

import hashlib
import os
import platform
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from harness import __version__
from harness.errors import EngineError
from harness.load.spec import LoadSpec
from harness.swarm.distribution import Distribution

Value = TypeVar("Value")

BEAT_S = 0.5
LOST_S = 3.0
"""Silence after which a worker is taken for lost, and its engine for stalled."""

ORPHAN_S = 4.0
"""Silence of the master after which a worker ends."""

DEFAULT_PORT = 5557


@dataclass(frozen=True, slots=True)
class Hello:
    """Who a worker is.

    Attributes:
        build: digest of the modules that load is made with, since checkouts of one version may differ.
    """

    version: str
    build: str
    locust: str
    python: str
    host: str
    cpus: int

    def differs_from(self, other: Hello) -> str:
        """What must be the same and is not; empty where all is."""
        for what in ("version", "build", "locust"):
            mine, theirs = getattr(self, what), getattr(other, what)
            if mine != theirs:
                return f"{'harness' if what == 'version' else what} {mine} here, {theirs} there"
        return ""


@dataclass(frozen=True, slots=True)
class Beat:
    """A worker is alive: right replies of the order so far, the latest one's time, and its engine's silence."""

    order: int
    replies: int
    latest_us: float
    silent_s: float


@dataclass(frozen=True, slots=True)
class LoadOrder:
    """One worker's share of a load."""

    id: int
    spec: LoadSpec


@dataclass(frozen=True, slots=True)
class JourneyOrder:
    """A journey that the worker has under the same name, and with the same text."""

    id: int
    name: str
    digest: str
    host: str
    seed: int
    grace_s: float


@dataclass(frozen=True, slots=True)
class Stretch:
    """When what the users do is counted."""

    id: int
    begin_at: float
    end_at: float


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What a worker's share came to; see ``LoadMeasurement`` for what is not said here.

    Attributes:
        reasons: gates that its measurement did not pass.
    """

    order: int
    duration_s: float
    elapsed_s: float
    planned: int
    answered: int
    failed: int
    dropped: int
    unfinished: int
    waited: int
    in_time: int
    service: Distribution | None
    response: Distribution | None
    lateness: Distribution | None
    window_s: float
    windows: tuple[int, ...]
    failed_windows: tuple[int, ...]
    status: Mapping[int, int]
    errors: Mapping[str, int]
    examples: Mapping[str, str]
    generator_cpu: float
    generator_wait: float
    connects: int
    reconnects: int
    retries: int
    surplus: int
    interrupted: bool
    reasons: tuple[str, ...]
    connections: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What a worker's users saw within the stretch."""

    order: int
    latency: Mapping[str, Distribution]
    errors: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, str] = field(default_factory=dict)
    generator_cpu: float = 0.0
    generator_wait: float = 0.0
    users: int = 0
    duration_s: float = 0.0


def pack(value: object) -> dict[str, Any]:
    """A dataclass as values that Locust's messages can carry."""
    kind: Any = type(value)
    packed: dict[str, Any] = _adapter(kind).dump_python(value)
    return packed


def unpack(kind: type[Value], data: object) -> Value:
    """The dataclass back.

    Raises:
        EngineError: what arrived is none.
    """
    which: Any = kind
    try:
        value: Value = _adapter(which).validate_python(data)
    except ValidationError as error:
        raise EngineError(f"a {kind.__name__} that is none arrived: {error.errors()[0]['msg']}") from None
    return value


def own_hello() -> Hello:
    """This process's."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Hello(__version__, build(), version("locust"), platform.python_version(), socket.gethostname(), cpus)


@cache
def build() -> str:
    """Digest of ``harness/load`` and ``harness/swarm``."""
    folder = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256()
    for file in sorted([*(folder / "load").glob("*.py"), *(folder / "swarm").glob("*.py")]):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
