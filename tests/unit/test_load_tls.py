"""TLS: certificates that are accepted and refused, handshakes apart from requests, over every kind of load."""

import asyncio
import datetime
import json
import os
import ssl
import subprocess
import sys
import threading
from contextlib import asynccontextmanager, closing, contextmanager

import pytest
import trustme

from harness.engine.closedloop import run_closed
from harness.engine.openloop import run_open
from harness.engine.slices import SliceRunner
from harness.engine.soundness import reasons
from harness.engine.spec import Address, EventsSpec, LoadSpec, SideSpec, SlicesSpec, WebSocketSpec
from harness.engine.sse import run_events
from harness.engine.url import parse_url
from harness.engine.websocket import run_websocket
from harness.errors import UsageError
from harness.model.address import Tls
from harness.prepare.choose import select_elsewhere
from harness.prepare.remote import MixedFleet, raw_scenario, remote_target
from harness.serve.guard import Guard
from harness.serve.servers import Bind
from tests.cli import harness

from .load_support import CLOSE, OK, ask, case, echo, finish, request, run, scripted

pytestmark = pytest.mark.live

HOST = "127.0.0.1"
AUTHORITY = trustme.CA()
CA = AUTHORITY.cert_pem.bytes().decode()
GOOD = AUTHORITY.issue_cert(HOST, "localhost")
PAST = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
EXPIRED = AUTHORITY.issue_cert(HOST, not_before=PAST, not_after=PAST + datetime.timedelta(1))
ELSEWHERE = AUTHORITY.issue_cert("elsewhere.example")
OWN = trustme.CA()
SELF_SIGNED = trustme.LeafCert(OWN.private_key_pem.bytes(), OWN.cert_pem.bytes(), [])
CLOSING = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
TRUSTED = Tls(HOST, CA)


def context_of(certificate):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


@asynccontextmanager
async def serving(handler, certificate=GOOD, tls=TRUSTED, seen=None):
    context = context_of(certificate)
    if seen is not None:
        context.sni_callback = lambda sock, name, _: seen.append(name)

    async def guarded(reader, writer):
        try:
            if seen is not None:
                seen.append(writer.get_extra_info("ssl_object").selected_alpn_protocol())
            await handler(reader, writer)
        except ConnectionError:
            pass
        finally:
            await finish(writer)

    server = await asyncio.start_server(guarded, HOST, 0, ssl=context)
    try:
        yield Address(HOST, server.sockets[0].getsockname()[1], tls=tls)
    finally:
        server.close()


@contextmanager
def in_thread(handler, certificate=GOOD):
    """The same server in a loop of its own; yields its port."""
    ready, ports, ends = threading.Event(), [], []

    async def main():
        stop = asyncio.Event()
        ends.append((asyncio.get_running_loop(), stop))
        async with serving(handler, certificate) as address:
            ports.append(address.port)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    assert ready.wait(60)
    try:
        yield ports[0]
    finally:
        loop, stop = ends[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)


def outcomes_of(handler, *requests, **options):
    async def go():
        async with serving(handler, **options) as address:
            return await ask(address, *requests)

    return run(go())


def silent(progress):
    pass


def test_requests_over_one_connection_need_one_handshake():
    outcomes, traffic = outcomes_of(scripted([OK], [OK[:30], OK[30:]]), *[request()] * 5)
    assert outcomes.kinds == ["right"] * 5
    assert (traffic.connects, len(traffic.handshakes)) == (1, 1)
    assert traffic.handshakes[0] > 0


def test_a_handshake_for_every_connection_and_apart_from_its_request():
    outcomes, traffic = outcomes_of(scripted([OK, CLOSE]), *[request()] * 4)
    assert outcomes.kinds == ["right"] * 4
    assert len(traffic.handshakes) == traffic.connects == 4


def test_no_session_is_resumed():
    resumed = []

    async def answer(reader, writer):
        resumed.append(writer.get_extra_info("ssl_object").session_reused)
        await scripted([OK, CLOSE])(reader, writer)

    outcomes, _ = outcomes_of(answer, *[request()] * 4)
    assert outcomes.kinds == ["right"] * 4
    assert resumed == [False] * 4


def test_the_name_and_the_protocol_are_told_to_the_server():
    seen = []
    outcomes, _ = outcomes_of(scripted([OK]), request(), tls=Tls("localhost", CA), seen=seen)
    assert outcomes.kinds == ["right"]
    assert seen == ["localhost", "http/1.1"]


def test_large_bodies_both_ways():
    body = bytes(range(256)) * 8_000

    async def back(reader, writer):
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                return
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length + await reader.readexactly(length))
            await writer.drain()

    item = request("POST", expected=case(text=body), body=body)
    outcomes, traffic = outcomes_of(back, item, item)
    assert outcomes.kinds == ["right"] * 2
    assert len(traffic.handshakes) == 1


REFUSED = {
    "expired": (EXPIRED, TRUSTED, "its certificate is not accepted: certificate has expired"),
    "wrong host": (ELSEWHERE, TRUSTED, f"not accepted: IP address mismatch, certificate is not valid for '{HOST}'"),
    "wrong name": (GOOD, Tls("other.example", CA), "Hostname mismatch, certificate is not valid for 'other.example'"),
    "unknown authority": (GOOD, Tls(HOST), "not accepted: unable to get local issuer certificate"),
    "self-signed": (SELF_SIGNED, TRUSTED, "not accepted: self-signed certificate"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_certificates_that_are_refused(name):
    certificate, tls, words = REFUSED[name]
    outcomes, traffic = outcomes_of(scripted([OK]), request(), certificate=certificate, tls=tls)
    assert outcomes.kinds == ["tls"]
    assert words in outcomes.details[0]
    assert not traffic.handshakes
    unchecked = Tls(tls.server_name, verify=False)
    outcomes, _ = outcomes_of(scripted([OK]), request(), certificate=certificate, tls=unchecked)
    assert outcomes.kinds == ["right"]


@pytest.mark.parametrize("rate", [None, 200.0])
def test_loads_are_sound_though_every_request_opens_a_connection(rate):
    async def go():
        async with serving(scripted([CLOSING, CLOSE])) as address:
            spec = LoadSpec(address, (request(),), 2, 1.0, rate)
            result = await (run_closed if rate is None else run_open)(spec, silent, asyncio.Event())
        return result, reasons(result, spec)

    result, found = run(go())
    # Where the machine is very busy, one or the other may time out.
    assert 0 < result.answered <= result.series["tls_handshake_us"].count <= result.connects <= result.planned
    assert "littles-law" not in [reason.code for reason in found]


def test_sides_that_take_turns():
    async def go():
        async with serving(scripted([OK])) as address:
            side = SideSpec("a", "p", address, (request(),), 2, least_replies=1)
            return await SliceRunner(SlicesSpec((side,), 1, 0.3), silent, asyncio.Event()).run()

    [side] = run(go()).sides
    assert side.answered > 0
    assert side.errors == {}


def test_streams():
    events = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\ndata: 1\n\ndata: 2\n\n"
    data = request().data

    async def go(load, handler):
        async with serving(handler) as address:
            return await load(address)

    streams = run(
        go(lambda at: run_events(EventsSpec(at, 2, 0.3, data=data), silent, asyncio.Event()), scripted([events, CLOSE]))
    )
    assert streams.answered > 0
    assert streams.failed == 0
    assert streams.series["tls_handshake_us"].count == streams.connects
    echoes = run(go(lambda at: run_websocket(WebSocketSpec(at, 2, 0.3, path="/"), silent, asyncio.Event()), echo()))
    assert echoes.answered > 0
    assert echoes.series["tls_handshake_us"].count == 2


@pytest.mark.parametrize(
    ("url", "port", "authority", "scheme"),
    [
        ("https://h/", 443, "h", "http"),
        ("https://h:8443/", 8443, "h:8443", "http"),
        ("https://h:443/", 443, "h:443", "http"),
        ("wss://[::1]/", 443, "[::1]", "ws"),
    ],
)
def test_urls(url, port, authority, scheme):
    found = parse_url(url, insecure=True)
    assert (found.address.port, found.authority, found.scheme) == (port, authority, scheme)
    assert found.address.tls.server_name == found.address.host
    assert not found.address.tls.verify


def test_options_of_certificates(tmp_path):
    with pytest.raises(UsageError, match="has no certificate"):
        parse_url("http://h/", insecure=True)
    with pytest.raises(UsageError, match="No such file"):
        parse_url("https://h/", cacert=str(tmp_path / "none"))
    (tmp_path / "wrong").write_text("hello")
    with pytest.raises(UsageError, match="holds no certificate"):
        parse_url("https://h/", cacert=str(tmp_path / "wrong"))


def test_the_command(tmp_path):
    file = tmp_path / "ca.pem"
    file.write_text(CA)
    words = ["-c", "2", "-d", "300ms", "-q"]
    with in_thread(scripted([OK])) as port:
        done = harness("load", f"https://{HOST}:{port}/", "--cacert", str(file), "--json", *words)
        result = json.loads(done.out)
        assert (done.code, result["errors"]) == (0, {})
        assert result["series"]["tls_handshake_us"]["count"] == 2
        text = harness("load", f"https://{HOST}:{port}/", "--insecure", *words).out
        assert "tls handshake" in text
        refused = harness("load", f"https://{HOST}:{port}/", *words)
        assert refused.code == 3
        assert refused.err.splitlines() == [
            f"harness: cannot reach {HOST}:{port}: its certificate is not accepted: "
            "unable to get local issuer certificate",
            "  --cacert FILE names who is trusted, --insecure checks nothing",
        ]


def test_the_systems_authorities_are_trusted(tmp_path):
    file = tmp_path / "ca.pem"
    file.write_text(CA)
    with in_thread(scripted([OK])) as port:
        words = ["load", f"https://{HOST}:{port}/", "-c", "2", "-d", "300ms", "-q", "--json"]
        done = subprocess.run(
            [sys.executable, "-m", "harness.cli", *words],
            env={**os.environ, "SSL_CERT_FILE": str(file)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, json.loads(done.stdout)["errors"]) == (0, {}), done.stderr


@pytest.mark.parametrize(
    ("certificate", "words"),
    [
        (EXPIRED, "certificate has expired"),
        (ELSEWHERE, f"IP address mismatch, certificate is not valid for '{HOST}'"),
        (SELF_SIGNED, "self-signed certificate"),
    ],
    ids=["expired", "wrong host", "self-signed"],
)
def test_the_command_refuses_a_certificate_in_one_line(tmp_path, certificate, words):
    file = tmp_path / "ca.pem"
    file.write_text(CA)
    with in_thread(scripted([OK]), certificate) as port:
        done = harness("load", f"https://{HOST}:{port}/", "--cacert", str(file), "-d", "300ms", "-q")
    assert done.code == 3
    assert done.err.splitlines() == [
        f"harness: cannot reach {HOST}:{port}: its certificate is not accepted: {words}",
        "  --cacert FILE names who is trusted, --insecure checks nothing",
    ]


def test_the_command_sends_messages_over_tls(tmp_path):
    file = tmp_path / "ca.pem"
    file.write_text(CA)
    with in_thread(echo()) as port:
        words = ("--cacert", str(file), "-c", "2", "-d", "300ms", "-q", "--json")
        done = harness("load", f"wss://{HOST}:{port}/", *words)
    result = json.loads(done.out)
    assert (done.code, result["errors"]) == (0, {})
    assert result["answered"] > 0


def test_a_tls_port_that_says_nothing_is_named():
    with in_thread(scripted([OK])) as port:
        done = harness("load", f"http://{HOST}:{port}/", "-c", "1", "-d", "300ms", "-q")
    assert done.code == 4
    assert "not sound: the server speaks TLS there: write https:// or wss://" in done.out


def test_a_plain_port_is_named():
    async def plain(reader, writer):
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async def bad():
        server = await asyncio.start_server(plain, HOST, 0)
        try:
            return await ask(Address(HOST, server.sockets[0].getsockname()[1], tls=TRUSTED), request())
        finally:
            server.close()

    outcomes, _ = run(bad())
    assert outcomes.kinds == ["tls"]
    assert "does not speak TLS there: write http://" in outcomes.details[0]


def test_targets_elsewhere(tmp_path):
    file = tmp_path / "ca.pem"
    file.write_text(CA)
    with in_thread(scripted([OK])) as port:
        url = f"https://{HOST}:{port}/x"
        target, stranger = remote_target(url, str(file)), remote_target(f"stranger={url}")
        assert (target.name, target.options) == (f"{HOST}:{port}", {"cacert": str(file)})
        assert remote_target(url, insecure=True).options == {"insecure": True}
        [planned] = raw_scenario([target], 4).requests
        assert (planned.raw.path, planned.raw.body) == ("/x", '{"hello":"world"}')
        guard = Guard()
        with closing(guard), MixedFleet(guard) as fleet:
            fleet.start([target, stranger])
            assert fleet.running[target.name].bind == Bind(HOST, port, tls=TRUSTED)
            assert "certificate is not accepted" in fleet.failures["stranger"].reason.text


def test_run_takes_urls_with_certificates(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with in_thread(scripted([OK])) as port:
        words = ("run", "--url", f"https://{HOST}:{port}/x", "--dry-run")
        refused, planned = harness(*words), harness(*words, "--insecure")
    assert refused.code == 3
    assert "its certificate is not accepted" in refused.err
    assert planned.code == 0, planned.err
    assert "2 targets, 1 point" in planned.out, "it and its control"


def test_journeys_take_no_options_of_certificates():
    with pytest.raises(UsageError, match="not for journeys"):
        select_elsewhere([f"https://{HOST}:1/"], ["journey"], 1, insecure=True)


def test_two_urls_are_compared(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "ca.pem"
    file.write_text(CA)
    # So much slower that the first look ends it.
    with in_thread(scripted([0.005, OK])) as slow, in_thread(scripted([OK])) as quick:
        sides = [f"one=https://{HOST}:{slow}/x", f"other=https://{HOST}:{quick}/x"]
        refused = harness("versus", *sides)
        assert refused.code == 3
        assert "its certificate is not accepted" in refused.err
        assert "--cacert FILE names who is trusted" in refused.err
        words = ("--cacert", str(file), "--budget", "15s", "--no-control", "-c", "2", "--json")
        done = harness("versus", *sides, *words)
    found = json.loads(done.out)
    assert done.code == (4 if found["ratio"] is None else 0), done.err
    assert (found["a"], found["metric"], found["point"]) == ("one", "throughput", "GET /x@2")
    windows = (tmp_path / found["folder"] / "windows.jsonl").read_text().splitlines()
    results = [side for window in windows for side in json.loads(window)["sides"]]
    assert {side["target"] for side in results if side["answered"]} == {"one", "other"}
    assert not any(side["errors"] for side in results)
