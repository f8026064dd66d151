"""uWSGI: its HTTP router, a process that keeps connections alive, before its workers; or workers that speak HTTP."""

from __future__ import annotations

from typing import Literal

from harness.config.cgroup import kernel_text
from harness.model import Target
from harness.serve.servers.spec import Bind, Command, KeepAliveOptions, Server

_IN_MEMORY = 262_144


class UwsgiOptions(KeepAliveOptions):
    frontend: Literal["router", "socket"] = "router"


def command(target: Target, options: UwsgiOptions, bind: Bind) -> Command:
    address = f"{bind.host}:{bind.port}"
    # Its socket for kept connections gives a thread to each of them for as long as it is open.
    frontend: tuple[str, ...] = (f"--http-socket={address}", "--add-header=Connection: close")
    if options.frontend == "router":
        frontend = (
            f"--http={address}",
            f"--http-keepalive={options.keep_alive}",
            "--http-auto-chunked",
            "--http-chunked-input",
            "--http-timeout=120",
        )
    arguments = (
        "-c",
        "import pyuwsgi; pyuwsgi.run()",
        *frontend,
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
    return int(kernel_text("/proc/sys/net/core/somaxconn") or 128)


SERVER = Server(
    "uwsgi",
    "pyuwsgi",
    ("wsgi",),
    UwsgiOptions,
    command,
    threads=True,
    # The master, and the router.
    extra_processes=lambda target, options: 2 if options.frontend == "router" else 1,
    listener=lambda options: "router" if options.frontend == "router" else "shared",
)
