"""What a server module provides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict

from harness.model import Interface, Target

BACKLOG = 2048
KEEP_ALIVE_S = 75


class Options(BaseModel):
    """Base of a server's options: unknown ones are refused."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Bind:
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Command:
    """What is started: arguments after the interpreter, and variables added to the environment."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Server:
    """A server that can serve targets.

    Attributes:
        package: the distribution that brings it, as ``pip install`` knows it.
        interfaces: those it can speak; the first is the default.
        options: the options that it accepts in ``targets.toml`` and on the command line.
        command: target, validated options and address → what is started.
    """

    name: str
    package: str
    interfaces: tuple[Interface, ...]
    options: type[Options]
    command: Callable[[Target, Any, Bind], Command]
    threads: bool = False
