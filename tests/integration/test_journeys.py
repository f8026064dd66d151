"""Locust as its user meets it: a file of one's own, the journey that ships, and ``locust`` by itself."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from harness.declare import load_declarations
from harness.launch import serving
from harness.record import Run
from harness.services import services
from harness.swarm.journeys import find_journeys
from harness.swarm.messages import JourneySpec
from harness.swarm.process import run_journey
from tests.conftest import asgi_app

pytestmark = [pytest.mark.quiet, pytest.mark.usefixtures("no_process_left")]
HARNESS = [sys.executable, "-m", "harness.cli"]
MINE = '''"""My users."""
from locust import HttpUser, constant, task
USERS = 2
class Mine(HttpUser):
    wait_time = constant(0.02)
    @task
    def front(self):
        self.client.get("/")
    @task
    def missing(self):
        with self.client.get("/missing", name="missing", catch_response=True) as reply:
            if reply.status_code == 200:
                reply.success()
'''


def target(name):
    return next(target for target in load_declarations().targets if target.name == name)


def test_a_locustfile_of_ones_own_on_an_app_of_ones_own(own_app, tmp_path):
    own_app(asgi_app())
    Path("mine.py").write_text(MINE)
    words = ["run", "--locustfile", "mine.py", "-t", "own_app:app@uvicorn,name=mine", "--budget", "17s", "--out", "r"]
    done = subprocess.run([*HARNESS, *words], cwd=tmp_path, capture_output=True, text=True, timeout=200)
    assert done.returncode in (0, 4), done.stderr
    run = Run.open(tmp_path / "r")
    records = run.windows()
    assert {record.block for record in records} == {0, 1, 2}
    assert {(record.engine, record.study, record.target) for record in records} == {("locust", "journey", "mine")}
    for record in records:
        assert record.answered > 0
        assert not record.failures
        assert set(record.latency_us) == {"GET /", "missing"}
        assert record.answered == sum(map(len, run.samples(record).values()))
        assert record.figures["cpu_us"] > 1
    times = np.concatenate([values for record in records for values in run.samples(record).values()])
    assert len(np.unique(times)) > 0.9 * len(times), "Locust's rounding to two digits would leave few values"
    summary = json.loads((tmp_path / "r" / "summary.json").read_text())
    assert [result["journey"] for result in summary["journeys"]] == ["mine"]
    assert 'id="journeys"' in (tmp_path / "reports" / "latest.html").read_text()


def test_the_journey_that_ships_gets_every_reply_right():
    journey, marks = find_journeys()["journey"], []
    with (
        services({"database"}) as around,
        serving(target("fastapi-uvicorn"), environment=around.environment) as running,
    ):
        host = f"http://127.0.0.1:{running.bind.port}"
        came = run_journey(JourneySpec(journey.file, host, 2, 0.2, 4.0, grace_s=5), (), marks.append)
    assert marks == ["begin", "end"]
    assert came.errors == {}, came.examples
    assert {"who am I", "list products", "read product"} <= set(came.latency_us)


def test_a_locustfile_that_cannot_be_used_is_told(tmp_path):
    from harness.errors import UsageError

    file = tmp_path / "broken.py"
    file.write_text("import locust\nraise RuntimeError('no such thing')\n")
    with pytest.raises(UsageError, match="RuntimeError: no such thing"):
        run_journey(JourneySpec(str(file), "http://127.0.0.1:1", 1, 0.1, 0.1), (), print)


def test_locust_runs_the_file_by_itself(tmp_path):
    journey = find_journeys()["streams"]
    with serving(target("starlette-uvicorn")) as running:
        words = ["-f", journey.file, "--headless", "-u", "8", "-r", "8", "-t", "2s", "--json", "-s", "5"]
        words += ["-H", f"http://127.0.0.1:{running.bind.port}"]
        done = subprocess.run(
            [sys.executable, "-m", "locust", *words], cwd=tmp_path, capture_output=True, text=True, timeout=100
        )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "event stream" in done.stdout
