"""The gates of a load, each on a measurement with one thing wrong."""

from dataclasses import replace

import numpy as np
import pytest

from harness.load.soundness import reasons
from harness.load.spec import LoadMeasurement
from harness.load.tally import windows

COUNT, CONNECTIONS = 1000, 10


def closed():
    """Ten connections, each with a hundred requests of 10 ms one after the other, in one second."""
    sent = np.repeat(np.arange(100) * 0.01, CONNECTIONS)
    return LoadMeasurement(
        duration_s=1.0,
        elapsed_s=1.0,
        planned=COUNT,
        answered=COUNT,
        failed=0,
        dropped=0,
        unfinished=0,
        waited=0,
        in_time=COUNT,
        sent_s=sent,
        service_time_us=np.full(COUNT, 10_000.0),
        response_time_us=None,
        lateness_us=None,
        in_flight_mean=None,
        window_s=0.1,
        windows=(100,) * 10,
        failed_windows=(0,) * 10,
        status={200: COUNT},
        errors={},
        examples={},
        generator_cpu=0.3,
    )


def opened():
    return replace(
        closed(),
        response_time_us=np.full(COUNT, 10_000.0),
        lateness_us=np.full(COUNT, 20.0),
        in_flight_mean=10.0,
        generator_cpu=1.0,
    )


@pytest.mark.parametrize("make", [closed, opened])
def test_a_sound_measurement_has_no_reasons(make):
    assert reasons(make(), CONNECTIONS) == ()


CASES = {
    "generator": (closed, {"generator_cpu": 0.97}, "generator-bound: 97% of its CPU"),
    "waited": (closed, {"generator_wait": 0.2}, "waited for its CPU 20% of the time"),
    "nothing right": (closed, {"answered": 0, "failed": COUNT, "service_time_us": np.empty(0)}, "no right reply"),
    "some failed": (closed, {"answered": COUNT - 3, "failed": 3}, "3 failed"),
    "some dropped": (opened, {"planned": COUNT + 5, "dropped": 5}, "5 dropped at the cap"),
    "one unfinished": (closed, {"planned": COUNT + 1, "unfinished": 1}, "1 unfinished"),
    "an outcome too few": (closed, {"planned": COUNT + 1}, "1001 requests, but 1000 outcomes"),
    "a sample too few": (closed, {"service_time_us": np.full(COUNT - 1, 10_000.0)}, "but 999 service times"),
    "late": (opened, {"lateness_us": np.linspace(0, 2000, COUNT)}, "lateness p99 above 1 ms: 2.0 ms"),
    "Little, closed": (closed, {"service_time_us": np.full(COUNT, 9_700.0)}, "Little's law off by 3%"),
    "Little, open": (opened, {"response_time_us": np.full(COUNT, 9_000.0)}, "Little's law off by 10%"),
}


@pytest.mark.parametrize("name", CASES)
def test_each_gate_fires(name):
    make, change, reason = CASES[name]
    measured = replace(make(), **change)
    if "service_time_us" in change and len(change["service_time_us"]) != COUNT:
        measured = replace(measured, sent_s=measured.sent_s[: len(change["service_time_us"])])
    assert any(reason in found for found in reasons(measured, CONNECTIONS))


def test_an_interrupted_load_is_not_blamed_for_what_it_left():
    measured = replace(closed(), planned=COUNT + 5, unfinished=5, interrupted=True)
    assert reasons(measured, CONNECTIONS) == ()


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
def test_windows_hold_every_moment(moments, duration, counts):
    found = windows(np.array(moments, dtype=np.float64), duration)
    assert found == counts
