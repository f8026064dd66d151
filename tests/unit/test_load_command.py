"""``harness load`` from its arguments to its document, its text and its exit code."""

import io
import json
import os
import signal
import threading
import time

import numpy as np
import pytest
from rich.console import Console

from harness.cli import load
from harness.config.requests import parse_headers
from harness.engine.spec import Address
from harness.engine.url import parse_url, request_to
from harness.errors import UsageError
from harness.model.load import LoadResult
from harness.report.load_summary import histogram, lines, timeline
from tests.cli import harness

from .test_load_slices import server

TIMES = ("p50", "p90", "p99", "p999", "max", "mean")


def command(url, *words):
    done = harness("load", url, "-c", "4", "-d", "300ms", "--seed", "1", *words)
    return done.code, done.out, done.err


@pytest.fixture(scope="module")
def url():
    with server() as (port, _):
        yield f"http://127.0.0.1:{port}/path"


def test_a_closed_loop_as_json(url):
    code, out, err = command(url, "--json")
    document = json.loads(out)
    assert code == 0
    assert (document["loop"], document["connections"], document["url"]) == ("closed", 4, url)
    assert document["planned"] == document["answered"] > 0
    assert document["status"] == {"200": document["planned"]}
    assert document["errors"] == {}
    assert document["throughput_rps"] > 0
    assert set(document["service_time_us"]) >= set(TIMES)
    assert document["response_time_us"] is document["lateness_us"] is None
    assert isinstance(document["reasons"], list)
    assert document["seed"] == 1
    assert document["generator_cpu"] > 0
    assert url in err


def test_an_open_loop_as_json(url):
    code, out, _ = command(url, "--json", "--rate", "100", "--arrivals", "poisson", "-q")
    document = json.loads(out)
    assert code == 0
    for name in ("service_time_us", "response_time_us", "lateness_us"):
        times = [document[name][each] for each in TIMES[:5]]
        assert times == sorted(times)


def test_text_shows_figures_and_a_histogram(url):
    code, out, err = command(url, "-q")
    assert code == 0
    assert "closed loop, concurrency 4" in out
    assert "p999" in out
    assert "█" in out
    assert err == ""


def test_an_expectation_that_fails_is_exit_code_1(url):
    assert command(url, "--expect-body", '{"hello":"world"}')[0] == 0
    code, out, _ = command(url, "--expect-status", "404")
    assert code == 1
    assert "wrong-status" in out
    assert "no right reply" in out
    assert command(url, "--expect-body", "x")[0] == 1


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_prints_what_was_measured(url, monkeypatch, number, expected):
    shown = io.StringIO()
    monkeypatch.setattr(load, "errors", lambda quiet: Console(file=shown, width=120, force_terminal=True))

    def interrupt():
        deadline = time.monotonic() + 60
        while "replies/s" not in shown.getvalue() and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=interrupt)
    thread.start()
    code, out, _ = command(url, "-d", "120s", "--json")
    thread.join()
    document = json.loads(out)
    assert code == expected
    assert document["interrupted"]
    assert document["answered"] > 0
    assert "interrupted after" in "\n".join(lines(LoadResult.from_json(document)))


def test_nothing_there_is_not_ready():
    for url in ("http://127.0.0.1:1/", "http+unix://%2Fnowhere%2Fsocket/"):
        code, _, err = command(url)
        assert code == 3
        assert "cannot reach" in err


@pytest.mark.parametrize(
    ("url", "words", "message"),
    [
        ("http://", (), "not an http://, https://, ws:// or wss:// URL"),
        ("http://localhost:99999/", (), "not a URL"),
        ("http://me@localhost/", (), "user name"),
        ("http://localhost/", ("-c", "0"), "--connections: Input should be greater than or equal to 1"),
        ("http://localhost/", ("--workers", "1000"), "--workers"),
        ("http://localhost/", ("--rate", "0"), "--rate"),
        ("http://localhost/", ("--rate", "nan"), "--rate"),
        ("http://localhost/", ("--duration", "soon"), "--duration: 'soon' is not a duration"),
        ("http://localhost/", ("--timeout", "0"), "--timeout"),
        ("http://localhost/", ("-H", "nonsense"), "not a header"),
        ("http://localhost/", ("--sse", "--rate", "5"), "--rate"),
        ("ws://localhost/", ("--rate", "5"), "--rate"),
        ("ws://localhost/", ("--sse",), "--sse"),
        ("ws://localhost/", ("--body", "x"), "--body"),
        ("http://localhost/", ("--arrivals", "often"), "--arrivals"),
    ],
)
def test_wrong_arguments_say_what_is_wrong(url, words, message):
    code, _, err = command(url, *words)
    assert code == 2
    assert message in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--body", "@/no/such/file"), "--body"),
        (("--expect-body", "@/no/such/file"), "--expect-body"),
        (("-X", "GE T"), "HTTP method"),
    ],
)
def test_wrong_arguments_that_only_plain_requests_have(url, words, message):
    code, _, err = command(url, *words)
    assert code == 2
    assert message in err


def test_a_request_for_each_body():
    bodies = [b"{}", b"\x00\x01"]
    requests = [request_to(parse_url("http://h/path"), "POST", (("X-A", "b"),), body) for body in bodies]
    assert b"X-A: b\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}" in requests[0].data
    assert requests[1].data.endswith(b"application/octet-stream\r\nContent-Length: 2\r\n\r\n\x00\x01")
    assert request_to(parse_url("http://h/path"), "").data == b"GET /path HTTP/1.1\r\nHost: h\r\n\r\n"


@pytest.mark.parametrize(
    ("url", "address", "target", "authority"),
    [
        ("http://localhost", Address("localhost", 80), "/", "localhost"),
        ("http://h:8000/a?b=c&d", Address("h", 8000), "/a?b=c&d", "h:8000"),
        ("http://[::1]:9/x", Address("::1", 9), "/x", "[::1]:9"),
        ("http://h/a b/ü?q=ü", Address("h", 80), "/a%20b/%C3%BC?q=%C3%BC", "h"),
        ("http://h/a%20b", Address("h", 80), "/a%20b", "h"),
        ("http+unix://%2Ftmp%2Fs/x", Address(path="/tmp/s"), "/x", "localhost"),
    ],
)
def test_urls(url, address, target, authority):
    found = parse_url(url)
    assert (found.address.path, found.target, found.authority) == (address.path, target, authority)
    assert address.path or found.address == address


def test_headers_given_replace_those_that_are_guessed():
    headers = parse_headers(["host: other", "Content-Type:text/plain", "X-Empty:"])
    data = request_to(parse_url("http://h/"), "PUT", headers, b"{}").data
    assert data.count(b"\r\nhost: other") == 1
    assert b"Host: h" not in data
    assert b"application/json" not in data
    with pytest.raises(UsageError):
        parse_headers(["X: a\r\nY: b"])


def test_histogram_holds_every_sample():
    rng = np.random.default_rng(1)
    rows = histogram(rng.lognormal(5, 1, 5000))
    assert sum(int(row.split()[-1].replace(",", "")) for row in rows) == 5000
    assert histogram(np.array([5.0, 5.0]))[0].endswith("2")


def test_timeline_shows_a_stall_as_a_gap():
    assert timeline([10, 10, 0, 5]) == "██ ▄"
    assert timeline([]) == ""
    assert timeline([0, 0]) == "  "
    assert len(timeline([1] * 1000)) <= 60
