"""Items 1, 2, 3 and 9 of the known truth, against a server whose service time is set.

The limits are loose, since other processes may run on the machine; ``harness selftest`` holds the narrow ones.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.engine.engine import Engine
from harness.engine.soundness import reasons
from harness.engine.spec import LoadSpec
from harness.model.load import Latencies, Trace
from harness.selftest.queue_checks import (
    CLOSED_CONNECTIONS,
    check_missing,
    check_stall,
    check_throttled,
    lindley,
    lindley_errors,
    md1_mean,
    open_spec,
    request,
    stall_quantile,
)
from harness.selftest.server import queue_server

pytestmark = pytest.mark.measure


@pytest.mark.parametrize(("rho", "mean"), [(0.0, 1.0), (0.5, 1.5), (0.7, 2.1667), (0.8, 3.0)])
def test_md1_means(rho, mean):
    assert md1_mean(rho) == pytest.approx(mean, abs=1e-4)


@pytest.mark.parametrize("rho", [-0.1, 1.0, 2.0])
def test_md1_has_no_mean_without_a_steady_state(rho):
    with pytest.raises(ValueError, match="utilization"):
        md1_mean(rho)


def test_lindley_by_hand():
    sends = np.array([0.0, 0.5, 0.6, 5.0, 5.0])
    np.testing.assert_allclose(lindley(sends, 1.0), [1.0, 1.5, 2.4, 1.0, 2.0])


def test_lindley_over_a_long_poisson_schedule_is_md1():
    rng = np.random.default_rng(1)
    sends = np.cumsum(rng.exponential(1 / 0.7, 400_000))
    assert lindley(sends, 1.0).mean() == pytest.approx(md1_mean(0.7), rel=0.02)


def test_the_stall_of_the_protocol():
    assert stall_quantile(0.01, 200, 20, 1.0, 0.001) == pytest.approx(0.84)


def load(rho, service_s, duration_s):
    with Engine() as engine, queue_server(service_s) as server:
        measured = engine.run_load(open_spec(server, rho / service_s, duration_s, 5))
    assert measured.answered == measured.planned
    assert measured.service_time_us.least >= service_s * 1e6 * 0.999
    return measured


@pytest.mark.parametrize("rho", [0.3, 0.7])
def test_each_request_is_predicted_from_its_send(rho, attempts):
    """Of those that wait for others: a delay of the machine adds to the times of all that come behind it."""
    service_s = 0.004
    for _ in attempts:
        measured = load(rho, service_s, 2.0)
        waited = lindley(np.sort(measured.trace.sent_s), service_s) > 1.2 * service_s
        error = np.quantile(lindley_errors(measured, service_s)[waited], 0.25)
        if error < service_s / 4:
            break
    assert error < service_s / 4


def test_the_mean_response_time_is_that_of_the_queue(attempts):
    service_s, rho = 0.004, 0.5
    for _ in attempts:
        measured = load(rho, service_s, 3.0)
        own = lindley(np.sort(measured.planned_s), service_s).mean()
        assert own == pytest.approx(md1_mean(rho) * service_s, rel=0.2)
        excess = measured.response_time_us.values.mean() * 1e-6 / own - 1
        if excess < 0.25:
            break
    assert -0.01 < excess < 0.25


def test_a_stall_shows_in_response_time_and_not_in_a_closed_loop():
    with Engine() as engine:
        response, naive, windows = check_stall(engine, 0.001, 200, 4.0, 0.5)
    # Other processes can only add to it; half of the stall lost would be a generator that waits for replies.
    assert response.expected * 0.85 < response.measured < response.expected + 2000
    assert naive.measured < response.measured / 2
    assert windows.measured >= 3


def test_404_answers_are_no_throughput():
    with Engine() as engine:
        checks = check_missing(engine, 0.5)
    assert [check for check in checks if not check.passed] == []


def test_a_throttled_generator_is_late_and_says_so():
    with Engine() as engine:
        [check] = check_throttled(engine, 1.5)
    assert check.passed


@pytest.fixture(scope="module")
def sound():
    """Measurements of an open and a closed loop with nothing wrong but what the machine does."""
    with Engine() as engine, queue_server(0.002) as server:
        opened = engine.run_load(open_spec(server, 150, 3.0, 1))
        closed = engine.run_load(LoadSpec(server.address, (request(),), CLOSED_CONNECTIONS, 2.0))
    return opened, closed


def gates(measured):
    return [reason.code for reason in reasons(measured) if reason.code in ("littles-law", "request-counts")]


def test_nothing_fires_on_untouched_samples(sound):
    assert [gates(measured) for measured in sound] == [[], []]


def every_second(measured, **changes):
    """Every second sample dropped."""
    trace = Trace(measured.trace.sent_s[::2], measured.trace.request[::2])
    times = {
        name: Latencies.of(getattr(measured, name).values[::2])
        for name in ("service_time_us", "response_time_us")
        if getattr(measured, name) is not None
    }
    return replace(measured, trace=trace, **times, **changes)


def half(measured):
    """Every second sample dropped, and its count with it."""
    kept = len(measured.service_time_us.values[::2])
    return every_second(measured, planned=kept, answered=kept)


def shrunk(latencies):
    return None if latencies is None else Latencies.of(latencies.values * 0.9)


SABOTAGE = {
    "dropped samples": every_second,
    "dropped requests": half,
    "a request without an outcome": lambda m: replace(m, planned=m.planned + 1),
    "wrong timestamps": lambda m: replace(
        m, service_time_us=shrunk(m.service_time_us), response_time_us=shrunk(m.response_time_us)
    ),
}


@pytest.mark.parametrize("how", SABOTAGE)
@pytest.mark.parametrize("loop", ["open", "closed"])
def test_sabotage_fires_a_gate(sound, loop, how):
    assert gates(SABOTAGE[how](sound[loop == "closed"]))
