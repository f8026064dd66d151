"""The gates of a load, each on a measurement with one thing wrong."""

from dataclasses import replace

import numpy as np
import pytest

from harness.engine import soundness
from harness.engine.soundness import reasons
from harness.engine.spec import Address, EventsSpec, LoadSpec, WireRequest
from harness.engine.tally import steps
from harness.model.load import Latencies, LoadResult, Trace
from harness.model.reason import Reason
from harness.report.language.catalogue import ENGLISH

from .load_support import case

COUNT, CONNECTIONS = 1000, 10


def asking(*least_s, weights=None):
    """A load of as many requests, each with a wait."""
    weighted = zip(least_s, weights or (1,) * len(least_s), strict=True)
    requests = tuple(WireRequest(case(least_ms=1000 * least), b"", weight) for least, weight in weighted)
    return LoadSpec(Address(), requests, CONNECTIONS, 1.0)


ORDER = asking(0.01)


def same(count, us):
    return Latencies.of(np.full(count, us))


def closed():
    """Ten connections, each with a hundred requests of 10 ms one after the other, in one second."""
    sent = np.repeat(np.arange(100) * 0.01, CONNECTIONS)
    return LoadResult(
        loop="closed",
        connections=CONNECTIONS,
        duration_s=1.0,
        elapsed_s=1.0,
        planned=COUNT,
        answered=COUNT,
        in_time=COUNT,
        service_time_us=same(COUNT, 10_000.0),
        trace=Trace(sent, np.zeros(COUNT, np.int32)),
        status={200: COUNT},
        generator_cpu=0.3,
    )


def opened():
    return replace(
        closed(),
        loop="open",
        response_time_us=same(COUNT, 10_000.0),
        lateness_us=same(COUNT, 20.0),
        in_flight_mean=10.0,
        generator_cpu=1.0,
    )


@pytest.mark.parametrize("make", [closed, opened])
def test_a_sound_measurement_has_no_reasons(make):
    assert reasons(make(), ORDER) == ()


CASES = {
    "generator": (closed, {"generator_cpu": 0.97}, "generator-bound", "at 97% of its CPU"),
    "waited": (closed, {"generator_wait": 0.2}, "generator-starved", "waited for its CPU 20% of the time"),
    "nothing right": (
        closed,
        {"answered": 0, "failed": COUNT, "service_time_us": None},
        "replies",
        "0 of 1,000 requests got the right reply",
    ),
    "some failed": (closed, {"answered": COUNT - 3, "failed": 3}, "replies", "3 failed"),
    "some dropped": (
        opened,
        {"planned": COUNT + 5, "dropped": 5},
        "replies",
        "1,000 of 1,005 requests got the right reply (0 failed, 5 dropped",
    ),
    "one unfinished": (closed, {"planned": COUNT + 1, "unfinished": 1}, "replies", "1 unfinished"),
    "an outcome too few": (closed, {"planned": COUNT + 1}, "request-counts", "1,000 outcomes instead of 1,001"),
    "a sample too few": (
        closed,
        {"service_time_us": same(COUNT - 1, 10_000.0), "trace": None},
        "time-counts",
        "999 service times instead of 1,000",
    ),
    "late": (opened, {"lateness_us": Latencies.of(np.linspace(0, 2000, COUNT))}, "generator-late", "p99 2.0 ms"),
    "Little, closed": (closed, {"service_time_us": same(COUNT, 9_700.0)}, "littles-law", "9.70 requests in flight"),
    "Little, open": (opened, {"response_time_us": same(COUNT, 9_000.0)}, "littles-law", "9.00 requests in flight"),
}


@pytest.mark.parametrize("name", CASES)
def test_each_gate_fires_alone_and_says_what_it_is_about(name):
    make, change, code, text = CASES[name]
    found = {reason.code: ENGLISH.reason(reason) for reason in reasons(replace(make(), **change), ORDER)}
    assert text in found[code]
    # What is missing from a count is missing from the times as well.
    assert set(found) <= {code, "time-counts"}


def test_the_words_name_the_worker_that_found_it():
    assert ENGLISH.reason(Reason("generator-bound", {"cpu": 0.9, "worker": "worker 2 (b)"})).startswith(
        "worker 2 (b): "
    )
    assert (
        ENGLISH.reason(Reason("worker-lost", {"worker": "worker 2 (b)", "why": "silent"}))
        == "worker 2 (b): lost: silent"
    )
    assert "50 ms off" in ENGLISH.reason(Reason("clock-uncertain", {"worker": "a", "off_s": 0.05}))
    assert "1.00 to 2.00 s" in ENGLISH.reason(Reason("uneven", {"shortest_s": 1.0, "longest_s": 2.0}))


def test_an_interrupted_load_is_not_blamed_for_what_it_left():
    assert reasons(replace(closed(), planned=COUNT + 5, unfinished=5, interrupted=True), ORDER) == ()


def shortened(count, to_us):
    times = np.full(COUNT, 10_000.0)
    times[:count] = to_us
    return times


@pytest.mark.parametrize(
    ("order", "times", "text"),
    [
        # 10 ms are asked for: a timer may fire 1 ms early, and one reply in a hundred may be odd.
        (ORDER, shortened(COUNT, 9_100.0), ""),
        (ORDER, shortened(COUNT // 100, 500.0), ""),
        (ORDER, shortened(COUNT // 100 + 1, 500.0), "11 of 1,000 replies came before the wait of 10 ms"),
        (ORDER, shortened(COUNT, 400.0), "1,000 of 1,000 replies came before the wait"),
        # Of a mix, as many may be as short as its weights say.
        (asking(0.0, 0.01), shortened(500, 100.0), ""),
        (asking(0.0, 0.01), shortened(520, 100.0), "520 of 1,000 replies"),
        (asking(0.0, 0.01, weights=(1, 9)), shortened(500, 100.0), "500 of 1,000 replies"),
        (asking(0.002, 0.01), shortened(500, 100.0), "500 of 1,000 replies came before the wait of 2 ms"),
    ],
)
def test_a_wait_that_is_not_waited_is_seen(order, times, text):
    found = soundness.early(times, order.requests)
    assert ENGLISH.reason(found).startswith(text) if text else found is None
    gates = {reason.code: reason for reason in reasons(replace(closed(), service_time_us=Latencies.of(times)), order)}
    assert gates.get("early") == found


def test_an_open_loop_holds_each_request_to_its_own_wait():
    """Half of the requests wait, and these are the ones that came at once: the mix as a whole looks right."""
    order, waits = asking(0.0, 0.01), np.arange(COUNT, dtype=np.int32) % 2
    trace = replace(opened().trace, request=waits)
    right = replace(opened(), trace=trace, service_time_us=Latencies.of(np.where(waits == 1, 10_000.0, 100.0)))
    assert "early" not in [reason.code for reason in reasons(right, order)]
    swapped = replace(right, service_time_us=Latencies.of(np.where(waits == 0, 10_000.0, 100.0)))
    [found] = [reason for reason in reasons(swapped, order) if reason.code == "early"]
    assert ENGLISH.reason(found).startswith("500 of 500 replies came before the wait of 10 ms")


@pytest.mark.parametrize(("gap_us", "fires"), [(10_000.0, False), (9_100.0, False), (5_000.0, True), (0.0, True)])
def test_events_are_as_far_apart_as_was_asked(gap_us, fires):
    order = EventsSpec(Address(), CONNECTIONS, 1.0, data=b"", gap_s=0.01)
    jitter = np.resize([-gap_us / 2, gap_us / 2], COUNT)
    result = replace(closed(), loop="stream", series={"gap_us": Latencies.of(np.full(COUNT, gap_us) + jitter)})
    texts = [ENGLISH.reason(reason) for reason in reasons(result, order) if reason.code == "early-events"]
    assert [text.startswith(f"events came {gap_us / 1000:.1f} ms apart") for text in texts] == [True] * fires


@pytest.mark.parametrize(
    ("moments", "duration", "counts"),
    [
        ([], 0.3, (0, 0, 0)),
        ([0.0, 0.05, 0.1, 0.29], 0.3, (2, 1, 1)),
        ([0.35], 0.2, (0, 0, 0, 1)),
        ([0.2], 0.2, (0, 1)),
        ([], 0.25, (0, 0, 0)),
    ],
)
def test_steps_hold_every_moment(moments, duration, counts):
    found = steps(np.array(moments, dtype=np.float64), duration, np.zeros(0, np.int64))
    assert tuple(found.tolist()) == counts
