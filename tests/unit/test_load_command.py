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

from harness.commands.load import LoadRequest, build, run
from harness.errors import NotReadyError, UsageError
from harness.load.document import percentiles
from harness.load.spec import Address, EventsSpec, LoadSpec, WebSocketSpec
from harness.load.url import parse_headers, parse_url, request_bytes
from harness.render.load_summary import histogram, timeline

from .test_load_slot import server

TIMES = ("p50", "p90", "p99", "p999", "max", "mean")


def command(url, **options):
    out, err = io.StringIO(), io.StringIO()
    options = {"connections": 4, "duration": "300ms", "seed": 1} | options
    code = run(LoadRequest(url, **options), Console(file=out, width=120), Console(file=err, width=120))
    return code, out.getvalue(), err.getvalue()


@pytest.fixture(scope="module")
def url():
    with server() as (port, _):
        yield f"http://127.0.0.1:{port}/path"


def test_a_closed_loop_as_json(url):
    code, out, err = command(url, as_json=True)
    document = json.loads(out)
    assert code == 0
    assert document["requests"] == document["answered"] > 0
    assert document["status"] == {"200": document["requests"]}
    assert document["errors"] == {}
    assert document["throughput_rps"] > 0
    assert tuple(document["service_time_us"]) == TIMES
    assert document["response_time_us"] is document["lateness_us"] is None
    assert isinstance(document["validity"], list)
    assert document["seed"] == 1
    assert document["generator_cpu"] > 0
    assert url in err


def test_an_open_loop_as_json(url):
    code, out, _ = command(url, as_json=True, rate=100.0, arrivals="poisson", quiet=True)
    document = json.loads(out)
    assert code == 0
    for name in ("service_time_us", "response_time_us", "lateness_us"):
        assert tuple(document[name]) == TIMES
        assert list(document[name].values())[:5] == sorted(list(document[name].values())[:5])


def test_text_shows_figures_and_a_histogram(url):
    code, out, err = command(url, quiet=True)
    assert code == 0
    assert "closed loop, concurrency 4" in out
    assert "p999" in out
    assert "█" in out
    assert err == ""


def test_an_expectation_that_fails_is_exit_code_1(url):
    assert command(url, expect_body='{"hello":"world"}')[0] == 0
    code, out, _ = command(url, expect_status=404)
    assert code == 1
    assert "wrong-status" in out
    assert "no right reply" in out
    assert command(url, expect_body="x")[0] == 1


def test_ctrl_c_prints_what_was_measured(url):
    out, err = io.StringIO(), io.StringIO()

    def interrupt():
        deadline = time.monotonic() + 60
        while "replies/s" not in err.getvalue() and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    request = LoadRequest(url, connections=4, duration="120s", as_json=True)
    code = run(request, Console(file=out), Console(file=err, width=120, force_terminal=True))
    thread.join()
    document = json.loads(out.getvalue())
    assert code == 130
    assert document["interrupted"]
    assert document["answered"] > 0


def test_nothing_there_is_not_ready():
    with pytest.raises(NotReadyError, match=r"cannot reach 127\.0\.0\.1:1"):
        command("http://127.0.0.1:1/")
    with pytest.raises(NotReadyError, match="cannot reach"):
        command("http+unix://%2Fnowhere%2Fsocket/")


@pytest.mark.parametrize(
    ("url", "options", "message"),
    [
        ("localhost:8000", {}, "not an http:// or ws:// URL"),
        ("https://localhost/", {}, "TLS"),
        ("http://", {}, "not an http:// or ws:// URL"),
        ("http://localhost:99999/", {}, "not a URL"),
        ("http://me@localhost/", {}, "user name"),
        ("http://localhost/", {"connections": 0}, "--connections"),
        ("http://localhost/", {"processes": 0}, "--processes"),
        ("http://localhost/", {"processes": 5}, "--processes"),
        ("http://localhost/", {"rate": 0.0}, "--rate"),
        ("http://localhost/", {"rate": float("nan")}, "--rate"),
        ("http://localhost/", {"duration": "soon"}, "--duration"),
        ("http://localhost/", {"timeout": "0"}, "--timeout"),
        ("http://localhost/", {"headers": ("nonsense",)}, "not a header"),
        ("http://localhost/", {"sse": True, "rate": 5.0}, "--rate"),
        ("ws://localhost/", {"rate": 5.0}, "--rate"),
        ("ws://localhost/", {"sse": True}, "--sse"),
        ("ws://localhost/", {"bodies": ("x",)}, "--body"),
    ],
)
def test_wrong_arguments_say_what_is_wrong(url, options, message):
    with pytest.raises(UsageError, match=message):
        command(url, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"arrivals": "often"}, "--arrivals"),
        ({"bodies": ("@/no/such/file",)}, "--body"),
        ({"expect_body": "@/no/such/file"}, "--expect-body"),
        ({"method": "GE T"}, "HTTP method"),
    ],
)
def test_wrong_arguments_that_only_plain_requests_have(url, options, message):
    with pytest.raises(UsageError, match=message):
        command(url, **options)


def test_what_is_built(url, tmp_path):
    body = tmp_path / "body"
    body.write_bytes(b"\x00\x01")
    spec = build(LoadRequest(url, bodies=("{}", f"@{body}"), headers=("X-A: b",), rate=5.0), 9)
    assert isinstance(spec, LoadSpec)
    assert [item.method for item in spec.requests] == ["POST", "POST"]
    assert b"Content-Type: application/json\r\nContent-Length: 2\r\nX-A: b\r\n\r\n{}" in spec.requests[0].data
    assert spec.requests[1].data.endswith(b"Content-Length: 2\r\nX-A: b\r\n\r\n\x00\x01")
    assert (spec.seed, spec.rate, spec.requests[0].expected.statuses) == (9, 5.0, (200, 399))
    streams = build(LoadRequest(url, sse=True), 1)
    assert isinstance(streams, EventsSpec)
    assert b"Accept: text/event-stream" in streams.data
    echoes = build(LoadRequest(url.replace("http", "ws"), messages_in_flight=3), 1)
    assert isinstance(echoes, WebSocketSpec)
    assert (echoes.path, echoes.in_flight) == ("/path", 3)


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
    data = request_bytes(parse_url("http://h/"), "PUT", headers, b"{}")
    assert data.count(b"\r\nhost: other") == 1
    assert b"Host: h" not in data
    assert b"application/json" not in data
    with pytest.raises(UsageError):
        parse_headers(["X: a\r\nY: b"])


def test_percentiles_are_samples_and_nothing_is_nothing():
    table = percentiles(np.arange(1.0, 1001.0))
    assert table == {"p50": 500, "p90": 900, "p99": 990, "p999": 999, "max": 1000, "mean": 500.5}
    assert percentiles(np.empty(0)) is percentiles(None) is None


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
