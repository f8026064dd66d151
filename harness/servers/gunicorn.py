"""Gunicorn with its ``sync`` and ``gthread`` workers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.errors import UsageError
from harness.model import Target
from harness.servers.spec import BACKLOG, KEEP_ALIVE_S, Bind, Command, Options, Server

CONNECTIONS = 10_000
"""Other servers set no limit; gthread closes kept connections near its own, which is 1,000 unless set."""


class GunicornOptions(Options):
    worker_class: Literal["sync", "gthread"] = "gthread"
    keep_alive: int = Field(KEEP_ALIVE_S, ge=0)
    backlog: int = Field(BACKLOG, ge=64)


def command(target: Target, options: GunicornOptions, bind: Bind) -> Command:
    if options.worker_class == "sync" and target.threads > 1:
        raise UsageError(f"target {target.name!r}: gunicorn's sync worker has one thread", hint="use gthread")
    arguments = (
        "-m",
        "gunicorn",
        f"--bind={bind.host}:{bind.port}",
        f"--workers={target.workers}",
        f"--threads={target.threads}",
        f"--worker-class={options.worker_class}",
        f"--keep-alive={options.keep_alive}",
        f"--backlog={options.backlog}",
        f"--worker-connections={CONNECTIONS}",
        "--log-level=warning",
        "--timeout=120",
        "--graceful-timeout=2",
        target.application,
    )
    return Command(arguments)


SERVER = Server("gunicorn", "gunicorn", ("wsgi",), GunicornOptions, command, threads=True)
