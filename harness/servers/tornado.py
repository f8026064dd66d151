"""Tornado's own HTTP server, which needs a program of its own around an application."""

from __future__ import annotations

from pydantic import Field

from harness.model import Target
from harness.servers.spec import BACKLOG, RUNNERS, Bind, Command, Options, Server

# Run by path: the interpreter that serves the app need not have this package.
RUNNER = RUNNERS / "tornado_app.py"


class TornadoOptions(Options):
    backlog: int = Field(BACKLOG, ge=64)


def command(target: Target, options: TornadoOptions, bind: Bind) -> Command:
    return Command(
        (str(RUNNER), target.application, bind.host, str(bind.port), str(options.backlog), str(target.workers))
    )


SERVER = Server("tornado", "tornado", ("native",), TornadoOptions, command)
