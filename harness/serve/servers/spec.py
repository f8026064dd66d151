"""What a server module provides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from harness.model import Interface, Listener, Target
from harness.model.address import Address

BACKLOG = 2048
KEEP_ALIVE_S = 75
CONNECTIONS = 10_000
"""For servers that hold no more than a number of connections; the others set no limit."""

# Programs and modules that are run by the target's interpreter, which need not have this package.
RUNNERS = Path(__file__).parent / "runners"


class Options(BaseModel):
    """Base of a server's options: unknown ones are refused."""

    model_config = ConfigDict(extra="forbid")

    backlog: int = Field(BACKLOG, ge=64)


class KeepAliveOptions(Options):
    """``keep_alive``: seconds after which an idle connection is closed."""

    keep_alive: int = Field(KEEP_ALIVE_S, ge=1)


@dataclass(frozen=True, slots=True)
class Bind(Address):
    """Where a server listens; ``folder`` is an own folder for what it writes, removed when it has ended, if any."""

    folder: str = ""

    def __reduce__(self) -> tuple[type[Address], tuple[object, ...]]:
        """To other processes it is an address like any other: what sends load need not import what starts servers."""
        return Address, (self.host, self.port, self.path, self.tls)


@dataclass(frozen=True, slots=True)
class Command:
    """What is started: arguments after the interpreter, variables added to the environment, and folders to import
    from before any other."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    import_path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Server:
    """A server that can serve targets.

    Attributes:
        package: the distribution that brings it, as ``pip install`` knows it.
        interfaces: those it can speak; the first is the default.
        options: the options that it accepts in ``targets.toml`` and on the command line.
        command: target, validated options and address → what is started.
        threads: whether a worker can have several threads.
        workers: whether it can have several workers.
        extra_processes: target and validated options → how many processes it has besides its workers: a master, …
        listener: validated options → how workers get connections: from a listening socket that they share (``shared``),
            each from one of its own on the same port (``reuseport``, SO_REUSEPORT), or requests from a process in front
            of them (``router``).
        choices: option → import string of what the installed version offers for it: a mapping's keys, an enumeration's
            values.
        also: option → values that are accepted in addition to those of ``choices``.
        needs: option → value → the distribution that the value needs in addition.
    """

    name: str
    package: str
    interfaces: tuple[Interface, ...]
    options: type[Options]
    command: Callable[[Target, Any, Bind], Command]
    threads: bool = False
    workers: bool = True
    extra_processes: Callable[[Target, Any], int] = lambda target, options: 0
    listener: Callable[[Any], Listener] = lambda options: "shared"
    choices: Mapping[str, str] = field(default_factory=dict)
    also: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    needs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
