"""The SQL statements of one request, counted by the embedded PostgreSQL.

Its package carries no ``pg_stat_statements``, so it logs them instead: while they are counted, and never under load.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from apps.contract.case import Case
from apps.contract.endpoints import ENDPOINTS
from harness.model import Statements
from harness.serve import Running
from harness.serve.services import NEEDS, Services, execute
from harness.serve.services.postgres import Postgres
from harness.verify import endpoints_of, verify

BATCH = 10
BATCHES = 30
"""The most requests are ten times that: by default psycopg prepares a statement at the fifth on a connection, of 16."""

QUIET_S = 0.05
_POLL_S = 0.01
_RELOAD = "SELECT pg_reload_conf()"
_LINE = re.compile(r"LOG:  duration: [\d.]+ ms  (?:statement|execute (?P<name>[^:]+)): (?P<text>.*)")


def statements_of(running: Iterable[Running], around: Services, endpoints: Collection[str]) -> list[Statements]:
    """Those of every target, one after the other; none where no endpoint uses the embedded database.

    Raises:
        NotReadyError: the database does not answer.
    """
    if around.postgres is None or not any(NEEDS.get(name) == "database" for name in endpoints):
        return []
    with logged(around.postgres) as log:
        usable = [one for one in running if one.target.endpoints and not one.target.twin_of and one.alive]
        counted = [statements for one in usable for statements in count(one, log, endpoints)]
    around.restore()
    return counted


@contextlib.contextmanager
def logged(postgres: Postgres) -> Iterator[Path]:
    """The file into which the server logs every statement meanwhile.

    Raises:
        NotReadyError: it does not answer.
    """
    start = postgres.log.stat().st_size
    execute(postgres.url, ("ALTER SYSTEM SET log_min_duration_statement = 0", _RELOAD))
    try:
        # The server reads its settings again when it comes to it.
        while not list(_statements(_settled(postgres.log, start))):
            execute(postgres.url, ("SELECT 1",))
        yield postgres.log
    finally:
        execute(postgres.url, ("ALTER SYSTEM RESET log_min_duration_statement", _RELOAD))


def count(running: Running, log: Path, endpoints: Collection[str]) -> list[Statements]:
    """Those of every endpoint that the target has and that reads or writes a row.

    Nothing else may use the database meanwhile.
    """
    names = [name for name in endpoints_of(running.target) if name in endpoints and NEEDS.get(name) == "database"]
    # Without their wait, for which verification would send them twice.
    return [_one(running, log, name, replace(ENDPOINTS[name].cases[0], least_ms=0)) for name in names]


def _one(running: Running, log: Path, endpoint: str, case: Case) -> Statements:
    """Requests are sent until as many make the same statements twice: the first ones open connections and prepare."""
    before: Counter[tuple[str, bool]] | None = None
    for _ in range(BATCHES):
        start = log.stat().st_size
        checked = verify(running, [(endpoint, case)] * BATCH)
        statements = Counter(_statements(_settled(log, start)))
        if any(entry.difference for entry in checked):
            break
        if statements == before and all(number % BATCH == 0 for number in statements.values()):
            each = [statement for statement, number in statements.items() for _ in range(number // BATCH)]
            verbs = tuple(verb for verb, _ in each)
            return Statements(running.target.name, endpoint, verbs, sum(prepared for _, prepared in each))
        before = statements
    return Statements(running.target.name, endpoint)


def _settled(log: Path, start: int) -> str:
    """What was logged since, once nothing more comes: apps may end a session after they have replied."""
    size, quiet = log.stat().st_size, time.monotonic()
    while time.monotonic() - quiet < QUIET_S:
        time.sleep(_POLL_S)
        if (now := log.stat().st_size) != size:
            size, quiet = now, time.monotonic()
    with log.open("rb") as file:
        file.seek(start)
        return file.read().decode("utf-8", "replace")


def _statements(text: str) -> Iterator[tuple[str, bool]]:
    """The verb of each, and whether it was prepared; a message without parameters may hold several."""
    for line in text.replace("\n\t", " ").splitlines():
        if match := _LINE.search(line):
            name = match["name"]
            for statement in [match["text"]] if name else match["text"].split(";"):
                if statement.strip():
                    yield statement.split()[0].upper(), bool(name) and name != "<unnamed>"
