"""Cheroot, whose own program closes all but ten idle connections and needs a smaller one around an application."""

from __future__ import annotations

from pydantic import Field

from harness.model import Target
from harness.servers.spec import BACKLOG, CONNECTIONS, KEEP_ALIVE_S, RUNNERS, Bind, Command, Options, Server


class CherootOptions(Options):
    keep_alive: int = Field(KEEP_ALIVE_S, ge=1)
    backlog: int = Field(BACKLOG, ge=64)


def command(target: Target, options: CherootOptions, bind: Bind) -> Command:
    numbers = (bind.port, target.threads, options.backlog, options.keep_alive, CONNECTIONS)
    runner = str(RUNNERS / "cheroot_app.py")
    return Command((runner, target.application, bind.host, *map(str, numbers)))


SERVER = Server("cheroot", "cheroot", ("wsgi",), CherootOptions, command, threads=True, workers=False)
