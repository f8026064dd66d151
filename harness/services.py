"""What apps call while they are measured: PostgreSQL with seeded rows, and the upstream service with a set delay."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from apps.contract import seed
from harness.declare import PACKAGED
from harness.errors import LaunchError, NotReadyError
from harness.guard import Guard
from harness.launch import JWT_SECRET, free_port
from harness.placement import confine
from harness.postgres import Postgres

Need = Literal["database", "upstream"]

DATABASE_URL = "HARNESS_DATABASE_URL"
UPSTREAM_URL = "HARNESS_UPSTREAM_URL"
NEEDS: Mapping[str, Need] = {
    "io-db": "database",
    "io-upstream": "upstream",
    "product": "database",
    "products": "database",
    "product-insert": "database",
}
"""Endpoint of the contract → the service that it calls; the others call none."""

WRITES = frozenset({"product-insert"})
"""Endpoints after which the seeded rows must be restored."""

READY_S = 15.0
_POLL_S = 0.02


@dataclass(slots=True)
class Services:
    """The services that are up.

    Attributes:
        environment: variables for the servers of the targets.
        postgres: the embedded server, to be stopped and started again by tests of faults; ``None`` for one's own.
    """

    environment: dict[str, str] = field(default_factory=dict)
    postgres: Postgres | None = None
    upstream: subprocess.Popen[bytes] | None = None

    def restore(self) -> None:
        """Removes the rows that requests added; does nothing where there is no database.

        Raises:
            NotReadyError: the database does not answer.
        """
        if DATABASE_URL in self.environment:
            _execute(self.environment[DATABASE_URL], seed.RESTORE)

    def upstream_requests(self, *, reset: bool = False) -> int:
        """How many delays the upstream service was asked for since the start or the last reset.

        Raises:
            NotReadyError: there is no upstream service, or it does not answer.
        """
        reply = _get(self.environment.get(UPSTREAM_URL, ""), "/count")
        if reset:
            _get(self.environment[UPSTREAM_URL], "/reset")
        requests: int = reply["requests"]
        return requests


def needs_of(endpoints: Iterable[str]) -> set[Need]:
    """The services that these endpoints of the contract call."""
    return {NEEDS[name] for name in endpoints if name in NEEDS}


@contextlib.contextmanager
def services(needs: Collection[Need], cpus: tuple[int, ...] = ()) -> Iterator[Services]:
    """Starts what is needed, on these CPUs, and ends it; a database of the user's own is only seeded.

    Raises:
        NotReadyError: a service did not come up.
    """
    guard = Guard()
    running = Services({JWT_SECRET: os.environ.get(JWT_SECRET) or secrets.token_hex(32)})
    try:
        if "database" in needs:
            _start_database(running, guard, cpus)
        if "upstream" in needs:
            _start_upstream(running, guard, cpus)
        yield running
    finally:
        if running.upstream is not None:
            running.upstream.kill()
            running.upstream.wait()
        if running.postgres is not None:
            running.postgres.close()
        guard.close()


def _start_database(running: Services, guard: Guard, cpus: tuple[int, ...]) -> None:
    url = os.environ.get(DATABASE_URL, "")
    if not url:
        running.postgres = Postgres(guard, cpus)
        running.postgres.create()
        running.postgres.start()
        url = running.postgres.url
    running.environment[DATABASE_URL] = url
    _execute(url, seed.CREATE)


def _start_upstream(running: Services, guard: Guard, cpus: tuple[int, ...]) -> None:
    port = free_port()
    running.environment[UPSTREAM_URL] = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "apps.upstream.server", "127.0.0.1", str(port)]
    running.upstream = subprocess.Popen(command, stdin=subprocess.DEVNULL, cwd=PACKAGED, start_new_session=True)
    guard.add(running.upstream.pid)
    confine(running.upstream.pid, cpus)
    deadline = time.monotonic() + READY_S
    while True:
        with contextlib.suppress(NotReadyError):
            _get(running.environment[UPSTREAM_URL], "/health")
            return
        if running.upstream.poll() is not None or time.monotonic() > deadline:
            raise LaunchError("the upstream service did not come up", hint="harness doctor")
        time.sleep(_POLL_S)


def _execute(url: str, statements: Iterable[str]) -> None:
    import psycopg

    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
            for statement in statements:
                connection.execute(statement.encode())
    except psycopg.Error as error:
        raise NotReadyError(f"the database cannot be used: {error}", hint=f"check {DATABASE_URL}") from None


def _get(url: str, path: str) -> dict[str, int]:
    connection = http.client.HTTPConnection(url.removeprefix("http://") or "127.0.0.1:9", timeout=5)
    try:
        connection.request("GET", path)
        reply: dict[str, int] = json.loads(connection.getresponse().read())
        return reply
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise NotReadyError(f"the upstream service does not answer: {error}") from None
    finally:
        connection.close()
