"""Hypercorn."""

from __future__ import annotations

from typing import Literal

from harness.model import Target
from harness.serve.servers.spec import RUNNERS, Bind, Command, KeepAliveOptions, Server


class HypercornOptions(KeepAliveOptions):
    worker_class: Literal["asyncio", "uvloop", "trio"] = "uvloop"


def command(target: Target, options: HypercornOptions, bind: Bind) -> Command:
    arguments = (
        "-m",
        "hypercorn",
        f"--config={RUNNERS / 'hypercorn.toml'}",
        f"--bind={bind.host}:{bind.port}",
        f"--workers={target.workers}",
        f"--worker-class={options.worker_class}",
        f"--keep-alive={options.keep_alive}",
        f"--backlog={options.backlog}",
        "--log-level=WARNING",
        "--graceful-timeout=1",
        # By itself it would call a WSGI app as one.
        f"asgi:{target.application}",
    )
    return Command(arguments)


SERVER = Server(
    "hypercorn",
    "hypercorn",
    ("asgi",),
    HypercornOptions,
    command,
    # The one that starts the workers, and Python's tracker of what they share.
    extra_processes=lambda target, options: 2,
    needs={"worker_class": {"uvloop": "uvloop", "trio": "trio"}},
)
