"""What users of other load generators trip over, each with a server of its own."""

import asyncio
import contextlib
import gzip
import io
import ipaddress
import json
import resource
import socket
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.cli import load, main
from harness.cli.output import print_lines
from harness.engine.checks import decoded
from harness.engine.client import kind_of
from harness.engine.closedloop import run_closed
from harness.engine.extra import allow_connections
from harness.engine.openloop import run_open
from harness.engine.soundness import reasons
from harness.engine.spec import Address, EventsSpec, LoadSpec
from harness.engine.sse import run_events
from harness.engine.url import parse_url, reach, request_to
from harness.errors import UsageError
from harness.model.load import Latencies, LoadResult
from harness.report.language.catalogue import ENGLISH
from harness.report.load_summary import lines
from tests.cli import harness

from .load_support import CLOSE, HANG, HELLO, OK, ask, case, request, run, scripted, serving

pytestmark = pytest.mark.live

BODY = b'{"hello":"world"}'


def outcomes_of(script, *requests, **options):
    async def go():
        handler = scripted(*script)
        async with serving(handler) as address:
            outcomes, traffic = await ask(address, *requests, **options)
        return outcomes, traffic, handler.state

    return run(go())


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\nDate: %d\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: %d\r\nConnection: x\r\n\r\n"]
)
def test_the_reply_to_head_needs_no_length_to_keep_the_connection(head):
    script = [[head % number] for number in range(5)]
    outcomes, traffic, _ = outcomes_of(script, *[request("HEAD", expected=case())] * 5)
    assert outcomes.kinds == ["right"] * 5
    assert traffic.connects == 1


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\n"])
def test_the_reply_to_head_ends_the_connection_where_it_says_so(head):
    outcomes, traffic, _ = outcomes_of([[head]], *[request("HEAD", expected=case())] * 3)
    assert outcomes.kinds == ["right"] * 3
    assert traffic.connects == 3


def test_who_asks_for_the_end_of_the_connection_ends_it():
    destination = parse_url("http://h/")
    item = replace(request(), data=request_to(destination, "GET", [("connection", "Close")]).data)
    outcomes, traffic, state = outcomes_of([[OK]], *[item] * 4)
    assert outcomes.kinds == ["right"] * 4
    assert traffic.connects == state["connections"] == 4


def test_folded_header_lines_are_read():
    folded = OK.replace(b"\r\n\r\n", b"\r\nX-Long: one\r\n two\r\n\tthree\r\n\r\n", 1)
    outcomes, traffic, _ = outcomes_of([[folded]], *[request()] * 3)
    assert outcomes.kinds == ["right"] * 3
    assert traffic.connects == 1


def encoded(body, coding):
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: {coding}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    ("coding", "body", "kind"),
    [
        ("gzip", gzip.compress(BODY), "right"),
        ("deflate", zlib.compress(BODY), "right"),
        ("deflate", zlib.compress(BODY, wbits=-15), "right"),
        ("gzip, identity", gzip.compress(BODY), "right"),
        ("deflate, gzip", gzip.compress(zlib.compress(BODY)), "right"),
        ("gzip", gzip.compress(BODY.replace(b"world", b"folks")), "wrong-body"),
        ("gzip", gzip.compress(BODY)[:-9], "wrong-body"),
        ("gzip", BODY, "wrong-body"),
        ("br", BODY, "wrong-body"),
    ],
    ids=range(9),
)
def test_encoded_replies_are_compared_decoded(coding, body, kind):
    for expected in (HELLO, case(text=BODY)):
        outcomes, _, _ = outcomes_of([[encoded(body, coding)]], *[request(expected=expected)] * 3)
        assert outcomes.kinds == [kind] * 3
    outcomes, _, _ = outcomes_of([[encoded(body, coding)]], request(expected=case()))
    assert outcomes.kinds == ["right"], "nobody asked what the body is"


def test_a_reply_that_unpacks_to_more_than_any_may_be_is_refused():
    with pytest.raises(ValueError, match="very large"):
        decoded(gzip.compress(bytes(65 * 1024 * 1024), 1), "gzip")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"\x15\x03\x03\x00\x02\x02\x46", "TLS"),
        (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64", "HTTP/2"),
        (b"SSH-2.0-OpenSSH\r\n", "not HTTP/1: b'SSH-2.0-OpenSSH"),
    ],
)
def test_another_protocol_is_named(said, words):
    outcomes, _, _ = outcomes_of([[said]], request())
    assert outcomes.kinds == ["malformed"]
    assert words in outcomes.details[0]


def test_a_very_long_reply_has_its_own_name():
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + bytes(3_000_000)
    outcomes, _, _ = outcomes_of([[long]], request(expected=case()), limit=2**21)
    assert outcomes.kinds == ["too-large"]
    assert "more than 2 MiB" in outcomes.details[0]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_method_with_a_body_says_that_it_has_none(method):
    destination = parse_url("http://h/")
    assert request_to(destination, method).data.count(b"\r\nContent-Length: 0\r\n") == 1
    assert b"Content-Length" not in request_to(destination, "DELETE").data
    assert request_to(destination, method, [("content-length", "2")], b"{}").data.lower().count(b"content-length") == 1


@pytest.mark.parametrize(
    ("header", "words"),
    [(("Transfer-Encoding", "chunked"), "Transfer-Encoding"), (("content-length", "7"), "the body has 2 bytes")],
)
def test_headers_that_contradict_the_body_are_refused(header, words):
    with pytest.raises(UsageError, match=words):
        request_to(parse_url("http://h/"), "POST", [header], b"{}")


@pytest.mark.parametrize(
    ("url", "host", "authority"),
    [
        ("http://bücher.example/", "xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("http://faß.example:81/", "xn--fa-hia.example", "xn--fa-hia.example:81"),
        ("http://[fe80::1%25eth0]:8000/", "fe80::1%eth0", "[fe80::1]:8000"),
        ("127.0.0.1:8000/x", "127.0.0.1", "127.0.0.1:8000"),
        ("localhost", "localhost", "localhost"),
    ],
)
def test_hosts(url, host, authority):
    found = parse_url(url)
    assert (found.address.host, found.authority, found.scheme) == (host, authority, "http")


def test_an_address_with_a_zone_is_reached():
    lines = Path("/proc/net/if_inet6").read_text().splitlines() if Path("/proc/net/if_inet6").exists() else []
    local = next((words for line in lines if (words := line.split())[0].startswith("fe80")), None)
    if local is None:
        pytest.skip("no interface has an address that needs a zone")
    host = f"{ipaddress.IPv6Address(bytes.fromhex(local[0]))}%{local[-1]}"

    async def go():
        async with serving(scripted([OK]), host=host) as address:
            url = f"http://[{host.replace('%', '%25')}]:{address.port}/"
            found = await asyncio.to_thread(reach, parse_url(url).address)
            assert (found.host, found.authority) == (host, f"[{host.partition('%')[0]}]:{address.port}")
            return await ask(found, request())

    outcomes, _ = run(go())
    assert outcomes.kinds == ["right"]


def test_a_name_that_is_none_is_a_usage_error():
    with pytest.raises(UsageError, match="not a host name"):
        parse_url("http://\u2603\ufe0f..example/")


def test_addresses_stand_in_messages_as_in_urls():
    assert str(Address("::1", 80)) == "[::1]:80"
    assert str(Address("h", 80)) == "h:80"
    done = harness("load", "http://[::1]:1/", "-q")
    assert done.code == 3
    assert "cannot reach [::1]:1" in done.err


# Limits of this machine.


@pytest.fixture
def few_files():
    """No more than 60 files more than are open now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as last:
        resource.setrlimit(resource.RLIMIT_NOFILE, (last.fileno() + 60, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def send(address, connections):
    spec = LoadSpec(address, (request(),), connections, 0.3)
    result = await run_closed(spec, lambda progress: None, asyncio.Event())
    return result, reasons(result, spec)


def closed_loop(connections):
    async def go():
        async with serving(scripted([OK])) as address:
            return await send(address, connections)

    return run(go())


@pytest.mark.usefixtures("few_files")
def test_too_many_open_files_are_this_machines_limit():
    result, found = closed_loop(200)
    assert result.errors["no-files"] > 0
    assert found[0].code == "no-files"
    assert "ulimit -n" in ENGLISH.reason(found[0])


def test_used_up_ports_are_this_machines_limit():
    assert kind_of(OSError(99, "")) == "no-ports" or sys.platform != "linux"
    result = LoadResult("closed", 1, 1.0, 1.0, planned=7, failed=7, errors={"no-ports": 7})
    [limit, _] = reasons(result)
    assert limit.code == "no-ports"
    text = ENGLISH.reason(limit)
    assert "no port left for 7 connections" in text
    assert "widen net.ipv4.ip_local_port_range" in text


@pytest.fixture
def many_connections(tmp_path):
    """The URL of a server that takes a while for each reply, and as many connections as it is sent."""
    server = tmp_path / "server.py"
    server.write_text(SERVER)
    with subprocess.Popen([sys.executable, str(server)], stdout=subprocess.PIPE, text=True) as serving_all:
        try:
            yield f"http://127.0.0.1:{serving_all.stdout.readline().strip()}/"
        finally:
            serving_all.kill()


@pytest.mark.parametrize(
    "words",
    [("-c", "600"), ("-c", "600", "--rate", "2000"), ("-c", "600", "--sse"), ("-c", "1200", "--workers", "2")],
    ids=["closed loop", "open loop", "streams", "workers"],
)
def test_every_loop_raises_the_soft_limit_of_files(many_connections, words):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 4096:
        pytest.skip("the hard limit is too low")
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        done = harness("load", many_connections, *words, "-d", "1s", "--timeout", "60s", "-q", "--json")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    result = json.loads(done.out)
    assert (done.code, result["errors"]) == (0, {})
    assert result["connects"] >= 300, "more than the soft limit allowed"


def test_a_load_that_lacks_files_says_so_and_ends_with_4(many_connections):
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))

    words = [sys.executable, "-m", "harness.cli", "load", many_connections, "-c", "400", "-d", "1s", "-q"]
    done = subprocess.run(words, preexec_fn=few, capture_output=True, text=True, check=False)
    assert done.returncode == 4, done.stderr
    assert "this machine may open no more files" in done.stdout
    assert "it is the limit, not the server. Raise the limit (ulimit -n)" in done.stdout


SERVER = """
import asyncio, resource
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
EVENTS = b"HTTP/1.1 200 OK\\r\\nContent-Type: text/event-stream\\r\\nConnection: close\\r\\n\\r\\ndata: 1\\n\\n"
async def answer(reader, writer):
    try:
        while asked := await reader.readuntil(b"\\r\\n\\r\\n"):
            await asyncio.sleep(0.3)
            if b"event-stream" in asked:
                writer.write(EVENTS)
                return
            writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()
async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


def test_the_limit_of_files_is_not_lowered():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    allow_connections(1)
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= before[0]


# Options and streams.


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--arrivals", "poisson"), "give --rate too"),
        (("--workers", "-1"), "--workers"),
        (("--join", "-1"), "--join"),
        (("--cpu", "4096"), "there is no such CPU"),
        (("--duration", "."), "not a duration"),
    ],
)
def test_options_that_cannot_be_are_usage_errors(words, message):
    done = harness("load", "http://127.0.0.1:1/", *words)
    assert done.code == 2
    assert message in done.err


def test_a_full_disk_behind_stdout_is_an_error_without_traceback():
    commands = [["list", "servers"], ["--version"], ["schema", "load"], ["list", "servers", "--json"]]
    with socket.create_server(("127.0.0.1", 0)) as listening:
        sends = ["load", f"http://127.0.0.1:{listening.getsockname()[1]}/", "-d", "100ms", "--timeout", "100ms", "-q"]
        for words in [*commands, sends, [*sends, "--json"]]:
            err = io.StringIO()
            with open("/dev/full", "w") as full, contextlib.redirect_stdout(full), contextlib.redirect_stderr(err):
                assert main(words) == 3
            said = err.getvalue()
            assert said.startswith("harness: stdout cannot be written: No space left on device"), said


def test_a_terminal_without_utf_8_shows_question_marks():
    out = io.TextIOWrapper(io.BytesIO(), "ascii", write_through=True)
    with contextlib.redirect_stdout(out):
        assert main(["--version"]) == 0
        print_lines(["5 µs ██"])
    assert out.buffer.getvalue().endswith(b"5 ?s ??\n")


def test_a_signal_before_the_load_began_leaves_a_result_too(monkeypatch):
    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr("harness.engine.engine.Engine.__enter__", interrupted)
    listening = socket.create_server(("127.0.0.1", 0))
    try:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        done = harness("load", url)
        assert done.code == 130
        assert "interrupted before anything was sent" in done.out
        assert '"interrupted": true' in harness("load", url, "--json").out
    finally:
        listening.close()


def test_cpus_of_this_process_are_taken():
    import os

    load.check_cpus(sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0])


# What the text says.


def result(**fields):
    plain = {"connections": 4, "duration_s": 5.0, "elapsed_s": 5.0, "planned": 100, "answered": 100, "in_time": 100}
    return LoadResult("closed", **{**plain, **fields})


def said(**fields):
    return "\n".join(lines(result(**fields)))


def test_the_headline_tells_the_rate_from_the_replies_that_it_is_of():
    text = said(planned=500, answered=500, in_time=200, elapsed_s=12.5)
    assert "200 right replies in 5.0 s: 40.00/s, and 300 more until 12 s" in text
    assert "more" not in said()


def test_retries_and_reconnects_are_told():
    text = said(retries=3, reconnects=1)
    assert "3 requests were sent again" in text
    assert "1 connection was closed by the server while idle" in text


def test_redirects_are_told_where_they_are_all_there_is():
    moved = b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
    expected = case(0)
    with_them, _ = closed_loop_of([moved], request(expected=expected))
    assert with_them.redirect == "/elsewhere"
    assert "every reply is a redirect (302) to /elsewhere" in "\n".join(lines(with_them))
    assert "redirect" not in said(status={200: 50, 302: 50}, redirect="/x")


def closed_loop_of(script, item, **options):
    async def go():
        async with serving(scripted(script)) as address:
            spec = LoadSpec(address, (item,), **{"connections": 1, "duration_s": 0.3, **options})
            loop = run_closed if spec.rate is None else run_open
            found = await loop(spec, lambda progress: None, asyncio.Event())
            return found, reasons(found, spec)

    return run(go())


def test_unfinished_requests_have_an_age():
    async def go():
        async with serving(scripted([HANG])) as address:
            stop, spec = asyncio.Event(), LoadSpec(address, (request(),), 3, 30.0)
            asyncio.get_running_loop().call_later(0.4, stop.set)
            return await run_closed(spec, lambda progress: None, stop)

    found = run(go())
    assert found.unfinished == 3
    assert 0.4 <= found.oldest_s < 20
    assert "3 unfinished of 3 requests, the oldest sent" in "\n".join(lines(found))


def test_too_few_connections_are_told():
    found, _ = closed_loop_of([0.05, OK], request(), rate=100.0, duration_s=0.5)
    assert found.waited > 5
    assert f"{found.waited} of 50 requests waited for one of 1 connection: raise -c" in "\n".join(lines(found))


def test_a_delayed_ack_is_suspected():
    forty = Latencies.of(np.full(100, 40_600.0))
    assert "delayed ACK" in said(connections=1, service_time_us=forty)
    assert "delayed ACK" not in said(connections=1, service_time_us=Latencies.of(np.full(100, 60_000.0)))
    assert "delayed ACK" not in said(connections=1, service_time_us=Latencies.of(np.linspace(1_000.0, 80_000.0, 100)))


def test_times_are_said_to_be_of_right_replies_where_others_took_longer():
    times = Latencies.of(np.full(982, 1_000.0))
    text = said(planned=1000, answered=982, failed=18, errors={"timeout": 18}, timeout_s=10.0, service_time_us=times)
    assert "times of right replies; 1.8% of requests took longer than 10 s" in text


def test_the_line_of_replies_over_time_ends_with_the_sending():
    times = Latencies.of(np.full(40, 1_000.0))
    text = said(duration_s=0.3, elapsed_s=0.9, answered_steps=(10, 10, 10, 0, 0, 0, 0, 0, 10), service_time_us=times)
    assert text.splitlines()[-3] == "replies over time  ███"


# Server-sent events.

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


def events_of(*script, seconds=0.4):
    async def go():
        async with serving(scripted(script)) as address:
            spec = EventsSpec(address, 2, seconds, data=request().data)
            found = await run_events(spec, lambda progress: None, asyncio.Event())
            return found, [reason.code for reason in reasons(found, spec) if not reason.code.startswith("generator")]

    return run(go())


@pytest.mark.parametrize(
    "script",
    [
        [HEAD + b"data: 1\n\n", CLOSE],
        [b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 0.01, HEAD + b"data: 1\n\n", CLOSE],
        [b"HTTP/1.1 103 Early Hints\r\n\r\n" + HEAD + b"data: 1\n\n", CLOSE],
        [HEAD + b"\xef\xbb\xbfdata: 1\n\n", CLOSE],
        [HEAD, b"\xef", b"\xbb", b"\xbfdata: 1\n", b"\n", CLOSE],
    ],
)
def test_one_event_for_each_stream_is_sound(script):
    found, codes = events_of(*script)
    assert found.failed == 0, found.examples
    assert found.counts["events"] == found.answered > 0
    assert codes == []


def test_streams_that_are_open_at_the_end_are_told():
    found, codes = events_of(HEAD + b"data: 1\n\ndata: 2\n\n", HANG)
    assert (found.answered, found.counts) == (2, {"events": 4, "open_at_end": 2})
    assert codes == []
    text = "\n".join(lines(found))
    assert "4 events in 0.4 s: 10.00/s" in text
    assert "2 streams were still open at the end" in text


def test_streams_without_any_event_are_not_sound():
    found, codes = events_of(HEAD, HANG)
    assert (found.answered, found.unfinished) == (0, 2)
    assert codes == ["replies"]
