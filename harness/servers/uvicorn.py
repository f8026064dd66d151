"""Uvicorn."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.model import Target
from harness.servers.spec import BACKLOG, KEEP_ALIVE_S, Bind, Command, Options, Server


class UvicornOptions(Options):
    loop: Literal["auto", "asyncio", "uvloop"] = "auto"
    http: Literal["auto", "h11", "httptools"] = "auto"
    keep_alive: int = Field(KEEP_ALIVE_S, ge=1)
    backlog: int = Field(BACKLOG, ge=64)


def command(target: Target, options: UvicornOptions, bind: Bind) -> Command:
    arguments = (
        "-m",
        "uvicorn",
        f"--host={bind.host}",
        f"--port={bind.port}",
        f"--workers={target.workers}",
        f"--loop={options.loop}",
        f"--http={options.http}",
        f"--interface={'wsgi' if target.interface == 'wsgi' else 'asgi3'}",
        f"--timeout-keep-alive={options.keep_alive}",
        f"--backlog={options.backlog}",
        "--no-access-log",
        "--log-level=warning",
        "--timeout-graceful-shutdown=2",
        target.application,
    )
    return Command(arguments)


SERVER = Server("uvicorn", "uvicorn", ("asgi",), UvicornOptions, command)
