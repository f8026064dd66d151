"""The services of a run: started when needed, restored, ended with their owner however it goes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import psycopg
import pytest

from apps.contract.seed import ROWS, product
from harness.errors import NotReadyError
from harness.serve.guard import Guard
from harness.serve.services import needs_of, services
from harness.serve.services.postgres import Postgres

pytestmark = pytest.mark.live


def rows(url, statement):
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(statement)
        return found.fetchall() if found.description else []


def test_needs_follow_from_endpoints():
    assert needs_of(["json", "io-sleep", "users-me"]) == set()
    assert needs_of(["products", "json", "io-upstream", "io-db"]) == {"database", "upstream"}


def test_nothing_is_started_that_is_not_needed(no_process_left):
    with services(set()) as around:
        assert (around.postgres, around.upstream) == (None, None)
        assert set(around.environment) == {"HARNESS_JWT_SECRET"}
        around.restore()


def test_the_lock_of_a_server_that_was_killed_does_not_bar_the_next(no_process_left):
    """As in a container that starts again: the id that the lock names is another process's."""
    guard = Guard()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        postgres = Postgres(guard, folder=Path(folder))
        # PostgreSQL heeds the ids of its own user only.
        other = subprocess.Popen(["sleep", "60"], user="nobody" if os.geteuid() == 0 else None)
        try:
            postgres.create()
            (Path(folder) / "data" / "postmaster.pid").write_text(f"{other.pid}\n{folder}/data\n1\n5432\n\n\n")
            postgres.start()
            assert rows(postgres.url, "SELECT 1") == [(1,)]
        finally:
            postgres.stop()
            guard.close()
            other.kill()
            other.wait()


def test_rows_are_seeded_and_restored(no_process_left):
    with services({"database"}) as around:
        url = around.environment["HARNESS_DATABASE_URL"]
        found = rows(url, "SELECT id, sku, name, price_cents, stock FROM harness_products ORDER BY id")
        assert found == [tuple(product(number).values()) for number in range(1, ROWS + 1)]
        insert = "INSERT INTO harness_products (name, price_cents, stock) VALUES ('x', 1, 1) RETURNING id, sku"
        first = rows(url, insert)
        assert first == [(ROWS + 1, "GEN-000000001")]
        rows(url, insert)
        around.restore()
        assert rows(url, "SELECT count(*), max(id) FROM harness_products") == [(ROWS, ROWS)]
        assert rows(url, insert) == first


def test_a_database_of_ones_own_is_used_and_kept(no_process_left, monkeypatch):
    with services({"database"}) as owner:
        url = owner.environment["HARNESS_DATABASE_URL"]
        rows(url, "CREATE TABLE products (mine integer)")
        monkeypatch.setenv("HARNESS_DATABASE_URL", url)
        with services({"database"}) as around:
            assert around.postgres is None
            assert around.environment["HARNESS_DATABASE_URL"] == url
        assert rows(url, "SELECT * FROM products") == []


def test_a_database_that_does_not_answer_is_told(monkeypatch):
    monkeypatch.setenv("HARNESS_DATABASE_URL", "postgresql://postgres@127.0.0.1:9/none")
    with pytest.raises(NotReadyError, match="the database cannot be used"), services({"database"}):
        pass


def test_the_upstream_service_counts(no_process_left):
    with services({"upstream"}) as around:
        upstream = around.upstream
        assert upstream.requests() == 0
        upstream.stop()
        with pytest.raises(NotReadyError, match="does not answer"):
            upstream.requests()
        upstream.start()
        assert upstream.requests(reset=True) == 0


OWNER = """
import os, sys
from harness.serve.services import services
with services({"database", "upstream"}) as around:
    print(os.getpid(), flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def open_folder():
    """A folder for temporary files that the database's unprivileged user can enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="harness-test-", ignore_cleanup_errors=True) as name:
        os.chmod(name, 0o755)
        yield Path(name)


def test_nothing_is_left_of_services_whose_owner_is_killed(open_folder):
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(open_folder)},
    )
    try:
        pid = int(owner.stdout.readline())
        family = psutil.Process(pid).children(recursive=True)
        assert len(family) >= 4
        assert any(open_folder.iterdir())
        os.kill(pid, signal.SIGKILL)
        _, alive = psutil.wait_procs(family, timeout=60)
        assert not alive
        assert list(open_folder.iterdir()) == []
    finally:
        owner.kill()
        owner.communicate()
