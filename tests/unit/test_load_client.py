"""The client against servers that say what each test has them say: every request ends in exactly one outcome."""

import asyncio
import json
import socket

import pytest

from apps.contract.case import JSON
from harness.engine.checks import MEMO_BYTES, MEMO_ENTRIES, MEMO_TOTAL, ReplyCheck
from harness.engine.spec import Address
from harness.model.difference import json_difference

from .load_support import CLOSE, HANG, HELLO, OK, RESET, ask, case, read_request, request, run, scripted, serving

BODY = b'{"hello":"world"}'
TYPE = b"Content-Type: application/json\r\n"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\n" + TYPE + b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"hel\r\nc\r\nlo":"world"}\r\n0\r\n\r\n'
)
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n" + TYPE + b"\r\n" + BODY
CLOSING = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
OLD = OK.replace(b"HTTP/1.1", b"HTTP/1.0")
INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + OK
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n" + BODY
NOTHING = case(204)
EMPTY = case(text=b"")


def outcomes_of(handler, *requests, **options):
    async def go():
        async with serving(handler) as address:
            return await ask(address, *requests, **options)

    return run(go())


RIGHT = {
    "content length": ([OK], HELLO),
    "chunked": ([CHUNKED], HELLO),
    "until close": ([UNTIL_CLOSE, CLOSE], HELLO),
    "connection close": ([CLOSING, CLOSE], HELLO),
    "http 1.0": ([OLD, CLOSE], HELLO),
    "interim replies": ([INTERIM], HELLO),
    "204": ([b"HTTP/1.1 204 No Content\r\n\r\n"], NOTHING),
    "304": ([b"HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n"], case(304)),
    "empty body": ([b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"], EMPTY),
    "head and body apart": ([OK[:-17], OK[-17:]], HELLO),
    "pause within": ([OK[:30], 0.05, OK[30:]], HELLO),
    "gzip, chunked": ([CHUNKED.replace(b": chunked", b": gzip, chunked")], HELLO),
    "trailers": ([CHUNKED[:-2] + b"X-Sum: 1\r\n\r\n"], HELLO),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_replies(name):
    script, expected = RIGHT[name]
    item = request(expected=expected)
    outcomes, traffic = outcomes_of(scripted(script), *[item] * 6)
    assert outcomes.kinds == ["right"] * 6
    closes = CLOSE in script
    assert traffic.connects == (6 if closes else 1)
    assert traffic.retries == traffic.surplus == 0


@pytest.mark.parametrize("reply", [OK, CHUNKED, INTERIM, CLOSING], ids=["length", "chunked", "interim", "closing"])
def test_a_reply_may_be_split_at_every_byte(reply):
    scripts = [[reply[:cut], reply[cut:], *([CLOSE] if reply is CLOSING else [])] for cut in range(1, len(reply))]
    item = request()
    outcomes, _ = outcomes_of(scripted(*scripts), *[item] * (len(scripts) + 3))
    assert outcomes.kinds == ["right"] * (len(scripts) + 3)


def test_a_reply_may_come_byte_by_byte():
    outcomes, _ = outcomes_of(scripted([bytes([byte]) for byte in CHUNKED]), *[request()] * 2)
    assert outcomes.kinds == ["right"] * 2


def test_head_has_no_body_whatever_its_headers_say():
    head = OK[:-17]
    outcomes, traffic = outcomes_of(scripted([head]), *[request("HEAD", expected=HELLO)] * 3)
    assert outcomes.kinds == ["right"] * 3
    assert traffic.connects == 1


WRONG = {
    "404": ([NOT_FOUND], HELLO, "wrong-status"),
    "500 with the right body": ([OK.replace(b"200 OK", b"500 Oh")], HELLO, "wrong-status"),
    "another body": ([OK.replace(b"world", b"folks")], HELLO, "wrong-body"),
    "not json": ([OK.replace(b"}", b"]")], HELLO, "wrong-body"),
    "other bytes": ([OK], case(text=b"hello"), "wrong-body"),
    "another type": ([OK.replace(b"application/json", b"text/html")], HELLO, "wrong-type"),
    "no type": ([OK.replace(TYPE, b"")], HELLO, "wrong-type"),
    "outside the statuses": ([NOT_FOUND], case(0), "wrong-status"),
    "surplus": ([OK + b"more"], HELLO, "malformed"),
    "two replies": ([OK + OK], HELLO, "malformed"),
    "not http": ([b"SSH-2.0-OpenSSH\r\n\r\n", CLOSE], HELLO, "malformed"),
    "bad length": ([b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"], HELLO, "malformed"),
    "bad chunk": ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"], HELLO, "malformed"),
    "101 unasked": (
        [b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"],
        HELLO,
        "malformed",
    ),
    "truncated head": ([OK[:20], CLOSE], HELLO, "truncated"),
    "truncated body": ([OK[:-3], CLOSE], HELLO, "truncated"),
    "truncated chunks": ([CHUNKED[:-5], CLOSE], HELLO, "truncated"),
    "only an interim reply": ([b"HTTP/1.1 100 Continue\r\n\r\n", CLOSE], HELLO, "truncated"),
    "reset in the body": ([OK[:-3], 0.02, RESET], HELLO, "reset"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_replies_are_counted_under_their_own_name(name):
    script, expected, kind = WRONG[name]
    outcomes, _ = outcomes_of(scripted(script), *[request(expected=expected)] * 3)
    assert outcomes.kinds == [kind] * 3
    assert outcomes.service == []


def test_surplus_to_a_head_request_is_malformed():
    outcomes, _ = outcomes_of(scripted([OK]), request("HEAD"))
    assert outcomes.kinds == ["malformed"]


def test_a_reply_past_the_limit_is_too_large_and_is_not_kept():
    huge = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"
    outcomes, _ = outcomes_of(scripted([huge, *[b"x" * 50_000] * 40]), request(expected=case()), limit=500_000)
    assert outcomes.kinds == ["too-large"]


def test_endless_headers_are_too_large():
    lines = b"".join(b"X-%d: %s\r\n" % (index, b"y" * 100) for index in range(3000))
    outcomes, _ = outcomes_of(scripted([b"HTTP/1.1 200 OK\r\n", lines]), request(), limit=100_000)
    assert outcomes.kinds == ["too-large"]


def test_silence_times_out_and_the_next_request_goes_on():
    outcomes, traffic = outcomes_of(scripted([OK], [HANG], [OK]), *[request()] * 3, timeout_s=0.2)
    assert outcomes.kinds == ["right", "timeout", "right"]
    assert traffic.connects == 2


def test_half_a_reply_times_out():
    outcomes, _ = outcomes_of(scripted([OK[:40], HANG]), request(), timeout_s=0.2)
    assert outcomes.kinds == ["timeout"]


def test_a_closed_port_refuses_each_request():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        outcomes, _ = run(ask(Address(port=port), *[request()] * 3))
    assert outcomes.kinds == ["refused"] * 3


def test_a_missing_unix_socket_refuses(tmp_path):
    outcomes, _ = run(ask(Address(path=str(tmp_path / "none")), request()))
    assert outcomes.kinds == ["refused"]


def test_unix_sockets_and_ipv6(tmp_path):
    async def unix():
        async with serving(scripted([OK]), str(tmp_path / "socket")) as address:
            return await ask(address, *[request()] * 3)

    outcomes, _ = run(unix())
    assert outcomes.kinds == ["right"] * 3

    async def six():
        async with serving(scripted([OK]), host="::1") as address:
            return await ask(address, request())

    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    outcomes, _ = run(six())
    assert outcomes.kinds == ["right"]


def test_a_connection_closed_while_idle_is_reopened_without_an_error():
    outcomes, traffic = outcomes_of(scripted([OK, CLOSE]), *[request()] * 3, pause_s=0.1)
    assert outcomes.kinds == ["right"] * 3
    assert (traffic.connects, traffic.reconnects, traffic.retries) == (3, 2, 0)


def test_bytes_nobody_asked_for_end_an_idle_connection():
    outcomes, traffic = outcomes_of(scripted([OK, 0.03, OK], [OK]), *[request()] * 2, pause_s=0.2)
    assert outcomes.kinds == ["right"] * 2
    assert traffic.surplus == 1


@pytest.mark.parametrize("end", [CLOSE, RESET])
def test_a_kept_connection_closed_under_a_request_is_tried_once_more(end):
    outcomes, traffic = outcomes_of(scripted([OK], [end], [OK]), *[request()] * 2)
    assert outcomes.kinds == ["right"] * 2
    assert (traffic.retries, traffic.connects) == (1, 2)


def test_it_is_tried_once_more_and_no_more():
    outcomes, traffic = outcomes_of(scripted([OK], [CLOSE]), *[request()] * 2)
    assert outcomes.kinds == ["right", "closed"]
    assert traffic.retries == 1


def test_a_post_is_never_sent_twice():
    handler = scripted([OK], [CLOSE], [OK])
    outcomes, traffic = outcomes_of(handler, *[request("POST", body=b"{}")] * 2)
    assert outcomes.kinds == ["right", "closed"]
    assert traffic.retries == 0
    assert handler.state["requests"] == 2


def test_a_fresh_connection_closed_without_a_reply_is_an_error():
    outcomes, traffic = outcomes_of(scripted([CLOSE]), *[request()] * 2)
    assert outcomes.kinds == ["closed"] * 2
    assert traffic.retries == 0


def test_large_bodies_both_ways():
    body = bytes(range(256)) * 20_000

    async def echo(reader, writer):
        while item := await read_request(reader):
            sent = item.partition(b"\r\n\r\n")[2]
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(sent) + sent)
            await writer.drain()

    outcomes, traffic = outcomes_of(echo, *[request("POST", expected=case(text=body), body=body)] * 3)
    assert outcomes.kinds == ["right"] * 3
    assert traffic.connects == 1


def test_a_reply_before_the_whole_request_was_read_counts_and_ends_the_connection():
    refused = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n"
    item = request("POST", expected=case(413), body=b"x" * 30_000_000)

    async def early(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(refused)
        await writer.drain()
        await asyncio.sleep(0.2)

    outcomes, traffic = outcomes_of(early, item, item)
    assert outcomes.kinds == ["right"] * 2
    assert traffic.connects == 2


def test_no_connection_is_opened_before_a_request():
    handler = scripted([OK])

    async def go():
        async with serving(handler) as address:
            await ask(address)
            await asyncio.sleep(0.05)
            return handler.state["connections"]

    assert run(go()) == 0


def test_replies_that_vary_are_each_checked():
    replies = [OK.replace(b"Content-Type", b"X-N: %d\r\nContent-Type" % index) for index in range(3 * MEMO_ENTRIES)]
    replies[-1] = replies[-1].replace(b"world", b"folks")
    outcomes, _ = outcomes_of(scripted(*([reply] for reply in replies)), *[request()] * len(replies))
    assert outcomes.kinds == ["right"] * (len(replies) - 1) + ["wrong-body"]


def test_a_remembered_reply_is_remembered_for_its_own_request_only():
    other = request(expected=case(text=b"other"), name="other")
    item = request()
    outcomes, _ = outcomes_of(scripted([OK]), item, item, other, item)
    assert outcomes.kinds == ["right", "right", "wrong-body", "right"]


def test_a_remembered_reply_with_surplus_is_malformed():
    outcomes, _ = outcomes_of(scripted([OK], [OK], [OK + b"H"]), *[request()] * 3)
    assert outcomes.kinds == ["right", "right", "malformed"]


def test_what_is_remembered_is_bounded():
    check = ReplyCheck(request())
    for index in range(10 * MEMO_ENTRIES):
        raw = b"%d" % index * 20
        check.remember(raw, [3, len(raw)], 200, keep_alive=True)
        check.judge(200, "application/json", json.dumps({"n": index}).encode())
    assert len(check._known) <= MEMO_ENTRIES
    assert len(check._heads) <= MEMO_ENTRIES
    assert len(check._bodies) <= MEMO_ENTRIES


def test_large_replies_are_remembered_and_bounded_by_their_bytes(monkeypatch):
    check = ReplyCheck(request(expected=case(json={}, media_type=JSON)))
    read, kinds = [], []
    monkeypatch.setattr(ReplyCheck, "_json_fault", lambda self, body: read.append(body) or "")
    bodies = [b"%d" % index + b" " * (MEMO_BYTES - 20) for index in range(2 * MEMO_TOTAL // MEMO_BYTES)]
    for body in bodies:
        kinds += [check.judge(200, "application/json", body)[0] for _ in range(3)]
        check.remember(body, [MEMO_BYTES // 2, len(body)], 200, keep_alive=True)
        for memo in (check._bodies, check._known, check._heads):
            assert sum(len(each) for each in memo) <= MEMO_TOTAL
    assert read == bodies
    assert set(kinds) == {""}


def test_volatile_keys_may_vary_but_must_be_there():
    expected = case(json={"id": 1, "at": "x"}, volatile=("at",))
    check = ReplyCheck(request(expected=expected))
    assert check.judge(200, "", b'{"id": 1, "at": "later"}') == ("", "")
    assert check.judge(200, "", b'{"id": 1, "at": 5}') == ("wrong-body", "hello: at is 5 instead of 'x'")
    assert check.judge(200, "", b'{"id": 1}') == ("wrong-body", "hello: the reply: lacks at")
    assert check.judge(200, "", b'{"id": 2, "at": "x"}')[0] == "wrong-body"
    assert check.judge(200, "", b"[" * 100_000)[0] == "wrong-body"


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        (1, 1.0, False),
        (True, 1, False),
        (0, False, False),
        ({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}, True),
        ({"a": [True]}, {"a": [1]}, False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ([1, 2], [2, 1], False),
        ([1], [1, 2], False),
        ("1", 1, False),
        (None, False, False),
    ],
)
def test_json_equality(a, b, equal):
    assert (json_difference(a, b) == "") is equal


def test_it_works_without_uvloop(tmp_path):
    async def go(path):
        async with serving(scripted([OK], [CLOSING, CLOSE], [NOT_FOUND], [OK[:9], CLOSE], [HANG]), path) as address:
            return await ask(address, *[request()] * 5, timeout_s=0.3)

    for path in (None, str(tmp_path / "socket")):
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            outcomes, traffic = runner.run(go(path))
        assert outcomes.kinds == ["right", "right", "wrong-status", "truncated", "timeout"]
        assert traffic.connects == 3
