"""Instructions of servers that run: counted under valgrind, whatever else the machine does."""

import asyncio
import json
import os
import shutil
import tempfile

import pytest

from harness.config import load_declarations
from harness.config.requests import planned
from harness.errors import NotReadyError
from harness.instruments import CountedServer, CountingFleet, counter_kind
from harness.instruments.perf import PerfEvents
from harness.model import RawRequest
from harness.prepare.point import raw_point
from harness.prepare.select import select_targets
from harness.serve.fleet import ANYWHERE
from harness.serve.guard import Guard
from tests.conftest import asgi_app
from tests.integration.test_command import harness

live = pytest.mark.skipif(
    shutil.which("valgrind") is None and not os.environ.get("CI"), reason="no valgrind on this machine"
)
pytestmark = [pytest.mark.live, pytest.mark.usefixtures("no_process_left")]
LOOP = "for _ in __import__('itertools').repeat(__import__('gc').disable(), {turns}): pass"
"""Nothing but the turns: a garbage collection of all objects in one of two windows would be most of a difference."""
WSGI = """
def app(environ, start_response):
    {before}
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"hi"]
"""


def point(body, status=200):
    return raw_point([planned(RawRequest("GET", "/", (), "", status, body))], 2)


def counted(targets, point, requests=40, connections=2):
    """What each executes per request, all at the same time."""

    async def every(fleet):
        servers = [CountedServer(each, fleet) for each in fleet.running.values()]
        first = await asyncio.gather(*(each.count(point, connections, requests, 0) for each in servers))
        # What an idle server does is known by now.
        again = await asyncio.gather(*(each.count(point, connections, requests, 0) for each in servers))
        assert [each.per_request for each in again] == pytest.approx([each.per_request for each in first], rel=0.02)
        return first

    guard = Guard()
    try:
        with CountingFleet(guard, ANYWHERE, {}) as fleet:
            fleet.start(targets)
            assert not fleet.failures
            return asyncio.run(every(fleet))
    finally:
        guard.close()


@live
@pytest.mark.parametrize("server", ["uvicorn", "gunicorn,worker_class=gthread,threads=2"])
def test_twice_the_work_costs_twice_as_much_more(own_app, tmp_path, monkeypatch, server):
    wsgi = server.startswith("gunicorn")
    targets = []
    for turns in (0, 2000, 4000):
        before = LOOP.format(turns=turns)
        source = WSGI.format(before=before) if wsgi else asgi_app(before=before)
        targets.append(own_app(source, server, f"turns{turns}"))
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    # Two threads at work wait for each other's lock, the longer the more often: that would be work of its own.
    none, once, twice = counted(targets, point("hi" if wsgi else None), connections=1 if wsgi else 2)
    assert (none.counter, none.requests) in (("callgrind", 40), ("perf_event", 800))
    assert bool(none.why) == (none.counter == "callgrind")
    assert none.settings["PYTHONHASHSEED"] == "0"
    for each in (none, once, twice):
        assert sum(each.objects.values()) == pytest.approx(each.per_request)
        assert max(each.objects.values()) > each.per_request / 2
    # A turn of a loop takes the interpreter some dozens of instructions, each as many as any other.
    added = once.per_request - none.per_request
    assert 2000 * 5 < added < 2000 * 500
    assert twice.per_request - none.per_request == pytest.approx(2 * added, rel=0.02)
    assert list(folder.iterdir()) == []


@live
def test_wrong_replies_are_not_counted(own_app, tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    with pytest.raises(NotReadyError, match="nothing was counted: wrong-body"):
        counted([own_app(asgi_app())], point("something else"))
    assert list(folder.iterdir()) == []


@live
@pytest.mark.skipif(not PerfEvents.unavailable(), reason="the CPU counts by itself")
def test_a_server_that_valgrind_cannot_run_is_not_waited_for():
    """Gunicorn starts its worker again and again; its parser in C uses PCMPESTRI in a form that valgrind lacks."""
    guard = Guard()
    try:
        with CountingFleet(guard, ANYWHERE, {}) as fleet:
            fleet.start(select_targets(load_declarations(), ["flask-gunicorn-gthread-fast"]))
            [failure] = fleet.failures.values()
    finally:
        guard.close()
    assert "an instruction that this CPU, or valgrind, does not know" in failure.reason.text


@live
def test_versus_says_how_many_instructions_and_where(own_app, tmp_path):
    own_app(asgi_app(), module="quick")
    own_app(asgi_app(before=LOOP.format(turns=1000)), module="slow")
    words = ("--metric", "instructions", "--json", "--fail-if-slower", "1%", "--budget", "20s", "--out", "kept")
    done = harness("versus", "slow:app@uvicorn", "quick:app@uvicorn", *words, folder=tmp_path)
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)
    assert (found["metric"], found["verdict"], found["counter"]) == ("instructions", "different", found["counter"])
    assert 1000 * 5 < found["difference_low"] < found["difference"] < 1000 * 500
    assert next(iter(found["objects"])) in ("Python", "server and kernel")
    assert 2 <= found["blocks"] == len(found["counts"]) / 2 <= 5
    assert found["difference_us"] > 0
    # The run is kept, and holds a gate.
    names = found["a"], found["b"]
    gate = "'{}' / '{}' instructions < +1%".format(*names)
    checked = harness("check", "kept", "--gate", gate, folder=tmp_path)
    assert checked.returncode == 1, checked.stderr


def test_without_valgrind_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(PerfEvents, "unavailable", lambda: "no counters")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(NotReadyError, match="valgrind is not installed") as told:
        counter_kind()
    assert told.value.hint == "apt-get install valgrind"
