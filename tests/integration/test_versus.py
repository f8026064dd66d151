"""``harness versus`` as its user runs it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests import cli
from tests.conftest import asgi_app
from tests.integration.test_command import harness
from tests.unit.test_load_slices import server

pytestmark = pytest.mark.usefixtures("no_process_left")
BUDGET = ("--budget", "60s", "--no-control")
WSGI = """
import os

WORK = range(int(os.environ.get("WORK", "0")))

def app(environ, start_response):
    sum(WORK)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"hi"]
"""


@pytest.mark.quiet
def test_two_apps_of_ones_own_and_the_faster_side_passes_a_gate(own_app, tmp_path):
    own_app(asgi_app(), module="quick")
    own_app(asgi_app(before="sum(range(20000))"), module="slow")
    sides, gate = ("quick:app@uvicorn", "slow:app@uvicorn"), ("--fail-if-slower", "3%")
    done = harness("versus", *sides, *BUDGET, *gate, "--json", "--seed", "1", folder=tmp_path)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert done.returncode == (4 if found["ratio"] is None else 0), done.stderr
    wanted = {"a", "b", "metric", "ratio", "ci_low", "ci_high", "verdict", "blocks", "duration_s", "validity"}
    assert wanted <= set(found)
    assert (found["a"], found["b"]) == ("A", "B")
    said = {note["fields"]["target"]: note["fields"]["text"] for note in found["notes"] if note["code"] == "side-is"}
    assert said == {"A": "quick:app@uvicorn", "B": "slow:app@uvicorn"}
    if found["verdict"] != "not-measurable":
        assert found["ratio"] < 0.8
    assert (Path(tmp_path) / found["folder"] / "windows.jsonl").exists()
    again = harness("report", found["folder"], folder=tmp_path)
    assert again.returncode == 0, again.stderr
    assert found["verdict"] == "not-measurable" or "times the CPU per request of B" in again.stdout
    assert "\nAgain: harness versus quick:app@uvicorn slow:app@uvicorn --" in again.stdout


@pytest.mark.live
def test_a_wsgi_app_in_an_environment_of_its_own(own_app, tmp_path):
    own_app(WSGI, module="plain")
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--system-site-packages", environment], check=True, timeout=120)
    python = environment / "bin" / "python"
    site = next(Path(sys.prefix).glob("lib/python*/site-packages"))
    own = next(environment.glob("lib/python*/site-packages"))
    (own / "shared.pth").write_text(f"{site}\n")
    # So much dearer that the first look ends it.
    sides = (f"plain:app@gunicorn,python={python},threads=2,env.WORK=20000", "plain:app@gunicorn,worker_class=sync")
    words = ("--budget", "30s", "--no-control", "--path", "/x?y=1", "--path", "/", "--json")
    done = harness("versus", *sides, *words, folder=tmp_path)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert done.returncode == (4 if found["ratio"] is None else 0), done.stderr
    assert {found["a"], found["b"]} == {"A", "B"}


@pytest.mark.live
def test_an_injected_slowdown_fails_a_gate(own_app, tmp_path):
    own_app(asgi_app(), module="quick")
    own_app(asgi_app(before="sum(range(20000))"), module="slow")
    words = (*BUDGET, "--fail-if-slower", "3%", "--json")
    done = harness("versus", "slow:app@uvicorn", "quick:app@uvicorn", *words, folder=tmp_path)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert done.returncode == (4 if found["ci_low"] is None else 1), done.stderr


@pytest.mark.measure
def test_what_runs_at_a_url_is_compared_with_an_app(own_app, tmp_path):
    # So much slower that the first look ends it.
    own_app(asgi_app(before="sum(range(50000))", body='b\'{"hello":"world"}\''), module="shop")
    with server() as (port, _):
        sides = (f"there=http://127.0.0.1:{port}/x", "shop:app@uvicorn,name=here,env.PEER=http://127.0.0.1")
        done = harness("versus", *sides, "--budget", "30s", "--json", folder=tmp_path)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert done.returncode == (4 if found["ratio"] is None else 0), done.stderr
    assert (found["a"], found["b"], found["metric"], found["point"]) == ("there", "here", "throughput", "GET /x@32")
    codes = [note["code"] for note in (*found["notes"], *found["validity"])]
    assert codes.count("elsewhere") == 1
    assert not {"replies-differ", "no-cpu-access", "foreign-cpu"}.intersection(codes)
    again = harness("report", found["folder"], folder=tmp_path)
    assert again.returncode == 0, again.stderr
    assert f"\nAgain: harness versus there=http://127.0.0.1:{port}/x shop:app@uvicorn" in again.stdout


URL = "http://127.0.0.1:1/x"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            (URL, URL, "--metric", "cpu_cost"),
            f"--metric cpu_cost: {URL} is not started here, and its CPU cannot be read",
        ),
        ((URL, "shop:app@uvicorn", "--metric", "instructions"), f"--metric instructions: {URL} is not started here"),
        ((URL, URL, "--explain"), f"--explain: {URL} is not started here"),
        ((URL, URL, "--setup", "true"), f"--setup: {URL} is not started here"),
        ((URL, URL, "--with-b", "flask"), "--with-b is for an app that is started here"),
        ((URL, "--against", "main"), "is a URL, not a target"),
        ((URL, URL, "--path", "/y"), "the URL's path /x and other requests exclude each other"),
        ((URL, "http://127.0.0.1:1/y"), "the URLs have different paths: /x, /y"),
        ((URL, "ws://127.0.0.1:1/x"), "only http:// and https:// are compared"),
        (("shop:app@uvicorn", "shop:app@uvicorn", "--insecure"), "--insecure are for https:// sides"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_a_url_does_not_take_is_refused(tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    done = cli.harness("versus", *words)
    assert (done.code, done.out) == (2, ""), done.err
    assert message in done.err
