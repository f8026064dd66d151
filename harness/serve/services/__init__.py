"""What apps call while they are measured: PostgreSQL with seeded rows, and the upstream service with a set delay."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from apps.contract import seed
from apps.contract.settings import Settings
from harness.errors import NotReadyError
from harness.model import Target
from harness.serve import JWT_SECRET
from harness.serve.guard import Guard
from harness.serve.services.postgres import Postgres
from harness.serve.services.upstream import Upstream

Need = Literal["database", "upstream"]

DATABASE_URL = "HARNESS_DATABASE_URL"
UPSTREAM_URL = "HARNESS_UPSTREAM_URL"
VARIABLES: Mapping[Need, str] = {"database": DATABASE_URL, "upstream": UPSTREAM_URL}
"""Variables with the address of a service, which apps read; users set them for services of their own."""
POOL_SIZE = "HARNESS_POOL_SIZE"
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


@dataclass(slots=True)
class Services:
    """The services that are up.

    Attributes:
        environment: variables for the servers of the targets.
        postgres: the embedded server; ``None`` where none is needed or the database is the user's own.
        upstream: the upstream service; ``None`` where none is needed.
    """

    environment: dict[str, str] = field(default_factory=dict)
    postgres: Postgres | None = None
    upstream: Upstream | None = None

    def restore(self) -> None:
        """Removes the rows that requests added; does nothing where there is no database.

        Raises:
            NotReadyError: the database does not answer.
        """
        if DATABASE_URL in self.environment:
            execute(self.environment[DATABASE_URL], seed.RESTORE)


def needs_of(endpoints: Iterable[str]) -> set[Need]:
    """The services that these endpoints of the contract call."""
    return {NEEDS[name] for name in endpoints if name in NEEDS}


def pool_size(target: Target) -> int:
    """Connections to the database that each worker process of the target may hold."""
    size = target.environment.get(POOL_SIZE) or os.environ.get(POOL_SIZE)
    return int(size) if size else Settings().pool_size


def pool_facts(targets: Iterable[Target], needs: Collection[Need]) -> dict[str, str]:
    """What a reader must know of the pools where the database is called."""
    sizes = {target.name: pool_size(target) * target.workers for target in targets}
    if "database" not in needs or not sizes:
        return {}
    if len(set(sizes.values())) == 1:
        return {"database pool": f"{next(iter(sizes.values()))} connections in every target"}
    listed = ", ".join(f"{name} {size}" for name, size in sizes.items())
    return {"database pool": f"not equal: {listed} connections"}


@contextlib.contextmanager
def services(needs: Collection[Need], cpus: tuple[int, ...] = ()) -> Iterator[Services]:
    """Starts what is needed, on these CPUs, and ends it; a database of the user's own is only seeded.

    Raises:
        NotReadyError: a service did not come up.
    """
    with contextlib.ExitStack() as stack:
        guard = stack.enter_context(Guard())
        running = Services({JWT_SECRET: os.environ.get(JWT_SECRET) or secrets.token_hex(32)})
        if "database" in needs:
            url = os.environ.get(DATABASE_URL, "")
            if not url:
                running.postgres = stack.enter_context(contextlib.closing(Postgres(guard, cpus)))
                running.postgres.create()
                running.postgres.start()
                url = running.postgres.url
            running.environment[DATABASE_URL] = url
            execute(url, seed.CREATE)
        if "upstream" in needs:
            running.upstream = Upstream(guard, cpus)
            stack.callback(running.upstream.stop)
            running.upstream.start()
            running.environment[UPSTREAM_URL] = running.upstream.url
        yield running


def execute(url: str, statements: Iterable[str]) -> None:
    """Raises ``NotReadyError`` where the database does not answer, or refuses one of the statements."""
    import psycopg

    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
            for statement in statements:
                connection.execute(statement.encode())
    except psycopg.Error as error:
        raise NotReadyError(f"the database cannot be used: {error}", hint=f"check {DATABASE_URL}") from None
