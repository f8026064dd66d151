"""Open loop, free-standing closed loop and streams, each accounting for every request."""

import asyncio
import time
from functools import partial

import numpy as np
import pytest

from harness.engine.closedloop import run_closed
from harness.engine.openloop import run_open
from harness.engine.soundness import reasons
from harness.engine.spec import EventsSpec, ExtraConnections, LoadSpec, WebSocketSpec
from harness.engine.sse import EventSplitter, run_events
from harness.engine.websocket import run_websocket
from harness.model.load import every

from .load_support import CLOSE, HANG, OK, RESET, echo, read_request, request, run, scripted, serving

NOT_FOUND = OK.replace(b"200 OK", b"404 Not Found")


def measure(handler, runner, make, stop_after=None):
    """``stop_after``: seconds of sending, or a negative number for seconds whether it sends or not."""

    async def go():
        async with serving(handler) as address:
            stop = asyncio.Event()
            if stop_after is not None and stop_after < 0:
                asyncio.get_running_loop().call_later(-stop_after, stop.set)

            def watch(progress):
                if stop_after is not None and 0 <= stop_after <= progress.elapsed_s:
                    stop.set()

            return await runner(make(address), watch, stop)

    return run(go())


def open_loop(handler, stop_after=None, **options):
    options = {"connections": 4, "duration_s": 0.4, "rate": 200.0, "timeout_s": 2.0} | options
    measured = measure(handler, run_open, lambda address: LoadSpec(address, (request(),), **options), stop_after)
    assert measured.planned == measured.answered + measured.failed + measured.dropped + measured.unfinished
    service, response = every(measured.service_time_us), every(measured.response_time_us)
    assert len(service) == len(response) == len(measured.trace.sent_s) == measured.answered
    assert len(measured.trace.request) == measured.answered
    assert measured.lateness_us.count == measured.planned
    assert sum(measured.answered_steps) == measured.answered
    assert sum(measured.failed_steps) == measured.failed
    assert measured.lateness_us.least >= 0
    assert (response >= service - 1e-3).all()
    return measured


def closed_loop(handler, stop_after=None, **options):
    options = {"connections": 3, "duration_s": 0.3, "timeout_s": 2.0} | options
    measured = measure(handler, run_closed, lambda address: LoadSpec(address, (request(),), **options), stop_after)
    assert measured.planned == measured.answered + measured.failed + measured.unfinished
    assert len(every(measured.service_time_us)) == measured.answered
    assert measured.in_time <= measured.answered
    return measured


@pytest.mark.parametrize("arrivals", ["constant", "poisson"])
def test_open_loop_sends_the_whole_schedule(arrivals):
    measured = open_loop(scripted([OK]), arrivals=arrivals)
    assert measured.answered == measured.planned > 40
    assert measured.status == {200: measured.planned}
    assert measured.in_flight_mean * measured.elapsed_s * 1e6 == pytest.approx(
        measured.response_time_us.total, rel=0.05
    )


def test_without_a_free_connection_a_request_waits_and_its_response_time_counts_from_the_plan():
    measured = open_loop(scripted([0.05, OK]), connections=1, rate=50.0)
    assert measured.answered == measured.planned == 20
    assert measured.waited > 10
    assert measured.response_time_us.most > 300_000
    assert np.median(measured.service_time_us.values) < measured.response_time_us.most / 2


def test_past_the_cap_requests_are_dropped_and_counted():
    measured = open_loop(scripted([0.2, OK]), connections=1, rate=100.0, in_flight_cap=3)
    assert measured.dropped > 20
    assert measured.answered + measured.dropped == measured.planned == 40
    assert [reason.fields["dropped"] for reason in reasons(measured) if reason.code == "replies"] == [measured.dropped]


@pytest.mark.parametrize(
    ("script", "kind"),
    [([NOT_FOUND], "wrong-status"), ([CLOSE], "closed"), ([RESET], "reset"), ([OK[:20], CLOSE], "truncated")],
)
def test_open_loop_counts_failures_and_no_latency_for_them(script, kind):
    measured = open_loop(scripted(script))
    assert measured.answered == measured.in_time == 0
    assert measured.response_time_us is None
    assert sum(measured.errors.values()) == measured.planned
    # A reset may reach the client as a plain close; the others are what they are.
    assert set(measured.errors) <= {kind, "closed"}
    assert (reasons(measured)[0].code, reasons(measured)[0].fields["answered"]) == ("replies", 0)


def test_a_server_that_hangs_leaves_nothing_uncounted():
    measured = open_loop(scripted([OK], [HANG]), connections=2, rate=50.0, timeout_s=0.3)
    assert measured.errors.get("timeout", 0) >= 2
    assert measured.elapsed_s < 45


@pytest.mark.parametrize("script", [[OK], [HANG]])
def test_open_loop_can_be_stopped(script):
    measured = open_loop(scripted(script), stop_after=0.3, duration_s=60.0, connections=64)
    assert 0 < measured.planned < 3000
    assert measured.duration_s < 30
    assert measured.unfinished == (measured.planned if script == [HANG] else measured.unfinished)


@pytest.mark.parametrize("script", [[OK], [HANG]])
@pytest.mark.parametrize("rate", [None, 200.0])
def test_a_load_that_is_stopped_ends_within_a_second(rate, script):
    loop = closed_loop if rate is None else partial(open_loop, rate=rate)
    begun = time.monotonic()
    measured = loop(scripted(script), stop_after=0.2, duration_s=60.0, timeout_s=60.0, connections=64)
    assert time.monotonic() - begun < 45, "a busy machine may take its time, but nothing waits for the time-out"
    assert measured.elapsed_s - measured.duration_s < 45


STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\ndata: 1\n\n"
GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


@pytest.mark.parametrize(
    ("handler", "load", "make"),
    [
        (echo(), run_websocket, lambda address: WebSocketSpec(address, 4, 60.0, 60.0, path="/ws")),
        (echo(deaf=True), run_websocket, lambda address: WebSocketSpec(address, 4, 60.0, 60.0, path="/ws")),
        (scripted([STREAM, CLOSE]), run_events, lambda address: EventsSpec(address, 4, 60.0, 60.0, data=GET)),
        (scripted([STREAM, HANG]), run_events, lambda address: EventsSpec(address, 4, 60.0, 60.0, data=GET)),
    ],
    ids=["messages", "messages without a reply", "streams that end", "streams that stay open"],
)
def test_streams_that_are_stopped_end_within_a_second(handler, load, make):
    begun = time.monotonic()
    measured = measure(handler, load, make, 0.3)
    assert time.monotonic() - begun < 45, "a busy machine may take its time, but nothing waits for the time-out"
    assert measured.duration_s < 45
    assert measured.planned == measured.answered + measured.failed + measured.unfinished
    if load is run_events:
        assert measured.counts["events"] == measured.answered, "a stream that was cut counts, as it had its event"


@pytest.mark.parametrize("rate", [None, 200.0])
def test_a_load_that_is_stopped_before_its_moment_has_sent_nothing(rate):
    options = {"connections": 4, "duration_s": 60.0, "rate": rate, "start_at": time.perf_counter() + 60}
    runner = run_closed if rate is None else run_open
    make = lambda address: LoadSpec(address, (request(),), **options)  # noqa: E731
    measured = measure(scripted([OK]), runner, make, -0.1)
    assert (measured.planned, measured.answered, measured.duration_s, measured.throughput_rps) == (0, 0, 0, None)


def test_streams_that_are_stopped_before_their_moment_have_sent_nothing():
    begin = time.perf_counter() + 60
    make = lambda address: WebSocketSpec(address, 2, 60.0, path="/ws", start_at=begin)  # noqa: E731
    measured = measure(echo(), run_websocket, make, -0.1)
    assert (measured.planned, measured.duration_s) == (0, 0)


def test_closed_loop_counts_and_keeps_every_latency():
    measured = closed_loop(scripted([OK]))
    assert measured.answered > 10
    assert measured.status == {200: measured.answered}
    assert measured.response_time_us is measured.lateness_us is None
    assert sum(measured.answered_steps) == measured.answered


def test_a_404_is_never_throughput():
    measured = closed_loop(scripted([NOT_FOUND]))
    assert measured.answered == measured.in_time == 0
    assert measured.status == {404: measured.failed}


def test_a_dead_server_is_not_hammered():
    measured = closed_loop(scripted([CLOSE]))
    assert 3 <= measured.failed <= 3 * 32


def test_closed_loop_can_be_stopped_while_the_server_hangs():
    started = time.monotonic()
    measured = closed_loop(scripted([OK], [HANG]), stop_after=0.2, duration_s=60.0, timeout_s=60.0)
    assert time.monotonic() - started < 45
    assert measured.unfinished == 3


@pytest.mark.live
def test_a_stall_shows_in_the_steps():
    begun = 0.0

    async def stalling(reader, writer):
        nonlocal begun
        while await reader.readuntil(b"\r\n\r\n"):
            begun = begun or time.monotonic()
            if 0.5 < time.monotonic() - begun < 1.0:
                await asyncio.sleep(1.0 - (time.monotonic() - begun))
            writer.write(OK)

    async def quiet(reader, writer):
        try:
            await stalling(reader, writer)
        except asyncio.IncompleteReadError:
            pass

    measured = closed_loop(quiet, duration_s=1.4)
    assert 0 in measured.answered_steps[4:12]
    assert sum(measured.answered_steps[:4]) > 0


def events(body, head=b"Content-Type: text/event-stream\r\n", status=b"200 OK"):
    return b"HTTP/1.1 " + status + b"\r\n" + head + b"\r\n" + body


def stream(handler, **options):
    options = {"connections": 2, "duration_s": 0.4, "timeout_s": 1.0} | options
    data = b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n"
    measured = measure(handler, run_events, lambda address: EventsSpec(address, data=data, **options))
    assert measured.planned == measured.answered + measured.failed + measured.unfinished
    return measured


@pytest.mark.live
def test_events_are_timed_from_the_request_to_the_first_and_between():
    measured = stream(scripted([events(b""), 0.05, b"data: 1\n\n", 0.05, b"data: 2\n\n: no event\n\n", CLOSE]))
    assert measured.answered >= 2
    assert measured.failed == 0
    assert measured.service_time_us.least >= 45_000
    assert measured.series["gap_us"].least >= 45_000
    assert measured.series["gap_us"].count <= measured.planned


@pytest.mark.live
def test_what_a_server_says_before_its_reply_is_no_part_of_the_stream():
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
    measured = stream(scripted([hints, 0.02, events(b"data: 1\n\n"), CLOSE]))
    assert measured.failed == 0
    assert measured.answered > 0
    assert set(measured.status) == {200}


@pytest.mark.live
def test_a_stream_without_end_is_cut_and_counts():
    measured = stream(scripted([events(b"data: 1\n\n"), HANG]), timeout_s=5.0)
    assert (measured.answered, measured.failed) == (2, 0)


@pytest.mark.live
@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ([events(b"", status=b"404 Not Found"), CLOSE], "wrong-status"),
        ([events(b"data: 1\n\n", head=b"Content-Type: text/plain\r\n"), CLOSE], "wrong-type"),
        ([events(b": nothing\n\n"), CLOSE], "wrong-body"),
        ([events(b"data: 1\n\n", b"Content-Type: text/event-stream\r\nContent-Length: 99\r\n"), CLOSE], "truncated"),
        ([b"nonsense\r\n\r\n", CLOSE], "malformed"),
        ([CLOSE], "truncated"),
    ],
)
def test_streams_that_are_none_are_counted(script, kind):
    measured = stream(scripted(script))
    assert measured.answered == 0
    read = sum(measured.status.values())
    assert not read or measured.failed <= read <= measured.failed + measured.unfinished
    assert set(measured.errors) == {kind}


@pytest.mark.parametrize("newline", ["\n", "\r", "\r\n"])
def test_events_are_counted_however_they_are_split(newline):
    text = "data: a\n\nevent: x\ndata\n\n: comment\n\nid: 3\n\ndata: b\ndata: c\n\ndata: unfinished"
    raw = text.replace("\n", newline).encode()
    assert EventSplitter().feed(raw) == 3
    for cut in range(1, len(raw)):
        splitter = EventSplitter()
        assert splitter.feed(raw[:cut]) + splitter.feed(raw[cut:]) == 3
    splitter = EventSplitter()
    assert sum(splitter.feed(raw[index : index + 1]) for index in range(len(raw))) == 3


def websocket(handler, **options):
    options = {"connections": 2, "duration_s": 0.3, "timeout_s": 1.0} | options
    measured = measure(handler, run_websocket, lambda address: WebSocketSpec(address, path="/ws", **options))
    assert measured.planned == measured.answered + measured.failed + measured.unfinished
    return measured


@pytest.mark.parametrize(("in_flight", "size"), [(1, 8), (5, 64), (2, 200_000)])
def test_echoes_are_checked_and_timed(in_flight, size):
    measured = websocket(echo(), in_flight=in_flight, message_bytes=size)
    assert measured.failed == measured.unfinished == 0
    assert measured.answered >= 2 * in_flight
    assert measured.series["handshake_us"].count == measured.connects == 2
    assert measured.status == {101: 2}


@pytest.mark.live
@pytest.mark.parametrize(
    ("handler", "kind"),
    [
        (echo(str.upper), "wrong-body"),
        (echo(most=3), "closed"),
        (scripted([NOT_FOUND]), "wrong-status"),
        (scripted([CLOSE]), "closed"),
        (scripted([b"nonsense\r\n\r\n"]), "malformed"),
        (scripted([HANG]), "timeout"),
    ],
)
def test_echoes_that_go_wrong_are_counted(handler, kind):
    measured = websocket(handler, timeout_s=0.2)
    assert set(measured.errors) == {kind}


@pytest.mark.live
def test_right_replies_are_told_apart_by_their_request():
    specs = (request(path="/a", name="a", weight=3), request(path="/b", name="b"))
    make = lambda address: LoadSpec(address, specs, connections=8, duration_s=0.4, rate=300.0)  # noqa: E731
    measured = measure(scripted([OK]), run_open, make)
    counts = np.bincount(measured.trace.request, minlength=2)
    assert counts.sum() == measured.answered
    assert counts[0] == pytest.approx(3 * counts[1], abs=4)


@pytest.mark.live
def test_phases_send_each_rate_for_its_time():
    measured = open_loop(scripted([OK]), phases=((300.0, 0.3), (100.0, 0.3)), duration_s=0.6, rate=300.0)
    assert measured.planned == 120
    assert measured.answered == 120


@pytest.mark.live
def test_idle_connections_are_opened_answered_and_held_beside_the_load():
    extra = ExtraConnections(idle=40, idle_data=request().data)
    measured = open_loop(scripted([OK]), extra=extra)
    assert measured.counts == {"idle_opened": 40, "idle_answered": 40, "idle_closed": 0}
    assert measured.answered == measured.planned


@pytest.mark.live
def test_idle_connections_that_the_server_closes_are_counted():
    measured = open_loop(scripted([OK, CLOSE]), extra=ExtraConnections(idle=5, idle_data=request().data))
    assert measured.counts["idle_closed"] == 5


@pytest.mark.live
def test_slow_readers_take_their_time():
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n" + b"x" * 900_000

    async def handler(reader, writer):
        while head := await read_request(reader):
            writer.write(long if b"/slow" in head else OK)
            await writer.drain()

    extra = ExtraConnections(slow=3, slow_data=request(path="/slow").data, slow_bytes=500, slow_pause_s=0.05)
    measured = open_loop(handler, extra=extra)
    assert measured.answered == measured.planned
    assert measured.counts["slow_opened"] == 3
    assert 0 < measured.counts["slow_bytes"] < 900_000
