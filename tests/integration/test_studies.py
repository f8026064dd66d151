"""Studies on real servers, from the command to the report: short windows, no figure of speed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from harness.model import Failure, Reason
from harness.record import Run
from tests.cli import harness
from tests.records import code_of

pytestmark = [pytest.mark.live, pytest.mark.usefixtures("no_process_left")]
HEAD = 'title = "Mine"\nquestion = "move"\nwhy = ""\n'
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
    words = ("-t", "starlette-uvicorn", "-t", "flask-gunicorn-gthread", "-s", name, "--seed", "1", "-q")
    done = harness("run", *words, "--out", "r", "--report", "r.html")
    assert done.code == code_of(Run.open(tmp_path / "r")), done.err
    records = {(record.only.target, record.only.point): record for record in Run.open(tmp_path / "r").windows()}
    assert len(records) == 10
    asgi = {point: record for (target, point), record in records.items() if target == "starlette-uvicorn"}
    assert asgi["idle-30"].only.figures["idle_answered"] == 30
    assert asgi["sockets-4"].only.latency_us["echo"]["count"] > 4
    assert asgi["streams-3"].only.latency_us["gap"]["count"] > 3
    assert asgi["slow-2"].only.figures["slow_opened"] == 2
    assert asgi["alone"].only.answered == asgi["alone"].only.planned
    no_sockets = records["flask-gunicorn-gthread", "sockets-4"].failures
    assert no_sockets == (
        Failure("flask-gunicorn-gthread", "sockets-4", Reason("lacks", {"text": "WSGI has no WebSocket"})),
    )
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
        deadline = time.monotonic() + 120
        try:
            while not (folder / "windows.jsonl").exists() and time.monotonic() < deadline:
                time.sleep(0.02)
        finally:
            os.kill(process.pid, signal.SIGKILL)
    before = {record.id for record in Run.open(folder).windows()}
    assert before
    done = harness("run", "--resume", str(folder), "--report", "r.html", "-q")
    assert done.code == code_of(Run.open(folder)), done.err
    records = Run.open(folder).windows()
    assert {record.only.point for record in records} == {"20-rps", "30-rps", "40-rps", "50-rps"}
    firsts = [record.id for record in records if record.attempt == 0]
    assert len(firsts) == len(set(firsts)), "no window is measured twice"
    assert Run.open(folder).manifest.status == "finished"


def test_ctrl_c_in_a_study_ends_the_run_and_the_cut_window_is_no_number(scenario, tmp_path):
    name = scenario(
        "steady", f'study = "latency"\n{JSON}[matrix]\nrate = [20, 30]\n[settings]\nblocks = 1\nwindow_s = 60\n'
    )
    command = [sys.executable, "-m", "harness.cli", "run", "-t", "raw-asgi-uvicorn", "-s", name, "--seed", "2"]
    folder = tmp_path / "r"
    with subprocess.Popen(
        [*command, "--out", str(folder)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "Results:" in line:
                break
        deadline = time.monotonic() + 120
        while not _sending(process.pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(1.0)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)
    assert process.returncode == 130
    assert time.monotonic() - began < 45, "nobody waits for the end of the window"
    run = Run.open(folder)
    assert run.manifest.status == "interrupted"
    assert run.windows() == ()


def _sending(pid):
    """Whether the servers of a run are up: the engine, its guard and a server are children of the command."""
    return len(psutil.Process(pid).children(recursive=True)) >= 3


def test_a_worker_that_gets_every_request_is_named_and_has_no_speed_up(scenario, tmp_path):
    name = scenario(
        "pinned",
        'concurrency = [1]\nstudy = "scaling"\n' + JSON + "[matrix]\nworkers = [1, 2]\n" + SHORT,
    )
    done = harness("run", "-s", name, "-t", "flask-gunicorn-gthread", "--out", str(tmp_path / "run"))
    run = Run.open(tmp_path / "run")
    assert done.code == code_of(run), done.err
    loads = [record.only for record in run.windows() if record.only.params["step"] == "load"]
    two = [side for side in loads if side.params["workers"] == 2]
    assert two
    # One kept connection stays with the worker that accepted it.
    assert all(side.worker_shares[0] > 0.9 for side in two)
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    [row] = [row for row in summary["studies"]["scaling"] if row["workers"] == 2]
    assert row["speedup"] is None
    if row["status"] == "ok":
        assert row["reason"]["code"] == "uneven-workers"
