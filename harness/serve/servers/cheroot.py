"""Cheroot, whose own program closes all but ten idle connections and needs a smaller one around an application."""

from __future__ import annotations

from harness.model import Target
from harness.serve.servers.spec import CONNECTIONS, RUNNERS, Bind, Command, KeepAliveOptions, Server


def command(target: Target, options: KeepAliveOptions, bind: Bind) -> Command:
    numbers = (bind.port, target.threads, options.backlog, options.keep_alive, CONNECTIONS)
    runner = str(RUNNERS / "cheroot_app.py")
    return Command((runner, target.application, bind.host, *map(str, numbers)))


SERVER = Server("cheroot", "cheroot", ("wsgi",), KeepAliveOptions, command, threads=True, workers=False)
