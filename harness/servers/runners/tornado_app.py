"""Serves a Tornado application: ``tornado_app.py MODULE:ATTRIBUTE HOST PORT BACKLOG WORKERS``.

A program by itself; it imports Tornado and the app, nothing of this package.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from importlib import import_module

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.process import fork_processes


def main(application: str, host: str, port: str, backlog: str, workers: str) -> None:
    logging.getLogger("tornado.access").setLevel(logging.ERROR)
    sys.path.insert(0, os.getcwd())
    sockets = bind_sockets(int(port), host, backlog=int(backlog))
    if int(workers) > 1:
        fork_processes(int(workers))
    asyncio.run(serve(application, sockets))


async def serve(application: str, sockets: list[socket.socket]) -> None:
    module, _, attribute = application.partition(":")
    app = import_module(module)
    for name in attribute.split("."):
        app = getattr(app, name)
    server = HTTPServer(app)
    server.add_sockets(sockets)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    server.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
