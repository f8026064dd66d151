"""What the harness, the master and the workers say to each other: plain values.

``Open`` crosses the pipe between the harness and the master's process, which answers with the port that takes workers
once all are there. Master and workers talk over Locust's messages, which are checked where they arrive:

===========  ==============  ==============================================================================
from worker  ``hello``       ``Hello``: who it is; answered by ``welcome`` or ``dismissed``
both         ``beat``        ``Beat`` from a worker, twice a second; an empty one from the master
from master  ``clock``       its clock; the worker adds its own and sends it back
from master  ``prepare``     ``Order``; answered by ``prepared`` once what sends it is up, or by ``failed``
from master  ``begin``       the moment to begin; answered by ``result`` (a ``LoadResult``) or ``failed``
from master  ``halt``        end the order under way and report what was measured
from worker  ``leaving``     a signal ended it, and which
from master  ``dismissed``   it must leave, and why; empty where the master is done
===========  ==============  ==============================================================================

All times are seconds of ``time.perf_counter``; those to a worker are of its own clock.
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

import numpy as np

from harness import __version__
from harness.cluster.options import ClusterOptions
from harness.engine.spec import ClassProgress, Load
from harness.model.load import Latencies, LoadResult, adapter

Value = TypeVar("Value")

BEAT_S = 0.5
LOST_S = 3.0
"""Silence after which a worker counts as lost, and its load generator as stalled."""

ORPHAN_S = 4.0
"""Silence of the master after which a worker ends."""


@dataclass(frozen=True, slots=True)
class Hello:
    """Who a worker is.

    Attributes:
        build: digest of the modules that load is made with, since checkouts of one version may differ.
    """

    harness: str
    build: str
    locust: str
    python: str
    host: str
    pid: int
    cpus: int

    def differs_from(self, other: Hello) -> str:
        """What must be the same and differs; empty if nothing does."""
        for what in ("harness", "build", "locust"):
            mine, theirs = getattr(self, what), getattr(other, what)
            if mine != theirs:
                return f"{what} {mine} here, {theirs} there"
        return ""


@dataclass(frozen=True, slots=True)
class Beat:
    """A worker is alive: the progress of its order, and for how long its load generator has been silent."""

    order: int = 0
    replies: int = 0
    silent_s: float = 0.0
    classes: Mapping[str, ClassProgress] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Order:
    """One worker's part of a load."""

    id: int
    load: Load


@dataclass(frozen=True, slots=True)
class Open:
    """To the master, first of all: listen, start the workers of this machine, and wait for the others.

    Attributes:
        show_secret: whether to show the secret, for workers on other machines.
    """

    options: ClusterOptions
    secret: str
    show_secret: bool
    join_s: float


def pack(value: object) -> dict[str, Any]:
    """A dataclass as values that Locust's messages can carry."""
    packed: dict[str, Any] = adapter(type(value)).dump_python(value)
    return packed


def unpack(kind: type[Value], data: object) -> Value:
    """The dataclass back.

    Raises:
        ValueError: the data are not of that kind.
    """
    value: Value = adapter(kind).validate_python(data)
    return value


def own_hello() -> Hello:
    """This process's."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    host, python = socket.gethostname(), platform.python_version()
    return Hello(__version__, build(), version("locust"), python, host, os.getpid(), cpus)


def read_once() -> None:
    """Write and read a result: the first time takes a while, in which this process would seem to be dead."""
    LoadResult.from_json(LoadResult("closed", 1, 0.0, 0.0, service_time_us=Latencies.of(np.ones(1))).to_json())


@cache
def build() -> str:
    """Digest of what sends load, and of the types that orders and results are made of."""
    folder = Path(__file__).resolve().parents[2]
    digest = hashlib.sha256()
    for package in ("harness/engine", "harness/journeys", "harness/cluster", "harness/model", "apps/contract"):
        for file in sorted((folder / package).glob("*.py")):
            digest.update(f"{package}/{file.name}".encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
