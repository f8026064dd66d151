"""Uvicorn: ASGI, and WSGI across a bridge."""

from __future__ import annotations

from typing import Literal

from harness.errors import UsageError
from harness.model import Target
from harness.serve.servers.spec import RUNNERS, Bind, Command, KeepAliveOptions, Server

Bridge = Literal["", "a2wsgi", "asgiref"]


class UvicornOptions(KeepAliveOptions):
    loop: str = "auto"
    http: str = "auto"
    ws: str = "auto"
    bridge: Bridge = ""


def command(target: Target, options: UvicornOptions, bind: Bind) -> Command:
    application, environment = target.application, {}
    path: tuple[str, ...] = ()
    if _bridge(target, options):
        # The app is named by the environment: Uvicorn's workers import what they serve afresh.
        environment = {
            "BRIDGE": options.bridge,
            "BRIDGE_APPLICATION": application,
            "BRIDGE_THREADS": str(target.threads),
        }
        application, path = "wsgi_bridge:app", (f"--app-dir={RUNNERS}", "--lifespan=off")
    arguments = (
        "-m",
        "uvicorn",
        f"--host={bind.host}",
        f"--port={bind.port}",
        f"--workers={target.workers}",
        f"--loop={options.loop}",
        f"--http={options.http}",
        f"--ws={options.ws}",
        "--interface=asgi3",
        f"--timeout-keep-alive={options.keep_alive}",
        f"--backlog={options.backlog}",
        "--no-access-log",
        "--log-level=warning",
        "--timeout-graceful-shutdown=2",
        *path,
        application,
    )
    return Command(arguments, environment)


def _bridge(target: Target, options: UvicornOptions) -> bool:
    """Whether there is one, after refusing what does not fit together."""
    where = f"target {target.name!r}: uvicorn"
    if target.interface == "asgi":
        if options.bridge:
            raise UsageError(f"{where} needs no bridge for asgi", hint="interface=wsgi goes with 'bridge'")
        if target.threads > 1:
            raise UsageError(f"{where} has no threads per worker for asgi", hint="leave out 'threads'")
        return False
    if not options.bridge:
        raise UsageError(f"{where} serves wsgi across a bridge only", hint="bridge=a2wsgi or bridge=asgiref")
    if options.bridge == "asgiref" and target.threads > 1:
        raise UsageError(f"{where}: asgiref's bridge runs the app in one thread", hint="leave out 'threads'")
    return True


SERVER = Server(
    "uvicorn",
    "uvicorn",
    ("asgi", "wsgi"),
    UvicornOptions,
    command,
    threads=True,
    # Several workers have a supervisor, and Python's tracker of what its processes share.
    extra_processes=lambda target, options: 2 if target.workers > 1 else 0,
    choices={
        "loop": "uvicorn.config:LOOP_FACTORIES",
        "http": "uvicorn.config:HTTP_PROTOCOLS",
        "ws": "uvicorn.config:WS_PROTOCOLS",
    },
    needs={
        "loop": {"uvloop": "uvloop", "zuvloop": "zuvloop"},
        "http": {"httptools": "httptools", "zttp": "zttp"},
        "ws": {"websockets": "websockets", "websockets-sansio": "websockets", "wsproto": "wsproto"},
        "bridge": {"a2wsgi": "a2wsgi", "asgiref": "asgiref"},
    },
)
