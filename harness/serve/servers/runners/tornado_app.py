"""Serves a Tornado application: ``tornado_app.py MODULE:ATTRIBUTE LOOP HOST PORT BACKLOG WORKERS``.

A program by itself; it imports Tornado and the app, nothing of this package.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from importlib import import_module
from pkgutil import resolve_name

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.process import fork_processes


def main(application: str, loop: str, host: str, *numbers: str) -> None:
    port, backlog, workers = map(int, numbers)
    logging.getLogger("tornado.access").setLevel(logging.ERROR)
    sys.path.insert(0, os.getcwd())
    sockets = bind_sockets(port, host, backlog=backlog)
    if workers > 1:
        fork_processes(workers)
    with asyncio.Runner(loop_factory=import_module(loop).new_event_loop) as runner:
        runner.run(serve(application, sockets))


async def serve(application: str, sockets: list[socket.socket]) -> None:
    server = HTTPServer(resolve_name(application))
    server.add_sockets(sockets)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    server.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
