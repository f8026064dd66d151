"""A server in the foreground of a terminal."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from typing import NoReturn

from harness.errors import NotReadyError
from harness.model import Target
from harness.serve.guard import Guard
from harness.serve.server import Started, stop, variables, working_folder
from harness.serve.servers import Bind, command_of


def become_server(target: Target, bind: Bind) -> NoReturn:
    """Puts the server in the place of this process, so that signals reach it directly."""
    command, python = command_of(target, bind), target.python or sys.executable
    os.chdir(working_folder(target))
    os.execve(python, [python, *command.arguments], variables(target, command))


def run_server(target: Target, bind: Bind, environment: Mapping[str, str]) -> NoReturn:
    """Keeps the server as a child until this process gets a signal to end.

    Raises:
        NotReadyError: the server ended by itself.
    """
    command = command_of(target, bind)
    words = [target.python or sys.executable, *command.arguments]
    with Guard() as guard:
        process = guard.start(words, env=variables(target, command, environment), cwd=working_folder(target))
        try:
            code = process.wait()
            raise NotReadyError(f"{target.name}: the server ended by itself with code {code}", hint="see its log above")
        finally:
            stop(Started(target, bind, process), grace_s=1)


def check_free(host: str, port: int) -> None:
    """Raises ``NotReadyError`` if the port is in use."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise NotReadyError(
                f"port {port} on {host} cannot be used: {error.strerror}", hint="choose another with --port"
            ) from None
