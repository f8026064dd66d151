"""Schedules of the open loop."""

import numpy as np
import pytest

from harness.engine.pacing import schedule


@pytest.mark.parametrize(
    ("rate", "duration", "count"), [(10, 1, 10), (3, 1, 3), (0.5, 1, 1), (1000, 2.5, 2500), (7, 0.1, 1), (1 / 3, 10, 4)]
)
def test_constant_schedule_has_equal_gaps_from_zero(rate, duration, count):
    times = schedule("constant", [(rate, duration)], 0)
    assert len(times) == count
    assert times[0] == 0
    np.testing.assert_allclose(np.diff(times), 1 / rate, rtol=1e-9)
    assert times[-1] < duration


def test_constant_schedule_does_not_drift():
    assert schedule("constant", [(3, 1000)], 0)[3 * 999] == pytest.approx(999, abs=1e-9)


def test_poisson_schedule_is_a_poisson_process():
    times = schedule("poisson", [(1000, 60)], 5)
    gaps = np.diff(times)
    assert abs(len(times) - 60_000) < 5 * np.sqrt(60_000)
    assert gaps.mean() == pytest.approx(1e-3, rel=0.02)
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.03)
    assert (gaps >= 0).all()
    assert times[0] > 0
    assert times[-1] < 60


def test_poisson_schedule_follows_its_seed():
    first = schedule("poisson", [(100, 5)], 1)
    np.testing.assert_array_equal(first, schedule("poisson", [(100, 5)], 1))
    assert not np.array_equal(first[:50], schedule("poisson", [(100, 5)], 2)[:50])


def test_a_longer_poisson_schedule_reaches_its_end():
    for seed in range(200):
        counts = [len(schedule("poisson", [(5, 4)], seed))]
        assert 0 <= counts[0] < 60


@pytest.mark.parametrize(("rate", "duration"), [(0, 1), (-1, 1), (1, 0), (float("nan"), 1), (float("inf"), 1)])
def test_impossible_schedules_are_refused(rate, duration):
    with pytest.raises(ValueError, match="above zero"):
        schedule("constant", [(rate, duration)], 0)
    with pytest.raises(ValueError, match="above zero"):
        schedule("poisson", [(rate, duration)], 0)
