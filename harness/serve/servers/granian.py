"""Granian: ASGI, WSGI, and RSGI, which is its own."""

from __future__ import annotations

from pydantic import Field

from harness.errors import UsageError
from harness.model import Target
from harness.serve.servers.spec import BACKLOG, Bind, Command, Options, Server

_INTERFACES = {"asgi": "asgi", "wsgi": "wsgi", "native": "rsgi"}


class GranianOptions(Options):
    loop: str = "auto"
    task_impl: str = "asyncio"
    runtime_mode: str = "auto"
    runtime_threads: int | None = Field(None, ge=1)
    backpressure: int | None = Field(None, ge=1)
    backlog: int = Field(BACKLOG, ge=128)


def command(target: Target, options: GranianOptions, bind: Bind) -> Command:
    if target.threads > 1 and target.interface != "wsgi":
        raise UsageError(
            f"target {target.name!r}: granian has threads per worker for wsgi only", hint="leave out 'threads'"
        )
    optional = {
        "blocking-threads": target.threads if target.interface == "wsgi" else None,
        "runtime-threads": options.runtime_threads,
        "backpressure": options.backpressure,
    }
    arguments = (
        "-m",
        "granian",
        f"--interface={_INTERFACES[target.interface]}",
        f"--host={bind.host}",
        f"--port={bind.port}",
        f"--workers={target.workers}",
        *(f"--{name}={value}" for name, value in optional.items() if value is not None),
        f"--loop={options.loop}",
        f"--task-impl={options.task_impl}",
        f"--runtime-mode={options.runtime_mode}",
        f"--backlog={options.backlog}",
        "--http=1",
        "--http1-keep-alive",
        "--no-access-log",
        "--log-level=warning",
        "--workers-kill-timeout=2",
        target.application,
    )
    return Command(arguments)


SERVER = Server(
    "granian",
    "granian",
    ("asgi", "wsgi", "native"),
    GranianOptions,
    command,
    threads=True,
    extra_processes=lambda target, options: 1,
    listener=lambda options: "reuseport",
    choices={
        "loop": "granian.constants:Loops",
        "task_impl": "granian.constants:TaskImpl",
        "runtime_mode": "granian.constants:RuntimeModes",
    },
    needs={"loop": {"uvloop": "uvloop", "rloop": "rloop", "winloop": "winloop"}},
)
