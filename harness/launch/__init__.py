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
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from harness.declare import PACKAGED
from harness.errors import LaunchError
from harness.guard import MARK, Guard, descendants, kill_trees
from harness.model import Failure, Target
from harness.placement import confine
from harness.servers import Bind, command_of

READY_S = 30.0
LOOPBACK = "127.0.0.1"
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
        time.sleep(_POLL_S)


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


class Servers(Protocol):
    """The servers of one block, by name of their target, once ``start`` has returned. A context manager."""

    running: dict[str, Running]
    failures: dict[str, Failure]

    def __enter__(self) -> Servers: ...

    def __exit__(self, *_: object) -> None: ...

    def start(self, targets: Sequence[Target]) -> None: ...


class Fleet:
    """Servers as processes of this one: started together, all ended on leaving. A context manager."""

    def __init__(
        self,
        guard: Guard,
        *,
        start_cpus: tuple[int, ...] = (),
        server_cpus: tuple[int, ...] = (),
        many_cpus: tuple[int, ...] = (),
        environment: Mapping[str, str] = NOTHING,
        host: str = LOOPBACK,
    ) -> None:
        self._guard, self._environment, self._host = guard, environment, host
        self._start_cpus, self._server_cpus, self._many_cpus = start_cpus, server_cpus, many_cpus
        self._at_once = len(start_cpus) or os.cpu_count() or 1
        self._logs = tempfile.TemporaryDirectory(prefix="harness-", ignore_cleanup_errors=True)
        guard.add(Path(self._logs.name))
        Path(self._logs.name).chmod(0o711)
        self._ports: set[int] = set()
        self.running: dict[str, Running] = {}
        self.failures: dict[str, Failure] = {}

    def __enter__(self) -> Fleet:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, targets: Sequence[Target], deadline_s: float = READY_S) -> None:
        """Starts them side by side; one that does not come up is a ``Failure`` in ``failures``, not an exception.

        No more start at the same time than there are CPUs: each takes as long as it would alone.
        """
        waiting, starting = deque(targets), list[Target]()
        tries: Counter[str] = Counter()
        while waiting or starting:
            while waiting and len(starting) < self._at_once:
                target = waiting.popleft()
                tries[target.name] += 1
                if self._begin(target):
                    starting.append(target)
            for target in tuple(starting):
                running = self.running[target.name]
                try:
                    if not is_ready(running, deadline_s):
                        continue
                    confine(running.pid, self._many_cpus if target.per_cpu else self._server_cpus)
                except LaunchError as error:
                    self._end(target.name)
                    taken = any("in use" in line.lower() for line in error.log)
                    if taken and tries[target.name] < PORT_TRIES:
                        waiting.appendleft(target)
                    else:
                        kind = "port" if taken else "exited" if "exited" in str(error) else "not-ready"
                        self.failures[target.name] = Failure(target.name, "", kind, str(error), error.log)
                starting.remove(target)
            if starting:
                time.sleep(_POLL_S)

    def kill(self, name: str) -> None:
        """Ends one server without waiting for the requests that it still works on."""
        kill_trees({self.running[name].pid: self.running[name].mark})
        self._end(name)

    def close(self) -> None:
        servers = [running for running in self.running.values() if isinstance(running, Started)]
        self.running.clear()
        stop_all(servers)
        for running in servers:
            self._guard.remove(running.pid)
        self._logs.cleanup()
        self._guard.remove(Path(self._logs.name))

    def _begin(self, target: Target) -> bool:
        """Whether it was started at all."""
        port = self._free_port()
        folder = Path(self._logs.name) / str(port)
        folder.mkdir()
        # Servers that give up root's rights must reach what they wrote there before.
        folder.chmod(0o711)
        try:
            bind = Bind(self._host, port, str(folder))
            running = start(target, bind, folder / "log", self._environment)
        except LaunchError as error:
            self.failures[target.name] = Failure(target.name, "", "exited", str(error))
            return False
        self._guard.add(running.pid, running.mark)
        self.running[target.name] = running
        confine(running.pid, self._start_cpus)
        return True

    def _free_port(self) -> int:
        """One that this fleet has not given to a server yet: some servers share a port without a word."""
        while (port := free_port(self._host)) in self._ports:
            continue
        self._ports.add(port)
        return port

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
