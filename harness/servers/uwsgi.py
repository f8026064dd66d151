"""uWSGI: its HTTP router, which keeps connections alive, before its workers."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from harness.model import Target
from harness.servers.spec import BACKLOG, KEEP_ALIVE_S, Bind, Command, Options, Server

_IN_MEMORY = 262_144
_SOMAXCONN = Path("/proc/sys/net/core/somaxconn")


class UwsgiOptions(Options):
    keep_alive: int = Field(KEEP_ALIVE_S, ge=1)
    backlog: int = Field(BACKLOG, ge=64)


def command(target: Target, options: UwsgiOptions, bind: Bind) -> Command:
    arguments = (
        "-c",
        "import pyuwsgi; pyuwsgi.run()",
        f"--http={bind.host}:{bind.port}",
        f"--http-keepalive={options.keep_alive}",
        "--http-auto-chunked",
        "--http-chunked-input",
        "--http-timeout=120",
        f"--listen={min(options.backlog, _most())}",
        "--master",
        "--die-on-term",
        "--need-app",
        "--lazy-apps",
        "--single-interpreter",
        "--enable-threads",
        f"--processes={target.workers}",
        f"--threads={target.threads}",
        "--buffer-size=32768",
        # A worker that answers before it has read the body would reset the connection under its reply.
        f"--post-buffering={_IN_MEMORY}",
        "--disable-logging",
        "--worker-reload-mercy=2",
        f"--module={target.application}",
    )
    return Command(arguments)


def _most() -> int:
    """uWSGI refuses to start with a longer queue than the kernel allows; other servers get the shorter one silently."""
    try:
        return int(_SOMAXCONN.read_text())
    except (OSError, ValueError):
        return 128


SERVER = Server("uwsgi", "pyuwsgi", ("wsgi",), UwsgiOptions, command, threads=True)
