"""``harness serve``: one target in the foreground, with what it calls."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from types import FrameType

from harness.commands.select import chosen_targets
from harness.errors import NotReadyError, UsageError
from harness.guard import Guard
from harness.launch import JWT_SECRET, Started, stop, working_folder
from harness.model import Target
from harness.servers import Bind, Command, command_of
from harness.services import DATABASE_URL, UPSTREAM_URL, needs_of, services
from harness.verify import endpoints_of

URLS = {"database": DATABASE_URL, "upstream": UPSTREAM_URL}


def run(name: str, host: str, port: int) -> None:
    """Serves until it is told to end.

    Where the environment names all that the target calls, this process becomes the server, so that signals reach it
    directly. Otherwise what is missing is started first, and ended after the server.

    Raises:
        NotReadyError: the port is taken, or a service does not come up.
    """
    targets, _ = chosen_targets([name])
    if len(targets) > 1:
        raise UsageError(f"{name!r} names {len(targets)} targets: {', '.join(t.name for t in targets)}")
    target = targets[0]
    command = command_of(target, Bind(host, port))
    check_free(host, port)
    os.environ[JWT_SECRET] = os.environ.get(JWT_SECRET) or secrets.token_hex(32)
    needs = needs_of(endpoints_of(target))
    missing = {need for need in needs if not os.environ.get(URLS[need])}
    if missing:
        _leave_at_sigterm()
        with contextlib.suppress(KeyboardInterrupt), services(missing) as around:
            _announce(target, host, port, {**os.environ, **around.environment}, missing)
            _serve(target, Bind(host, port), command, around.environment)
        return
    _announce(target, host, port, os.environ, missing)
    os.chdir(working_folder(target))
    os.environ.update({**command.environment, **target.environment})
    python = target.python or sys.executable
    os.execv(python, [python, *command.arguments])


def _serve(target: Target, bind: Bind, command: Command, environment: Mapping[str, str]) -> None:
    """The server as a child, until it ends by itself or this process is told to end."""
    guard = Guard()
    process = subprocess.Popen(
        [target.python or sys.executable, *command.arguments],
        stdin=subprocess.DEVNULL,
        env={**os.environ, **environment, **command.environment, **target.environment},
        cwd=working_folder(target),
        start_new_session=True,
    )
    try:
        guard.add(process.pid)
        code = process.wait()
        raise NotReadyError(f"{target.name}: the server ended by itself with code {code}", hint="see its log above")
    finally:
        stop(Started(target, bind, process, Path(os.devnull)))
        guard.close()


def _announce(target: Target, host: str, port: int, environment: Mapping[str, str], started: Collection[str]) -> None:
    """Says on stderr where everything is."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    url = f"http://{shown}:{port}"
    lines = [f"{target.name} ({target.server}, {target.interface}) on {url}"]
    if target.endpoints and "docs" not in target.lacks:
        lines.append(f"  documentation  {url}/docs  {url}/redoc")
    for need in sorted(needs_of(endpoints_of(target))):
        where = "started for it, ends with it" if need in started else f"from {URLS[need]}"
        lines.append(f"  {need:<13}  {_without_password(environment[URLS[need]])}  ({where})")
    sys.stderr.write("\n".join([*lines, "  Ctrl-C ends it", ""]))
    sys.stderr.flush()


def _without_password(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    user, at, place = rest.rpartition("@")
    return f"{scheme}{mark}{user.partition(':')[0]}{at}{place}"


def _leave_at_sigterm() -> None:
    def leave(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, leave)


def check_free(host: str, port: int) -> None:
    """Raises ``NotReadyError`` where the port is taken."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise NotReadyError(
                f"port {port} on {host} cannot be used: {error.strerror}", hint="choose another with --port"
            ) from None
