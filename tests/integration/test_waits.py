"""Apps that do not wait, as verification and the gates see them."""

from __future__ import annotations

import pytest

from harness.engine.engine import Engine
from harness.engine.spec import LoadSpec, SlicesSpec
from harness.engine.wire import side_spec
from harness.model import PlannedRequest, Scenario
from harness.plan.points import point_at
from harness.report.language.catalogue import ENGLISH
from harness.serve import serving
from harness.session.validity import examine
from harness.verify import case_of, verify

pytestmark = [pytest.mark.live, pytest.mark.usefixtures("no_process_left")]
REQUEST = PlannedRequest("io-sleep", "", {"ms": 50})
POINT = point_at(Scenario("io-sleep", "Waiting", "move", "", (REQUEST,), (64,), wait_ms="50"), {}, 64)
APP = """
import asyncio

busy = 0

async def app(scope, receive, send):
    global busy
    if scope["type"] != "http":
        return
    busy += 1
    if scope["path"] == "/io/sleep" and {waits}:
        await asyncio.sleep(0.05)
    body = b'{{"slept_ms": 50}}'
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({{"type": "http.response.start", "status": 200, "headers": headers}})
    await send({{"type": "http.response.body", "body": body}})
    busy -= 1
"""


def judged(own_app, waits):
    """How verification finds the reply, and whether the gates of a slot and of a load name the missing wait."""
    with serving(own_app(APP.format(waits=waits))) as running, Engine() as engine:
        [checked] = verify(running, [("io-sleep", case_of(REQUEST))])
        side = side_spec(POINT, running)
        measured = engine.run_slices(SlicesSpec((side,), 1, 0.5))
        gates = {gate.reason.code: gate for gate in examine([side], measured)}
        order = LoadSpec(side.address, side.requests, side.connections, 0.3)
        reasons = {reason.code: ENGLISH.reason(reason) for reason in engine.run_load(order).reasons}
    return checked.difference, gates.get("early"), reasons.get("early", "")


def test_who_waits_passes(own_app):
    assert judged(own_app, "True") == ("", None, "")


def test_who_answers_at_once_is_found_by_verification(own_app):
    difference, gate, reason = judged(own_app, "False")
    assert "expected at least 50 ms: the app does not wait" in difference
    assert gate
    assert reason


def test_who_waits_while_nobody_else_asks_is_found_by_the_gates(own_app):
    difference, gate, reason = judged(own_app, "busy == 1")
    assert difference == ""
    assert gate.reason.fields["wait_ms"] == 50
    assert "replies came before the wait of 50 ms" in reason
