"""Waitress."""

from __future__ import annotations

from pydantic import Field

from harness.model import Target
from harness.servers.spec import BACKLOG, CONNECTIONS, KEEP_ALIVE_S, Bind, Command, Options, Server


class WaitressOptions(Options):
    connection_limit: int = Field(CONNECTIONS, ge=1)
    keep_alive: int = Field(KEEP_ALIVE_S, ge=1)
    backlog: int = Field(BACKLOG, ge=64)


def command(target: Target, options: WaitressOptions, bind: Bind) -> Command:
    arguments = (
        "-m",
        "waitress",
        f"--listen={bind.host}:{bind.port}",
        f"--threads={target.threads}",
        f"--connection-limit={options.connection_limit}",
        f"--channel-timeout={options.keep_alive}",
        f"--backlog={options.backlog}",
        # select() takes no descriptor above 1023.
        "--asyncore-use-poll",
        target.application,
    )
    return Command(arguments)


SERVER = Server("waitress", "waitress", ("wsgi",), WaitressOptions, command, threads=True, workers=False)
