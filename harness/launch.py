"""Starts the servers of targets, waits until they answer, and always ends them."""

from __future__ import annotations

import contextlib
import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import psutil

from harness.declare import PACKAGED
from harness.errors import LaunchError
from harness.guard import Guard, kill_tree
from harness.model import Failure, Target
from harness.placement import confine
from harness.servers import Bind, command_of

READY_S = 30.0
GRACE_S = 3.0
LOG_LINES = 12
PORT_TRIES = 3
JWT_SECRET = "HARNESS_JWT_SECRET"
NOTHING: Mapping[str, str] = MappingProxyType({})
_POLL_S = 0.02


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
    """

    target: Target
    bind: Bind
    process: Process
    log_file: Path
    startup_s: float = 0.0
    secret: str = field(default="", repr=False)
    usage_file: str = ""

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
    return Started(target, bind, process, log_file, secret=variables[JWT_SECRET])


def wait_until_ready(running: Running, started: float, deadline_s: float = READY_S) -> None:
    """Returns when the server answers ``GET /health`` with anything but a 5xx.

    Raises:
        LaunchError: it exited, or did not answer within ``deadline_s`` of ``started`` (``time.monotonic()``).
    """
    name = running.target.name
    while True:
        if not running.alive:
            code = running.process.returncode
            raise LaunchError(f"{name}: the server exited with code {code} before it was ready", log=running.log())
        if _answers(running.bind):
            running.startup_s = time.monotonic() - started
            return
        if time.monotonic() - started > deadline_s:
            raise LaunchError(
                f"{name}: the server was not ready within {deadline_s:g} s",
                log=running.log(),
                hint=f"GET /health on {running.bind.host}:{running.bind.port} gave no answer below 500",
            )
        time.sleep(_POLL_S)


def stop(running: Started, grace_s: float = GRACE_S) -> None:
    """SIGTERM to the group, SIGKILL after ``grace_s``, and to every process that left the group."""
    group = running.process.pid
    try:
        family = psutil.Process(group).children(recursive=True)
    except psutil.Error:
        family = []
    if running.alive:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.process.wait(grace_s)
    kill_tree(group)
    for process in family:
        with contextlib.suppress(psutil.Error):
            process.kill()
    running.process.wait()


class Servers(Protocol):
    """The servers of one block, by name of their target, once ``start`` has returned. A context manager."""

    running: dict[str, Running]
    failures: dict[str, Failure]

    def __enter__(self) -> Servers: ...

    def __exit__(self, *_: object) -> None: ...

    def start(self, targets: Sequence[Target]) -> None: ...


class Fleet:
    """Servers as processes of this one: all started at once, all ended on leaving. A context manager."""

    def __init__(
        self,
        guard: Guard,
        *,
        start_cpus: tuple[int, ...] = (),
        server_cpus: tuple[int, ...] = (),
        environment: Mapping[str, str] = NOTHING,
    ) -> None:
        self._guard, self._environment = guard, environment
        self._start_cpus, self._server_cpus = start_cpus, server_cpus
        self._logs = tempfile.TemporaryDirectory(prefix="harness-")
        guard.add(Path(self._logs.name))
        self.running: dict[str, Running] = {}
        self.failures: dict[str, Failure] = {}

    def __enter__(self) -> Fleet:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, targets: Sequence[Target], deadline_s: float = READY_S) -> None:
        """Starts them side by side; one that does not come up is a ``Failure`` in ``failures``, not an exception."""
        begun: dict[str, float] = {}
        for target in targets:
            begun[target.name] = time.monotonic()
            self._begin(target)
        for target in targets:
            if target.name not in self.running:
                continue
            for attempt in range(PORT_TRIES):
                try:
                    wait_until_ready(self.running[target.name], begun[target.name], deadline_s)
                    confine(self.running[target.name].pid, self._server_cpus)
                except LaunchError as error:
                    self._end(target.name)
                    taken = any("in use" in line.lower() for line in error.log)
                    if taken and attempt + 1 < PORT_TRIES:
                        begun[target.name] = time.monotonic()
                        self._begin(target)
                        continue
                    kind = "port" if taken else "exited" if "exited" in str(error) else "not-ready"
                    self.failures[target.name] = Failure(target.name, "", kind, str(error), error.log)
                break

    def kill(self, name: str) -> None:
        """Ends one server without waiting for the requests that it still works on."""
        kill_tree(self.running[name].pid)
        self._end(name)

    def close(self) -> None:
        for running in self.running.values():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(running.pid, signal.SIGTERM)
        for name in list(self.running):
            self._end(name)
        self._logs.cleanup()
        self._guard.remove(Path(self._logs.name))

    def _begin(self, target: Target) -> None:
        log_file = Path(self._logs.name) / f"{len(self.running)}-{free_port()}.log"
        try:
            running = start(target, Bind("127.0.0.1", free_port()), log_file, self._environment)
        except LaunchError as error:
            self.failures[target.name] = Failure(target.name, "", "exited", str(error))
            return
        self._guard.add(running.pid)
        self.running[target.name] = running
        confine(running.pid, self._start_cpus)

    def _end(self, name: str) -> None:
        running = self.running.pop(name)
        assert isinstance(running, Started)
        stop(running)
        self._guard.remove(running.pid)


@contextlib.contextmanager
def serving(
    target: Target, *, deadline_s: float = READY_S, environment: Mapping[str, str] = NOTHING
) -> Iterator[Running]:
    """One server, up within the block.

    Raises:
        LaunchError: it did not come up.
    """
    guard = Guard()
    try:
        with Fleet(guard, environment=environment) as fleet:
            fleet.start([target], deadline_s)
            if target.name in fleet.failures:
                failure = fleet.failures[target.name]
                raise LaunchError(failure.message, log=failure.log)
            yield fleet.running[target.name]
    finally:
        guard.close()


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
