"""When a comparison ends: with its verdict, and with its limit where it has one."""

import pytest

from harness.results.versus import decided, large, slower
from tests.unit.summaries import contrast, summary


@pytest.mark.parametrize(
    ("verdict", "metric", "interval", "without", "within", "fails"),
    [
        pytest.param("different", "cpu_cost", (1.05, 1.09), True, True, True, id="beyond the limit"),
        pytest.param("different-size-open", "cpu_cost", (1.01, 1.19), True, False, False, id="across the limit"),
        pytest.param("same", "cpu_cost", (0.99, 1.01), True, True, False, id="below the limit"),
        pytest.param("different", "cpu_cost", (0.80, 0.85), True, True, False, id="cheaper"),
        pytest.param("undecided", "cpu_cost", (0.90, 1.02), False, False, False, id="no verdict yet"),
        pytest.param("different", "throughput", (0.90, 0.95), True, True, True, id="fewer replies than the limit"),
        pytest.param("different-size-open", "throughput", (0.90, 0.99), True, False, False, id="across, in replies"),
        pytest.param("different", "throughput", (1.10, 1.20), True, True, False, id="more replies"),
        pytest.param(
            "small", "instructions", (1.001, 1.002), True, True, False, id="fewer instructions than the limit"
        ),
        pytest.param("different", "instructions", (1.05, 1.06), True, True, True, id="more instructions"),
    ],
)
def test_a_comparison_goes_on_until_its_limit_is_decided_too(verdict, metric, interval, without, within, fails):
    result = contrast(verdict, sum(interval) / 2, *interval, metric=metric)
    found = summary(contrasts=(result,))
    assert decided(found, None) is without
    assert decided(found, 0.03) is within
    assert (slower(result, 0.03) == "failed") is fails


@pytest.mark.parametrize(("interval", "expected"), [((2.1, 2.9), True), ((1.1, 2.9), False), ((0.3, 0.8), True)])
def test_a_difference_is_large_where_its_whole_interval_is(interval, expected):
    assert large(summary(contrasts=(contrast("different", sum(interval) / 2, *interval),))) is expected
