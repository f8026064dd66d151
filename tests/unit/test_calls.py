"""The calls to the upstream service, expected and counted."""

import numpy as np
import pytest

from harness.engine.spec import SideOutcome
from harness.model import PlannedRequest, Point
from harness.session.calls import calls_of, expected_calls, gates

EMPTY = np.empty(0)


def point(*requests):
    return Point("p", "p", {}, 8, requests)


def request(calls):
    return PlannedRequest("io-upstream", "", {"ms": 5, "calls": calls})


def outcome(answered, unanswered=0):
    return SideOutcome(EMPTY, answered=answered, unanswered=unanswered)


@pytest.mark.parametrize(
    ("planned", "calls"),
    [
        (request(3), 3),
        (PlannedRequest("io-upstream", "one-call"), 1),
        (PlannedRequest("io-upstream", "calls-zero"), 0),
        (PlannedRequest("json", "valid"), 0),
    ],
)
def test_a_request_makes_as_many_calls_as_it_says(planned, calls):
    assert calls_of(planned) == calls


def test_failures_and_mixes_leave_a_range():
    assert expected_calls([point(request(3)), point(request(2))], [outcome(10), outcome(5)]) == (40, 40)
    assert expected_calls([point(request(3))], [outcome(10, 2)]) == (30, 36)
    assert expected_calls([point(request(3), PlannedRequest("json", "valid"))], [outcome(10)]) == (0, 30)


@pytest.mark.parametrize(("counted", "fires"), [(30, False), (29, True), (31, True)])
def test_the_gate_fires_where_the_count_is_another(counted, fires):
    found = gates({"upstream_calls": float(counted)}, [point(request(3))], [outcome(10)])
    assert [gate.reason.code for gate in found] == ["upstream-count"] * fires
    assert all(gate.reason.fields == {"counted": counted, "least": 30, "most": 30} for gate in found)
