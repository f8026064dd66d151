"""Gunicorn, with its own workers and Uvicorn's."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.errors import UsageError
from harness.model import Interface, Target
from harness.serve.servers.spec import CONNECTIONS, KEEP_ALIVE_S, RUNNERS, Bind, Command, Options, Server

UVICORN = "uvicorn"
_GREEN = ("gevent", "gevent_wsgi", "gevent_pywsgi")
_SERVES: dict[str, tuple[Interface, ...]] = {
    "tornado": ("wsgi", "native"),
    "asgi": ("asgi",),
    UVICORN: ("asgi",),
}
_OWN_PARSER = (UVICORN, "tornado", "gevent_wsgi", "gevent_pywsgi")
_DEFAULT: dict[Interface, str] = {"wsgi": "gthread", "asgi": "asgi", "native": "tornado"}


class GunicornOptions(Options):
    worker_class: str = ""
    parser: Literal["python", "fast"] = "python"
    loop: Literal["auto", "asyncio", "uvloop"] = "auto"
    http: str = ""
    keep_alive: int = Field(KEEP_ALIVE_S, ge=0)


def command(target: Target, options: GunicornOptions, bind: Bind) -> Command:
    worker = options.worker_class or _DEFAULT[target.interface]
    _check(target, worker, options)
    # A greenlet holds a connection, and takes the place of a thread. gthread closes kept connections near this number.
    connections = target.threads if worker in _GREEN else CONNECTIONS
    arguments = [
        "-m",
        "gunicorn",
        f"--config={RUNNERS / 'gunicorn_conf.py'}",
        f"--bind={bind.host}:{bind.port}",
        f"--workers={target.workers}",
        f"--threads={target.threads if worker == 'gthread' else 1}",
        f"--worker-class={'uvicorn_workers.Worker' if worker == UVICORN else worker}",
        f"--worker-connections={connections}",
        f"--keep-alive={options.keep_alive}",
        f"--backlog={options.backlog}",
        "--log-level=warning",
        "--timeout=120",
        # At the end of a block nothing is in hand, and any grace is waited for in full: 1.2 s in place of 0.1.
        "--graceful-timeout=0",
    ]
    environment = {}
    if worker == UVICORN:
        arguments.append(f"--pythonpath={RUNNERS}")
        environment = {"UVICORN_WORKER_LOOP": options.loop, "UVICORN_WORKER_HTTP": options.http or "auto"}
    elif worker == "asgi":
        arguments.append(f"--asgi-loop={options.loop}")
    if options.parser == "fast":
        arguments.append("--http-parser=fast")
    return Command((*arguments, target.application), environment)


def _check(target: Target, worker: str, options: GunicornOptions) -> None:
    where = f"target {target.name!r}: gunicorn's {worker} worker"
    serves = _SERVES.get(worker, ("wsgi",))
    if target.interface not in serves:
        raise UsageError(f"{where} serves {' and '.join(serves)}, not {target.interface}")
    if target.threads > 1 and worker not in ("gthread", *_GREEN):
        raise UsageError(f"{where} has one thread", hint="use gthread")
    if target.threads == 1 and worker in _GREEN:
        raise UsageError(f"{where} takes as many requests at once as it has threads", hint="threads=1000")
    if options.http and worker != UVICORN:
        raise UsageError(f"{where} has no option 'http'", hint="use 'parser', or the uvicorn worker")
    if options.parser == "fast" and worker in _OWN_PARSER:
        raise UsageError(f"{where} has a parser of its own", hint="leave out 'parser'")
    if options.loop != "auto" and worker not in ("asgi", UVICORN):
        raise UsageError(f"{where} has no option 'loop'", hint="leave it out")


SERVER = Server(
    "gunicorn",
    "gunicorn",
    ("wsgi", "asgi", "native"),
    GunicornOptions,
    command,
    threads=True,
    extra_processes=lambda target, options: 1,
    choices={"worker_class": "gunicorn.workers:SUPPORTED_WORKERS", "http": "uvicorn.config:HTTP_PROTOCOLS"},
    needs={
        "worker_class": {UVICORN: "uvicorn-worker", "tornado": "tornado", **dict.fromkeys(_GREEN, "gevent")},
        "parser": {"fast": "gunicorn_h1c"},
        "loop": {"uvloop": "uvloop"},
        "http": {"httptools": "httptools", "zttp": "zttp"},
    },
    also={"worker_class": (UVICORN,)},
)
