"""Daphne."""

from __future__ import annotations

from pydantic import Field

from harness.model import Target
from harness.servers.spec import BACKLOG, Bind, Command, Options, Server


class DaphneOptions(Options):
    backlog: int = Field(BACKLOG, ge=64)


def command(target: Target, options: DaphneOptions, bind: Bind) -> Command:
    host = bind.host.replace(":", r"\:")
    arguments = (
        "-m",
        "daphne",
        f"--endpoint=tcp:port={bind.port}:interface={host}:backlog={options.backlog}",
        "--verbosity=0",
        target.application,
    )
    return Command(arguments)


SERVER = Server("daphne", "daphne", ("asgi",), DaphneOptions, command, workers=False)
