"""``harness service``: what the apps call, in the foreground, for those who run the apps themselves."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated, Literal

import typer

from harness.cli.options import Host, text
from harness.errors import UsageError


def service(
    name: Annotated[Literal["database", "upstream"], typer.Argument(metavar="database|upstream")],
    host: Host = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port to listen on. Default: 5432 or 8100.")
    ] = None,
    data: Annotated[Path | None, text("DIR", "Folder of the database. Default: a temporary one.")] = None,
) -> None:
    """Serve what the apps call, the database or the upstream service, in the foreground.

    Exit codes: 2 usage; 3 the port is in use, or the service does not start; 130 Ctrl-C; 143 SIGTERM.
    """
    from harness.serve.foreground import check_free

    if name == "upstream" and data is not None:
        raise UsageError("the upstream service keeps no data", hint="leave out --data")
    port = port or {"database": 5432, "upstream": 8100}[name]
    check_free(host, port)
    (_database if name == "database" else _upstream)(host, port, data)


def _upstream(host: str, port: int, data: Path | None) -> None:
    from harness.config import PACKAGED

    sys.stderr.write(f"upstream on http://{host}:{port}\n")
    os.chdir(PACKAGED)
    os.execv(sys.executable, [sys.executable, "-P", "-m", "apps.upstream.server", host, str(port)])


def _database(host: str, port: int, data: Path | None) -> None:
    from apps.contract import seed
    from harness.serve.guard import Guard
    from harness.serve.services import execute
    from harness.serve.services.postgres import Postgres

    with Guard() as guard, closing(Postgres(guard, host=host, port=port, folder=data)) as database:
        database.create()
        database.start()
        execute(database.url, seed.CREATE)
        sys.stderr.write(f"database on {database.url}, with the seeded rows\n")
        database.wait()
