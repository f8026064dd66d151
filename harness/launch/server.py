"""One server: started, waited for until it answers, and ended."""

from __future__ import annotations

import contextlib
import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from harness.declare import PACKAGED
from harness.errors import LaunchError
from harness.guard import MARK, descendants, kill_trees
from harness.model import Target
from harness.servers import Bind, command_of

READY_S = 30.0
GRACE_S = 3.0
LOG_LINES = 12
JWT_SECRET = "HARNESS_JWT_SECRET"
NOTHING: Mapping[str, str] = MappingProxyType({})
POLL_S = 0.02


class Process(Protocol):
    """What is asked of a server's process; ``pid`` is 0 where this machine cannot see it."""

    pid: int
    returncode: int | None

    def poll(self) -> int | None: ...


@dataclass(slots=True)
class Running:
    """A server that is up; ``startup_s`` is the time from its start to its first answer.

    Attributes:
        secret: the key of the tokens that it accepts.
        usage_file: where the kernel counts the CPU time of its control group; empty for one without a group of its own.
        mark: the value of the variable ``MARK`` in its environment, by which all that comes of it is found.
        started: ``time.monotonic()`` at its start.
    """

    target: Target
    bind: Bind
    process: Process
    log_file: Path
    startup_s: float = 0.0
    secret: str = field(default="", repr=False)
    usage_file: str = ""
    mark: str = ""
    started: float = field(default_factory=time.monotonic)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def log(self) -> tuple[str, ...]:
        """The last lines that the server wrote."""
        try:
            text = self.log_file.read_text("utf-8", errors="replace")
        except OSError:
            return ()
        return tuple(line for line in text.splitlines() if line.strip())[-LOG_LINES:]


@dataclass(slots=True)
class Started(Running):
    """A server that is a child of this process."""

    process: subprocess.Popen[bytes]


def free_port(host: str = "127.0.0.1") -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def start(target: Target, bind: Bind, log_file: Path, environment: Mapping[str, str] = NOTHING) -> Started:
    """Starts the server in a process group of its own, without waiting for it.

    Args:
        environment: variables added to this process's own; a key for tokens is made up where none is given.

    Raises:
        LaunchError: the interpreter of the target cannot be run.
    """
    command = command_of(target, bind)
    python = target.python or sys.executable
    variables = {"PYTHONUNBUFFERED": "1", JWT_SECRET: secrets.token_hex(32)}
    variables |= {**os.environ, **environment, **command.environment, **target.environment}
    variables[MARK] = mark = secrets.token_hex(8)
    started = time.monotonic()
    with log_file.open("wb") as log:
        try:
            process = subprocess.Popen(
                [python, *command.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=variables,
                cwd=working_folder(target),
                start_new_session=True,
            )
        except OSError as error:
            raise LaunchError(
                f"{target.name}: {python} cannot be run: {error.strerror}", hint="check the option 'python'"
            ) from None
    return Started(target, bind, process, log_file, secret=variables[JWT_SECRET], mark=mark, started=started)


def is_ready(running: Running, deadline_s: float = READY_S) -> bool:
    """Whether the server answers ``GET /health`` with anything but a 5xx; ``startup_s`` is set when it first does.

    Raises:
        LaunchError: it exited, or has not answered within ``deadline_s`` of its start.
    """
    name = running.target.name
    if not running.alive:
        code = running.process.returncode
        raise LaunchError(f"{name}: the server exited with code {code} before it was ready", log=running.log())
    if _answers(running.bind):
        running.startup_s = time.monotonic() - running.started
        return True
    if time.monotonic() - running.started > deadline_s:
        raise LaunchError(
            f"{name}: the server was not ready within {deadline_s:g} s",
            log=running.log(),
            hint=f"GET /health on {running.bind.host}:{running.bind.port} gave no answer below 500",
        )
    return False


def wait_until_ready(running: Running, deadline_s: float = READY_S) -> None:
    """Returns when ``is_ready`` holds.

    Raises:
        LaunchError: as ``is_ready``.
    """
    while not is_ready(running, deadline_s):
        time.sleep(POLL_S)


def stop(running: Started, grace_s: float = GRACE_S) -> None:
    """SIGTERM to the group, SIGKILL after ``grace_s``, and to every process that left the group."""
    stop_all([running], grace_s)


def stop_all(servers: Sequence[Started], grace_s: float = GRACE_S) -> None:
    """``stop`` for several at once: all have the same ``grace_s`` to end by themselves."""
    family = [process for running in servers for process in descendants(running.pid)]
    for running in servers:
        if running.alive:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(running.pid, signal.SIGTERM)
    deadline = time.monotonic() + grace_s
    for running in servers:
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.process.wait(max(0.0, deadline - time.monotonic()))
    kill_trees({running.pid: running.mark for running in servers}, family)
    for running in servers:
        running.process.wait()


def _answers(bind: Bind) -> bool:
    connection = http.client.HTTPConnection(bind.host, bind.port, timeout=2)
    try:
        connection.request("GET", "/health", headers={"Connection": "close"})
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def working_folder(target: Target) -> Path:
    """The packaged apps are started from where they lie, so that no ``apps`` of the user's hides them."""
    return PACKAGED if target.application.startswith("apps.") and target.framework != "own" else Path.cwd()
