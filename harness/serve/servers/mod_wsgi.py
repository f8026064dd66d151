"""Apache with mod_wsgi, as ``mod_wsgi-express`` sets it up: a daemon process per worker, next to Apache's own."""

from __future__ import annotations

import os

from harness.model import Target
from harness.serve.servers.spec import RUNNERS, Bind, Command, KeepAliveOptions, Server


def command(target: Target, options: KeepAliveOptions, bind: Bind) -> Command:
    module, _, attribute = target.application.partition(":")
    # Apache's processes must not be root's.
    user = ("--user=nobody", f"--group={_nobodys_group()}") if hasattr(os, "getuid") and os.getuid() == 0 else ()
    folder = (f"--server-root={bind.folder}/mod_wsgi",) if bind.folder else ()
    arguments = (
        str(RUNNERS / "mod_wsgi_app.py"),
        "start-server",
        f"--host={bind.host}",
        f"--port={bind.port}",
        f"--processes={target.workers}",
        f"--threads={target.threads}",
        f"--keep-alive-timeout={options.keep_alive}",
        f"--server-backlog={options.backlog}",
        f"--daemon-backlog={options.backlog}",
        f"--include-file={RUNNERS / 'mod_wsgi.conf'}",
        "--limit-request-body=1073741824",
        "--log-to-terminal",
        "--log-level=error",
        "--disable-reloading",
        "--shutdown-timeout=2",
        *user,
        *folder,
        "--application-type=module",
        f"--callable-object={attribute}",
        module,
    )
    return Command(arguments)


def _nobodys_group() -> str:
    import grp
    import pwd

    return grp.getgrgid(pwd.getpwnam("nobody").pw_gid).gr_name


SERVER = Server(
    "mod_wsgi",
    "mod_wsgi",
    ("wsgi",),
    KeepAliveOptions,
    command,
    threads=True,
    # Apache's own: the first, and the one that takes connections.
    extra_processes=lambda target, options: 2,
    listener=lambda options: "router",
)
