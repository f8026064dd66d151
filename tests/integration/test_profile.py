"""Servers sampled under load: a known share of the CPU cost is found again, and what cannot be sampled says why."""

import http.client
import json
import os

import jsonschema
import pytest

from harness.config.placement import detect
from harness.config.requests import planned
from harness.engine.engine import Engine
from harness.instruments import sample, sampler
from harness.model import RawRequest
from harness.prepare.point import raw_point
from harness.report.schemas import schema_of
from harness.results.profile import BUSY, OUTSIDE, by_function, by_package
from harness.serve import serving_all
from tests.cli import harness
from tests.conftest import asgi_app

pytestmark = pytest.mark.usefixtures("no_process_left")

WORK = """
import json, random, time
from itertools import count, repeat

DONE, FIRST, NUMBERS = [], [], count()
# Who shares the CPU with others reads a clock in few of the requests: whoever has to give it up does so at the next
# system call.
EVERY = 16

def burn():
    for _ in repeat(None, 40_000):
        pass

def turn():
    for _ in repeat(None, 40_000):
        pass

def truth():
    spent, requests = time.process_time() - FIRST[0], next(NUMBERS)
    return 9 / 10 * sum(DONE) / len(DONE) * requests / spent

def respond(path):
    if path == "/truth":
        return json.dumps(truth()).encode()
    if path == "/work":
        if not FIRST:
            FIRST.append(time.process_time())
        # In random order, since a busy machine interrupts every request after as long a time.
        parts = random.sample([burn] * 9 + [turn], 10)
        timed = next(NUMBERS) % EVERY == 0
        began = time.thread_time() if timed else 0.0
        for part in parts:
            part()
        if timed:
            DONE.append(time.thread_time() - began)
    return b"hi"
"""
WSGI = """
def app(environ, start_response):
    body = respond(environ["PATH_INFO"])
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
"""


def truth(bind):
    connection = http.client.HTTPConnection(bind.host, bind.port, timeout=20)
    try:
        connection.request("GET", "/truth")
        return float(connection.getresponse().read())
    finally:
        connection.close()


@pytest.mark.measure
@pytest.mark.parametrize("server", ["uvicorn", "gunicorn,worker_class=sync", "gunicorn,worker_class=gthread,threads=4"])
def test_a_known_share_is_reported(own_app, tmp_path, server, attempts):
    asgi = asgi_app(media="text/plain", body='respond(scope["path"])')
    work = WORK.replace("EVERY = 16", "EVERY = 1") if server == "uvicorn" else WORK
    target = own_app(work + (asgi if server == "uvicorn" else WSGI), server)
    point = raw_point([planned(RawRequest("GET", "/work", (), "hi", 200))], 8)
    placement = detect()
    for attempt in attempts:
        # Where the machine is quiet, 1,200 samples are enough.
        seconds = 6 if attempt == 1 else 12
        with Engine(placement.generator) as engine, serving_all([target], placement) as fleet:
            server_up = fleet.running[target.name]
            found = sample(server_up, point, engine, tmp_path, seconds, placement.generator)
            known = truth(server_up.bind)
        functions = {cost.name: cost for cost in by_function(found)}
        burnt = functions["burn (own_app.py)"]
        # A thread that waits for its CPU is sampled at one place over and over: samples say less, most of all how much
        # lies outside Python.
        quiet = found.waited < BUSY
        within = 0.03 if quiet else 0.1
        of_all = burnt.us / found.cpu_us
        of_loops = burnt.us / (burnt.us + functions["turn (own_app.py)"].us)
        if of_all == pytest.approx(known, abs=within) and of_loops == pytest.approx(0.9, abs=within):
            break
    assert of_loops == pytest.approx(0.9, abs=within)
    assert functions["respond (own_app.py)"].total_us > burnt.us
    assert of_all == pytest.approx(known, abs=within)
    for costs in (by_function(found), by_package(found)):
        assert sum(cost.us for cost in costs) == pytest.approx(found.cpu_us)
    python = [cost for cost in by_package(found) if cost.name != OUTSIDE]
    assert python[0].name == "own_app.py"


@pytest.mark.live
def test_the_command_prints_one_document_and_leaves_its_files(own_app, tmp_path):
    own_app(asgi_app(), module="shop")
    done = harness("profile", "shop:app@uvicorn", "--path", "/", "-d", "2s", "--json", "--out", "kept")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    jsonschema.validate(found, schema_of("profile"), jsonschema.Draft202012Validator)
    assert found["target"].startswith("shop")
    assert (tmp_path / found["flame_graph"]).read_text().startswith("<?xml")
    assert json.loads((tmp_path / found["speedscope"]).read_text())["profiles"]


@pytest.mark.live
def test_workers_that_would_share_a_cpu_are_not_sampled_together(own_app):
    own_app("respond = lambda path: b'hi'" + WSGI, module="shop")
    done = harness("profile", "shop:app@gunicorn,workers=2", "--path", "/", "-d", "1s", "--json", "--out", "kept")
    assert done.code == 0, done.err
    [note] = [note for note in json.loads(done.out)["notes"] if note["code"] == "fewer-workers"]
    assert (note["fields"]["workers"], note["fields"]["sampled"]) == (2, 1)


@pytest.mark.measure
def test_versus_explains_its_difference(own_app, tmp_path, monkeypatch):
    own_app(WORK + asgi_app(body='respond("/work")'), module="slow")
    own_app(WORK + asgi_app(body="respond('/')"), module="quick")
    monkeypatch.setattr("harness.cli.versus.EXPLAIN_S", 2)
    words = ("--path", "/", "--explain", "--no-control", "--json", "-c", "4", "--out", "kept")
    done = harness("versus", "slow:app@uvicorn", "quick:app@uvicorn", *words)
    assert done.code == 0, done.err
    document = json.loads(done.out)
    jsonschema.validate(document, schema_of("versus"), jsonschema.Draft202012Validator)
    found = document["explanation"]
    assert found["functions"][0]["name"] == "burn (slow.py)"
    for parts in (found["functions"], found["packages"]):
        total = sum(part["difference"] for part in parts)
        assert total == pytest.approx(found["a"]["cpu_us"] - found["b"]["cpu_us"])
    # A report of the kept run tells the same.
    assert harness("report", "kept", "--output", "kept.html").code == 0
    page = (tmp_path / "kept.html").read_text()
    assert "Where the time goes" in page
    assert "Where the difference between" in page


@pytest.mark.live
@pytest.mark.parametrize(
    ("said", "expected", "hint"),
    [
        pytest.param(
            "Permission Denied: Try running again", "does not allow ptrace", "--cap-add SYS_PTRACE", id="ptrace"
        ),
        pytest.param("Error: no idea", "py-spy failed: Error: no idea", "", id="anything else"),
        pytest.param(
            "py-spy> Sampling process 200 times a second\n\nError: no idea",
            "py-spy failed: Error: no idea",
            "",
            id="behind what it is doing",
        ),
    ],
)
def test_a_sampler_that_fails_says_why(own_app, tmp_path, monkeypatch, said, expected, hint):
    own_app(asgi_app(), module="shop")
    fake = tmp_path / "bin" / "py-spy"
    fake.parent.mkdir()
    fake.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}{os.pathsep}{os.environ['PATH']}")
    assert sampler() == str(fake)
    done = harness("profile", "shop:app@uvicorn", "--path", "/", "-q")
    assert done.code == 3
    assert expected in done.err
    assert hint in done.err
