"""Whatever a server sends, and however: each request ends in exactly one outcome, in bounded time and memory."""

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st

from harness.engine.closedloop import ClosedLoop
from harness.engine.spec import LoadSpec

from .load_support import CLOSE, HANG, OK, RESET, ask, request, run, scripted, serving

pytestmark = pytest.mark.fuzz

LIMIT = 20_000
TIMEOUT_S = 0.15
CHUNKED = OK.replace(b"Content-Length: 17\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n11\r\n") + b"\r\n0\r\n\r\n"
UNTIL_CLOSE = OK.replace(b"Content-Length: 17\r\n", b"")
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n" + OK
CLOSING = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
NOT_FOUND = OK.replace(b"200 OK", b"404 Not Found")
BASES = [OK, CHUNKED, UNTIL_CLOSE, INTERIM, CLOSING, NOT_FOUND]
KINDS = {
    "right",
    "wrong-status",
    "wrong-body",
    "wrong-type",
    "malformed",
    "truncated",
    "too-large",
    "timeout",
    "closed",
    "reset",
}


@st.composite
def replies(draw):
    """A script for one request: a reply, perhaps damaged, in pieces, and what comes after it."""
    reply = draw(st.sampled_from(BASES))
    damage = draw(st.sampled_from(["none", "none", "cut", "flip", "insert", "double", "huge", "noise"]))
    where = draw(st.integers(0, len(reply) - 1))
    if damage == "cut":
        reply = reply[:where]
    elif damage == "flip":
        reply = reply[:where] + draw(st.binary(min_size=1, max_size=1)) + reply[where + 1 :]
    elif damage == "insert":
        reply = reply[:where] + draw(st.binary(max_size=20)) + reply[where:]
    elif damage == "double":
        reply += reply[:where]
    elif damage == "huge":
        reply = reply.replace(b"17", b"999999") + b"x" * (2 * LIMIT)
    elif damage == "noise":
        reply = draw(st.binary(max_size=200))
    cuts = sorted(draw(st.sets(st.integers(1, max(1, len(reply) - 1)), max_size=4)))
    pieces = [reply[start:end] for start, end in zip([0, *cuts], [*cuts, len(reply)], strict=True)]
    if draw(st.booleans()):
        pieces.insert(draw(st.integers(0, len(pieces))), 0.005)
    return [piece for piece in pieces if piece], draw(st.sampled_from([None, None, CLOSE, RESET, HANG]))


def script(pieces, end):
    return pieces if end is None else [*pieces, end]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(replies(), min_size=1, max_size=4))
@example([([OK], None), ([OK], CLOSE), ([OK], None)])
@example([([OK], None), ([], CLOSE)])
@example([([OK], None), ([], RESET)])
def test_each_request_has_one_outcome(scripts):
    handler = scripted(*(script(*item) for item in scripts))

    async def go():
        async with serving(handler) as address:
            return await ask(address, *[request()] * (len(scripts) + 2), timeout_s=TIMEOUT_S, limit=LIMIT)

    outcomes, traffic = run(go())
    assert len(outcomes.kinds) == len(scripts) + 2
    assert set(outcomes.kinds) <= KINDS
    assert len(outcomes.service) == outcomes.kinds.count("right")
    assert traffic.retries <= len(outcomes.kinds)
    # Requests that came to the server are those that were sent, and sent again where that was counted.
    assert handler.state["requests"] <= len(outcomes.kinds) + traffic.retries


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(replies(), min_size=1, max_size=6), st.integers(1, 5))
def test_a_turn_ends_and_accounts_for_all(scripts, connections):
    handler = scripted(*(script(*item) for item in scripts))

    async def go():
        async with serving(handler) as address:
            loop = ClosedLoop(LoadSpec(address, (request(),), connections, 0.0, timeout_s=TIMEOUT_S), 0)
            try:
                return await loop.turn(0.05), loop.traffic
            finally:
                loop.close()

    turn, traffic = run(go())
    assert turn.ended - turn.started < 10
    outcomes = turn.replies + turn.wrong + turn.failed
    assert outcomes >= connections
    assert len(turn.ends) == turn.replies
    assert len(turn.failures) == turn.wrong + turn.failed
    assert set(turn.errors) <= KINDS
    assert handler.state["requests"] <= outcomes + traffic.retries
    assert all(service >= 0 for service in turn.service)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(BASES[:5]), st.sets(st.integers(1, 200), max_size=6), st.integers(2, 6))
def test_whole_replies_are_right_however_they_are_split(reply, cuts, count):
    inside = sorted(cut for cut in cuts if cut < len(reply))
    pieces = [reply[start:end] for start, end in zip([0, *inside], [*inside, len(reply)], strict=True)]
    handler = scripted([*pieces, CLOSE] if reply in (UNTIL_CLOSE, CLOSING) else pieces)

    async def go():
        async with serving(handler) as address:
            return await ask(address, *[request()] * count)

    outcomes, traffic = run(go())
    assert outcomes.kinds == ["right"] * count
    assert traffic.retries == traffic.surplus == 0
