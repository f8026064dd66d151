"""Locust as its user meets it: a file of one's own, the journey that ships, and ``locust`` by itself."""

import asyncio
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from harness.engine.spec import JourneySpec
from harness.journeys.files import find_journeys
from harness.journeys.process import Journeys
from harness.record import Run
from harness.serve import serving
from harness.serve.services import services
from tests.conftest import asgi_app
from tests.records import code_of
from tests.targets import ALL
from tests.unit.load_support import echo, serving as answering

pytestmark = pytest.mark.usefixtures("no_process_left")
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


@pytest.mark.live
def test_a_locustfile_of_ones_own_on_an_app_of_ones_own(own_app, tmp_path):
    own_app(asgi_app())
    Path("mine.py").write_text(MINE)
    words = ["run", "--locustfile", "mine.py", "-t", "own_app:app@uvicorn,name=mine", "--budget", "17s", "--out", "r"]
    done = subprocess.run([*HARNESS, *words], cwd=tmp_path, capture_output=True, text=True, timeout=280)
    run = Run.open(tmp_path / "r")
    assert done.returncode == code_of(run), done.stderr
    records = run.windows()
    assert {record.block for record in records} == {0, 1, 2}
    assert {(record.engine, record.study, record.only.target) for record in records} == {("locust", "journey", "mine")}
    for record in records:
        assert record.only.answered > 0
        assert not record.failures
        assert set(record.only.latency_us) == {"GET /", "missing"}
        assert record.only.answered == sum(map(len, run.samples(record).values()))
        assert record.only.figures["cpu_us"] > 1
    times = np.concatenate([values for record in records for values in run.samples(record).values()])
    assert len(np.unique(times)) > 0.9 * len(times), "Locust's rounding to two digits would leave few values"
    summary = json.loads((tmp_path / "r" / "summary.json").read_text())
    assert [result["journey"] for result in summary["journeys"]] == ["mine"]
    assert 'id="journeys"' in (tmp_path / "reports" / "latest.html").read_text()


@pytest.mark.measure
def test_the_journey_that_ships_gets_every_reply_right():
    journey, marks = find_journeys()["journey"], []
    with (
        services({"database"}) as around,
        serving(ALL["fastapi-uvicorn"], environment=around.environment) as running,
    ):
        host = f"http://127.0.0.1:{running.bind.port}"
        result = Journeys().run_load(JourneySpec(journey.file, host, 2, 0.2, 4.0, grace_s=5), on_mark=marks.append)
    assert marks == ["begin", "end"]
    assert result.errors == {}, result.examples
    assert {"who am I", "list products", "read product"} <= set(result.series)
    assert not result.interrupted


SLOW = """
from locust import HttpUser, task
class Slow(HttpUser):
    @task
    def wait(self):
        self.client.get("/io/sleep?ms=60000")
"""


@pytest.mark.live
@pytest.mark.parametrize("after_s", [0.2, 3.0])
def test_ctrl_c_ends_a_journey_whatever_its_users_wait_for(tmp_path, after_s):
    file = tmp_path / "slow.py"
    file.write_text(SLOW)
    with serving(ALL["starlette-uvicorn"]) as running:
        spec = JourneySpec(str(file), f"http://127.0.0.1:{running.bind.port}", 4, 1.0, 90.0, grace_s=60)
        told = []

        def press():
            while not told:
                time.sleep(0.02)
            time.sleep(after_s)
            os.kill(os.getpid(), signal.SIGINT)

        pressing = threading.Thread(target=press)
        pressing.start()
        result = Journeys().run_load(spec, told.append)
        pressing.join()
    assert result.interrupted
    assert told[-1].elapsed_s < 45, "neither the journey's time nor its users' grace is waited for"
    assert result.answered == 0


@pytest.mark.live
def test_a_locustfile_that_cannot_be_used_is_told(tmp_path):
    from harness.errors import UsageError

    file = tmp_path / "broken.py"
    file.write_text("import locust\nraise RuntimeError('no such thing')\n")
    with pytest.raises(UsageError, match="RuntimeError: no such thing"):
        Journeys().run_load(JourneySpec(str(file), "http://127.0.0.1:1", 1, 0.1, 0.1))


USER_WHO_SURVIVES = """
import gevent
from locust import HttpUser, task
class Immortal(HttpUser):
    @task
    def wait(self):
        while True:
            try:
                gevent.sleep(60)
            except:
                pass
"""


@pytest.mark.live
def test_a_user_who_survives_being_killed_does_not_keep_a_journey(tmp_path):
    file = tmp_path / "immortal.py"
    file.write_text(USER_WHO_SURVIVES)
    result = Journeys().run_load(JourneySpec(str(file), "http://127.0.0.1:1", 2, 0.1, 0.2, grace_s=0.1))
    assert (result.answered, result.failed, result.interrupted) == (0, 0, False)


LOCUST = """
import signal, sys
import locust.main
import gevent, gevent.util
gevent.signal_handler(signal.SIGUSR1, gevent.util.print_run_info)
sys.argv[0] = "locust"
locust.main.main()
"""
ENDS = """
import gevent
from locust import events

@events.test_start.add_listener
def watch(environment, **_):
    def wait():
        while any(environment.stats.get(*each).num_requests < {least} for each in {names}):
            gevent.sleep(0.05)
        environment.runner.quit()
    gevent.spawn(wait)
"""


def locust(port, folder, *words):
    """Locust by itself, with eight users; the stacks of all of its greenlets are shown where it does not end."""
    words = [*words, "--headless", "-u", "8", "-r", "8", "--json", "-H", f"http://127.0.0.1:{port}"]
    process = subprocess.Popen(
        [sys.executable, "-c", LOCUST, *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        out, err = process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGUSR1)
        time.sleep(5)
        process.kill()
        pytest.fail("\n".join(["Locust did not end", *process.communicate()]))
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, err[-2000:]
    return {each["name"]: (each["num_requests"], each["num_failures"]) for each in json.loads(out)}


@pytest.mark.live
def test_locust_runs_the_file_by_itself(tmp_path):
    names = [("event stream", "GET"), ("echo", "WS")]
    (tmp_path / "ends.py").write_text(ENDS.format(names=names, least=1))
    with serving(ALL["starlette-uvicorn"]) as running:
        counts = locust(running.bind.port, tmp_path, "-f", f"{find_journeys()['streams'].file},ends.py", "-s", "5")
    assert set(counts) == {"event stream", "open WebSocket", "echo"}
    assert not any(failures for _, failures in counts.values())


CHATTERS = """
from scenarios import streams
from scenarios.streams import Dashboard
streams.TIMEOUT_S = 300
Dashboard.tasks = [Dashboard.chat]
"""


@pytest.mark.live
def test_users_who_are_killed_while_a_websocket_closes_end(tmp_path):
    """With websocket-client's close(), which catches GreenletExit, Locust would wait for them forever."""
    (tmp_path / "chatters.py").write_text(CHATTERS + ENDS.format(names=[("echo", "WS")], least=24))
    ports, over = queue.Queue(), threading.Event()

    async def serve():
        async with answering(echo(closes=False)) as address:
            ports.put(address.port)
            await asyncio.to_thread(over.wait)

    server = threading.Thread(target=asyncio.run, args=(serve(),))
    server.start()
    try:
        counts = locust(ports.get(timeout=60), tmp_path, "-f", "chatters.py")
    finally:
        over.set()
        server.join()
    assert counts == {"open WebSocket": (8, 0), "echo": (24, 0)}, "no user goes on"
