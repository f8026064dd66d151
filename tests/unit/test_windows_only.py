"""Runs that hold nothing but load on one target alone: every command that reads runs reads them."""

import asyncio
import json

import pytest

from harness.record import Run
from harness.report.site import site
from tests import cli
from tests.unit.test_window_gates import windows


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    manifest, records = windows(count=1200)
    run = Run.create(tmp_path / "results" / "journeys", manifest)
    for record in records:
        run.append(record, {})
    return tmp_path


def test_report(folder):
    done = cli.harness("report", "journeys")
    assert done.code == 0, done.err
    assert "harness report results/journeys --open" in done.out
    assert "Shopping" in (folder / "reports" / "latest.html").read_text()


def test_a_report_elsewhere_leaves_the_folder_as_it_is(folder):
    elsewhere = ("report", "journeys", "-o", "page.html")
    assert cli.harness(*elsewhere).code == 0
    kept = folder / "results" / "journeys" / "summary.md"
    kept.write_text("mine")
    assert cli.harness(*elsewhere).code == 0
    assert kept.read_text() == "mine"
    assert cli.harness("report", "journeys").code == 0
    assert kept.read_text() != "mine"


def test_check(folder):
    done = cli.harness("check", "--gate", "* shopping/login p99 < 1s", "--gate", "slow shopping cpu < 600us")
    assert done.code == 1, done.err
    assert "2 of 3 checks passed, 1 failed" in done.out
    assert "slow, shopping@16: CPU per request" in done.out


def test_export(folder):
    assert "j00-quick-shopping@16" in cli.harness("export").out.splitlines()[1]
    assert len(json.loads(cli.harness("export", "-f", "json").out)["windows"]) == 18
    done = cli.harness("export", "--table", "cells")
    assert done.code == 3
    assert "has no cells" in done.err


def test_the_page_of_runs(folder):
    app = site(folder / "results", folder / "reports")

    def get(path):
        sent = []

        async def send(message):
            sent.append(message)

        async def receive():
            return {"type": "http.request"}

        scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b"", "root_path": ""}
        asyncio.run(app(scope, receive, send))
        return sent[0]["status"], b"".join(message.get("body", b"") for message in sent).decode()

    status, page = get("/")
    assert status == 200
    assert "reports/journeys.html" in page
    status, page = get("/reports/journeys.html")
    assert status == 200
    assert "Shopping" in page
    assert get("/reports/none.html")[0] == 404
    assert get("/results/journeys/manifest.json")[0] == 404
