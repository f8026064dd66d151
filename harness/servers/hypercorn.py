"""Hypercorn."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.model import Target
from harness.servers.spec import BACKLOG, KEEP_ALIVE_S, Bind, Command, Options, Server


class HypercornOptions(Options):
    worker_class: Literal["asyncio", "uvloop", "trio"] = "uvloop"
    keep_alive: int = Field(KEEP_ALIVE_S, ge=1)
    backlog: int = Field(BACKLOG, ge=64)


def command(target: Target, options: HypercornOptions, bind: Bind) -> Command:
    arguments = (
        "-m",
        "hypercorn",
        f"--bind={bind.host}:{bind.port}",
        f"--workers={target.workers}",
        f"--worker-class={options.worker_class}",
        f"--keep-alive={options.keep_alive}",
        f"--backlog={options.backlog}",
        "--log-level=WARNING",
        "--graceful-timeout=1",
        target.application,
    )
    return Command(arguments)


SERVER = Server(
    "hypercorn",
    "hypercorn",
    ("asgi",),
    HypercornOptions,
    command,
    needs={"worker_class": {"uvloop": "uvloop", "trio": "trio"}},
)
