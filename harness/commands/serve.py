"""``harness serve``: becomes the server."""

from __future__ import annotations

import os
import socket
import sys

from harness.commands.select import chosen_targets
from harness.errors import NotReadyError, UsageError
from harness.launch import working_folder
from harness.servers import Bind, command_of


def run(name: str, host: str, port: int) -> None:
    """Replaces this process by the target's server, so that signals reach it directly.

    Raises:
        NotReadyError: the port is taken.
    """
    targets, _ = chosen_targets([name])
    if len(targets) > 1:
        raise UsageError(f"{name!r} names {len(targets)} targets: {', '.join(t.name for t in targets)}")
    target = targets[0]
    command = command_of(target, Bind(host, port))
    check_free(host, port)
    os.chdir(working_folder(target))
    os.environ.update({**command.environment, **target.environment})
    python = target.python or sys.executable
    sys.stderr.write(f"{target.name} ({target.server}, {target.interface}) on http://{host}:{port}\n")
    sys.stderr.flush()
    os.execv(python, [python, *command.arguments])


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
