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
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from harness.config import PACKAGED
from harness.config.env_file import read_env_file
from harness.errors import LaunchError
from harness.model import Target
from harness.serve.guard import MARK, descendants, kill_trees
from harness.serve.servers import Bind, Command, command_of

READY_S = 30.0
GRACE_S = 3.0
LOG_LINES, LOG_BYTES = 12, 16_384
JWT_SECRET = "HARNESS_JWT_SECRET"
NOTHING: Mapping[str, str] = MappingProxyType({})
POLL_S = 0.02
PROBES = 3
"""How often a server that never replies gets the probe: the process that took the first may have died unnoticed."""
REPLY_S = 2.0
"""How long a connection may take, each part of a reply, and the whole reply of a server whose first probe is late."""
TRACING = ("OTEL_", "FASTAPI_OTEL_")
SETTINGS = "DJANGO_SETTINGS_MODULE"


class Process(Protocol):
    """What is needed of a server's process; ``pid`` is 0 where this machine cannot see it."""

    pid: int

    def poll(self) -> int | None: ...


@dataclass(slots=True)
class Running:
    """A server that is up; ``startup_s`` is the time from its start to its first answer.

    Attributes:
        process: ``None`` of a server that runs elsewhere.
        secret: the key of the tokens that it accepts.
        usage_file: where the kernel counts the CPU time of its control group; empty for one without a group of its own.
        mark: the value of the variable ``MARK`` in its environment, by which its descendants are found.
        started: ``time.monotonic()`` at its start.
        refused: the status of its last reply that did not mean ready; 0 where it closed the connection instead,
            ``None`` before the first.
        probe, probed_at: the request that shows whether it is ready, until its reply, and when it was sent.
    """

    target: Target
    bind: Bind
    process: Process | None
    log_file: Path = Path(os.devnull)
    startup_s: float = 0.0
    secret: str = field(default="", repr=False)
    usage_file: str = ""
    mark: str = ""
    started: float = field(default_factory=time.monotonic)
    refused: int | None = None
    probe: http.client.HTTPConnection | None = field(default=None, repr=False)
    probed_at: float = 0.0

    @property
    def pid(self) -> int:
        return self.process.pid if self.process else 0

    @property
    def exit_code(self) -> int | None:
        """``None`` while it runs, as far as is known here."""
        return self.process.poll() if self.process else None

    @property
    def alive(self) -> bool:
        return self.exit_code is None

    def log(self) -> tuple[str, ...]:
        """The last lines that the server wrote."""
        try:
            with self.log_file.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - LOG_BYTES))
                text = file.read().decode(errors="replace")
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


def inherited(target: Target) -> dict[str, str]:
    """This process's variables, but for those that would make a server trace its requests.

    The settings of a Django project of the user's own are not those of a packaged app.
    """
    left_out = {SETTINGS} if is_packaged(target) else set()
    return {k: v for k, v in os.environ.items() if not k.startswith(TRACING) and k not in left_out}


def variables(target: Target, command: Command, services: Mapping[str, str] = NOTHING) -> dict[str, str]:
    """The server's environment: what is ``inherited``, then that of the ``services`` it needs, and its own.

    Raises:
        UsageError: its ``env_file`` cannot be read.
    """
    own = {**(read_env_file(Path(target.env_file)) if target.env_file else {}), **target.environment}
    result = {**inherited(target), **services, **command.environment, **own}
    if command.import_path:
        path = [*command.import_path, *filter(None, [result.get("PYTHONPATH")])]
        result["PYTHONPATH"] = os.pathsep.join(path)
    return result


def start(
    target: Target,
    bind: Bind,
    log_file: Path,
    environment: Mapping[str, str] = NOTHING,
    prefix: Sequence[str] = (),
) -> Started:
    """Starts the server in a process group of its own, without waiting for it.

    Args:
        environment: variables added to those ``inherited``; a key for tokens is generated where none is set.
        prefix: a program that runs the server, with its arguments.

    Raises:
        LaunchError: the interpreter of the target cannot be run.
    """
    command = command_of(target, bind)
    python = target.python or sys.executable
    environ = {"PYTHONUNBUFFERED": "1", JWT_SECRET: secrets.token_hex(32), **variables(target, command, environment)}
    environ[MARK] = mark = secrets.token_hex(8)
    started = time.monotonic()
    with log_file.open("wb") as log:
        try:
            process = subprocess.Popen(
                [*prefix, python, *command.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environ,
                cwd=working_folder(target),
                start_new_session=True,
            )
        except OSError as error:
            message = f"{target.name}: {python} cannot be run: {error.strerror}"
            raise LaunchError(message, hint="check the option 'python'", code="exited") from None
    return Started(target, bind, process, log_file, secret=environ[JWT_SECRET], mark=mark, started=started)


def is_ready(running: Running, deadline_s: float = READY_S) -> bool:
    """Whether the server answers ``GET /health`` below 500, or its target's ``ready`` below 400; ``startup_s`` is set
    when it first does.

    Raises:
        LaunchError: it exited, or did not answer within ``deadline_s``, or its target's longer limit, since its start.
    """
    deadline_s = max(deadline_s, running.target.startup_timeout)
    name = running.target.name
    code = running.exit_code
    if code is not None:
        _forget(running)
        message = f"{name}: the server exited with code {code} before it was ready"
        raise LaunchError(message, log=running.log(), code="exited")
    path, below = (running.target.ready, 400) if running.target.ready else ("/health", 500)
    now = time.monotonic()
    # Servers that start while something else is done may get their first probe when their time is over.
    late = now - running.started > deadline_s
    if running.probe and now - running.probed_at > deadline_s / PROBES:
        _forget(running)
    status = _status(running, path, REPLY_S if late else 0.0)
    if status and status < below:
        running.startup_s = time.monotonic() - running.started
        return True
    if status is not None:
        running.refused = status
    if late:
        _forget(running)
        raise LaunchError(
            f"{name}: the server was not ready within {deadline_s:g} s: GET {path} returned "
            f"{running.refused or 'no answer'}, expected a status below {below}",
            log=running.log(),
            hint="startup_timeout=2m waits longer, ready=/path probes another path, and interface=asgi or "
            "interface=wsgi calls the app in another way",
        )
    return False


def wait_until_ready(running: Running, deadline_s: float = READY_S) -> None:
    """Returns when ``is_ready`` holds.

    Raises:
        LaunchError: as ``is_ready``.
    """
    while not is_ready(running, deadline_s):
        await_replies([running])


def await_replies(servers: Collection[Running]) -> None:
    """Returns when one of them replies, or soon."""
    sockets = [running.probe.sock for running in servers if running.probe]
    if sockets:
        wait(sockets, POLL_S)
    else:
        time.sleep(POLL_S)


def stop(*servers: Started, grace_s: float = GRACE_S) -> None:
    """SIGTERM to their groups, SIGKILL after ``grace_s``, which all have together, and to every process that left."""
    family = [process for running in servers for process in descendants(running.pid)]
    for running in servers:
        _forget(running)
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


def _status(running: Running, path: str, wait_s: float) -> int | None:
    """The status of the reply; 0 where the connection was closed without one, ``None`` where none came in ``wait_s``.

    A request is sent and waited for. Sent again and again, they would pile up where a server listens long before
    it works, so that each start would begin with other work.
    """
    status = None
    try:
        probe = running.probe
        if probe is None:
            probe = running.probe = http.client.HTTPConnection(running.bind.host, running.bind.port, timeout=REPLY_S)
            running.probed_at = time.monotonic()
            probe.request("GET", path, headers={"Connection": "close"})
        if not wait([probe.sock], wait_s):
            return None
        status = probe.getresponse().status
    except (http.client.HTTPException, ConnectionResetError):
        status = 0
    except OSError:
        pass
    _forget(running)
    return status


def _forget(running: Running) -> None:
    if running.probe:
        running.probe.close()
    running.probe = None


def is_packaged(target: Target) -> bool:
    return target.application.startswith("apps.") and target.framework != "own"


def working_folder(target: Target) -> Path:
    """The packaged apps are started from where they lie, so that no ``apps`` of the user's hides them."""
    return PACKAGED if is_packaged(target) else Path(target.cwd or Path.cwd())
