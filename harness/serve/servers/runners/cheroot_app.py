"""Serves a WSGI application: ``cheroot_app.py MODULE:ATTRIBUTE HOST PORT THREADS BACKLOG KEEP_ALIVE CONNECTIONS``.

A program by itself; it imports Cheroot and the app, nothing of this package.
"""

import os
import signal
import sys
from pkgutil import resolve_name

from cheroot.wsgi import Server


def main(application: str, host: str, *numbers: str) -> None:
    port, threads, backlog, keep_alive, connections = map(int, numbers)
    sys.path.insert(0, os.getcwd())
    app = resolve_name(application)
    server = Server((host, port), app, numthreads=threads, max=threads, request_queue_size=backlog, timeout=keep_alive)
    server.shutdown_timeout = 1
    server.keep_alive_conn_limit = connections
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    server.safe_start()


if __name__ == "__main__":
    main(*sys.argv[1:])
