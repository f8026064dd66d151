"""``harness service``: what the apps call, in the foreground, for those who run the apps themselves."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from apps.contract import seed
from harness.commands.serve import check_free
from harness.declare import PACKAGED
from harness.errors import UsageError
from harness.guard import Guard
from harness.services import execute
from harness.services.postgres import Postgres


def run(name: str, host: str, port: int | None, data: Path | None) -> None:
    """Serves until it is told to end; ``data`` is the folder of a database that is to last.

    Raises:
        UsageError: there is no such service.
        NotReadyError: the port is taken, or the service does not come up.
    """
    if name not in SERVICES:
        raise UsageError(f"there is no service {name!r}", hint=f"services: {', '.join(SERVICES)}")
    serve, usual_port = SERVICES[name]
    port = port or usual_port
    check_free(host, port)
    serve(host, port, data)


def _upstream(host: str, port: int, data: Path | None) -> None:
    if data is not None:
        raise UsageError("the upstream service keeps no data", hint="leave out --data")
    sys.stderr.write(f"upstream on http://{host}:{port}\n")
    sys.stderr.flush()
    os.chdir(PACKAGED)
    os.execv(sys.executable, [sys.executable, "-m", "apps.upstream.server", host, str(port)])


def _database(host: str, port: int, data: Path | None) -> None:
    signal.signal(signal.SIGTERM, _end)
    guard = Guard()
    database = Postgres(guard, host=host, port=port, folder=data)
    try:
        database.create()
        database.start()
        execute(database.url, seed.CREATE)
        sys.stderr.write(f"database on {database.url}, with the seeded rows\n")
        sys.stderr.flush()
        database.wait()
    except KeyboardInterrupt:
        pass
    finally:
        database.close()
        guard.close()


def _end(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


Serve = Callable[[str, int, Path | None], None]
SERVICES: dict[str, tuple[Serve, int]] = {"database": (_database, 5432), "upstream": (_upstream, 8100)}
"""Name → what serves it, and its usual port."""
