"""Tornado's own HTTP server, which needs a program of its own around an application."""

from __future__ import annotations

from typing import Literal

from harness.model import Target
from harness.serve.servers.spec import RUNNERS, Bind, Command, Options, Server


class TornadoOptions(Options):
    loop: Literal["asyncio", "uvloop"] = "asyncio"


def command(target: Target, options: TornadoOptions, bind: Bind) -> Command:
    numbers = (bind.port, options.backlog, target.workers)
    return Command((str(RUNNERS / "tornado_app.py"), target.application, options.loop, bind.host, *map(str, numbers)))


SERVER = Server(
    "tornado",
    "tornado",
    ("native",),
    TornadoOptions,
    command,
    extra_processes=lambda target, options: int(target.workers > 1),
    needs={"loop": {"uvloop": "uvloop"}},
)
