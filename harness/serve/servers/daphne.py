"""Daphne."""

from __future__ import annotations

from harness.model import Target
from harness.serve.servers.spec import Bind, Command, Options, Server


def command(target: Target, options: Options, bind: Bind) -> Command:
    host = bind.host.replace(":", r"\:")
    arguments = (
        "-m",
        "daphne",
        f"--endpoint=tcp:port={bind.port}:interface={host}:backlog={options.backlog}",
        "--verbosity=0",
        target.application,
    )
    return Command(arguments)


SERVER = Server("daphne", "daphne", ("asgi",), Options, command, workers=False)
