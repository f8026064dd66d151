"""Studies on real servers, from the command to the report: short windows, no figure of speed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.commands.prepare import RunRequest
from harness.commands.run import run
from harness.model import Failure
from harness.record import Run

pytestmark = [pytest.mark.quiet, pytest.mark.usefixtures("no_process_left")]
HEAD = 'title = "Mine"\nquestion = "move"\nwhy = ""\nconcurrency = [4]\n'
JSON = '[[request]]\nendpoint = "json"\ncase = "valid"\n'
SHORT = "[settings]\nblocks = 1\nwindow_s = 0.3\n"


@pytest.fixture
def scenario(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("scenarios").mkdir()

    def write(name, text):
        Path(f"scenarios/{name}.toml").write_text(HEAD + text)
        return name

    return write


def test_connections_of_every_kind_and_what_wsgi_lacks(scenario, tmp_path):
    name = scenario(
        "many",
        f'study = "connections"\n{JSON}[matrix]\nidle = [30]\nsockets = [4]\nslow = [2]\nstreams = [3]\n'
        f"{SHORT}events_ms = 20\n",
    )
    request = RunRequest(
        targets=("starlette-uvicorn", "flask-gunicorn-gthread"),
        scenarios=(name,),
        seed=1,
        out=tmp_path / "r",
        report=tmp_path / "r.html",
        quiet=True,
    )
    assert run(request) in (0, 4), "a busy machine may fire gates, but every window is there"
    records = {(record.target, record.point): record for record in Run.open(tmp_path / "r").windows()}
    assert len(records) == 10
    asgi = {point: record for (target, point), record in records.items() if target == "starlette-uvicorn"}
    assert asgi["idle-30"].figures["idle_answered"] == 30
    assert asgi["sockets-4"].latency_us["echo"]["count"] > 4
    assert asgi["streams-3"].latency_us["gap"]["count"] > 3
    assert asgi["slow-2"].figures["slow_opened"] == 2
    assert asgi["alone"].answered == asgi["alone"].planned
    no_sockets = records["flask-gunicorn-gthread", "sockets-4"].failures
    assert no_sockets == (Failure("flask-gunicorn-gthread", "sockets-4", "cannot", "WSGI has no WebSocket"),)
    summary = json.loads((tmp_path / "r" / "summary.json").read_text())
    assert len(summary["studies"]["connections"]) == 10
    assert "Async behaviour" in (tmp_path / "r.html").read_text()


def test_a_killed_study_goes_on_where_it_was(scenario, tmp_path):
    name = scenario("steady", f'study = "latency"\n{JSON}[matrix]\nrate = [20, 30, 40, 50]\n{SHORT}')
    command = [sys.executable, "-m", "harness.cli", "run", "-t", "raw-asgi-uvicorn", "-s", name, "--seed", "2"]
    folder = tmp_path / "r"
    with subprocess.Popen(
        [*command, "--out", str(folder)], stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        deadline = time.monotonic() + 90
        try:
            while not (folder / "windows.jsonl").exists() and time.monotonic() < deadline:
                time.sleep(0.02)
        finally:
            os.kill(process.pid, signal.SIGKILL)
    before = {record.id for record in Run.open(folder).windows()}
    assert before
    assert run(RunRequest(resume=str(folder), report=tmp_path / "r.html", quiet=True)) in (0, 4)
    records = Run.open(folder).windows()
    assert {record.point for record in records} == {"20-rps", "30-rps", "40-rps", "50-rps"}
    firsts = [record.id for record in records if record.attempt == 0]
    assert len(firsts) == len(set(firsts)), "no window is measured twice"
    assert Run.open(folder).manifest.status == "finished"
