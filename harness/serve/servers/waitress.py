"""Waitress."""

from __future__ import annotations

from pydantic import Field

from harness.model import Target
from harness.serve.servers.spec import CONNECTIONS, Bind, Command, KeepAliveOptions, Server

# Its logger of the queue warns of every request that has to wait for a thread, which is what the threads are for.
_PROGRAM = """
import logging
from waitress.runner import run
logging.getLogger("waitress.queue").setLevel(logging.ERROR)
run()
"""


class WaitressOptions(KeepAliveOptions):
    connection_limit: int = Field(CONNECTIONS, ge=1)


def command(target: Target, options: WaitressOptions, bind: Bind) -> Command:
    arguments = (
        "-c",
        _PROGRAM,
        f"--listen={bind.host}:{bind.port}",
        f"--threads={target.threads}",
        f"--connection-limit={options.connection_limit}",
        f"--channel-timeout={options.keep_alive}",
        f"--backlog={options.backlog}",
        # select() takes no descriptor above 1023.
        "--asyncore-use-poll",
        target.application,
    )
    return Command(arguments)


SERVER = Server("waitress", "waitress", ("wsgi",), WaitressOptions, command, threads=True, workers=False)
