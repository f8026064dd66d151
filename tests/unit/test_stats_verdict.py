from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import DescrStatsW

from harness.stats.interval import (
    degrees_of_freedom,
    estimate,
    pooled_autocorrelation,
    t_interval,
    variance_inflation,
)
from harness.stats.looks import ALPHA, FAMILY_ALPHA, LOOKS, MOST_BLOCKS, beyond_early, blocks_needed, last_look, stops
from harness.stats.verdict import Decision, adjust, classify, decide, judge, widest_first

DELTA = float(np.log(1.02))


def block_values(mean: float, sd: float, n: int) -> np.ndarray:
    """n values with exactly this mean and sd."""
    ends = np.linspace(-1, 1, n)
    shuffled = np.random.default_rng(n).permutation(ends)
    return mean + sd * shuffled / shuffled.std(ddof=1)


# intervals


def test_interval_is_students() -> None:
    data = np.array([0.1, 0.2, 0.15, 0.4])
    interval = t_interval(data, 0.05)
    expected = stats.ttest_1samp(data, 0.0)
    low, high = expected.confidence_interval(0.95)
    assert (interval.low, interval.high) == pytest.approx((low, high))
    assert interval.p_value == pytest.approx(expected.pvalue)


def test_interval_over_leading_axes() -> None:
    data = np.random.default_rng(1).normal(size=(3, 4, 6))
    together = t_interval(data, 0.01)
    assert together.low.shape == (3, 4)
    assert together.low[1, 2] == pytest.approx(t_interval(data[1, 2], 0.01).low)


@pytest.mark.parametrize(("value", "p_value"), [(0.0, 1.0), (0.1, 0.0)])
def test_interval_without_spread(value: float, p_value: float) -> None:
    interval = t_interval([value] * 5, 0.01)
    assert (interval.low, interval.high, interval.p_value) == (value, value, p_value)


def test_interval_of_one_value_is_refused() -> None:
    with pytest.raises(ValueError, match="two values or more, not 1"):
        t_interval([1.0], 0.05)


@pytest.mark.parametrize("n", [2, 5, 24])
def test_variance_inflation_is_the_sum_over_lags(n: int) -> None:
    phi = 0.4
    v = 1 + 2 * sum((1 - k / n) * phi**k for k in range(1, n))
    assert variance_inflation(phi, n) == pytest.approx(v * (n - 1) / (n - v))
    assert variance_inflation(0.0, n) == 1.0
    assert degrees_of_freedom(0.0, n) == n - 1
    assert degrees_of_freedom(phi, n) < n - 1


def test_autocorrelation_of_many_contrasts_is_found() -> None:
    rng = np.random.default_rng(2)
    series = rng.normal(size=(200, 24))
    assert pooled_autocorrelation(series) < 0.05
    for block in range(1, 24):
        series[:, block] = 0.4 * series[:, block - 1] + np.sqrt(1 - 0.4**2) * series[:, block]
    assert pooled_autocorrelation(series) == pytest.approx(0.4, abs=0.06)


@pytest.mark.parametrize("series", [[], [[1.0, 2.0]], [[1.0] * 8]])
def test_autocorrelation_of_too_little_is_none(series: list[list[float]]) -> None:
    assert pooled_autocorrelation(series) == 0.0


def test_estimate_is_positive_and_on_the_logarithm() -> None:
    found = estimate([1.0, 100.0])
    assert found is not None
    assert found.value == pytest.approx(10.0)
    assert found.ci_low is not None
    assert 0 < found.ci_low < found.value
    assert estimate([]) is None
    one = estimate([5.0])
    assert one is not None
    assert (one.value, one.ci_low, one.ci_high, one.blocks) == (5.0, None, None, 1)


# verdicts

VERDICTS = [
    ((0.05, 0.07), True, "different"),
    ((-0.07, -0.05), True, "different"),
    ((DELTA, 0.07), True, "different"),
    ((0.01, 0.07), True, "different-size-open"),
    ((-0.07, -0.01), True, "different-size-open"),
    ((0.005, DELTA), True, "different-size-open"),
    ((0.005, 0.01), True, "small"),
    ((-0.01, -0.005), True, "small"),
    ((-0.01, 0.01), False, "same"),
    ((0.005, 0.01), False, "same"),
    ((-0.01, 0.03), False, "undecided"),
    ((-0.05, 0.05), False, "undecided"),
    ((0.05, 0.07), False, "undecided"),
    ((-DELTA, 0.0), False, "undecided"),
]


@pytest.mark.parametrize(("interval", "significant", "expected"), VERDICTS)
def test_the_five_verdicts(interval: tuple[float, float], significant: bool, expected: str) -> None:
    assert classify(*interval, significant, DELTA) == expected


SINGLE = [
    (0.0, 0.001, 5, "same"),
    (0.1, 0.002, 5, "different"),
    (-0.1, 0.002, 5, "different"),
    (0.03, 0.01, 8, "different-size-open"),
    (0.01, 0.002, 8, "small"),
    (0.01, 0.05, 8, "undecided"),
    (0.1, 0.0001, 2, "undecided"),
    (0.0, 0.0, 2, "undecided"),
    (0.1, 0.0001, 3, "different"),
]


@pytest.mark.parametrize(("mean", "sd", "n", "expected"), SINGLE)
def test_a_contrast_alone(mean: float, sd: float, n: int, expected: str) -> None:
    decision = decide(block_values(mean, sd, n), 0.02)
    assert decision.verdict == expected
    assert decision.mean == pytest.approx(mean, abs=1e-12)
    assert (decision.blocks_needed is None) == (expected != "undecided")


@pytest.mark.parametrize("values", [[], [0.5]])
def test_too_few_blocks_have_no_interval(values: list[float]) -> None:
    decision = decide(values, 0.02)
    assert decision.verdict == "undecided"
    assert (decision.low, decision.high, decision.p_value) == (None, None, None)
    assert decision.blocks_needed == LOOKS[0]


@given(
    st.lists(st.floats(-0.2, 0.2), min_size=3, max_size=24),
    st.floats(0.005, 0.1),
)
def test_a_verdict_never_contradicts_its_interval(values: list[float], margin: float) -> None:
    decision = decide(values, margin)
    assert decision.low is not None
    assert decision.high is not None
    delta = np.log1p(margin)
    inside = -delta < decision.low and decision.high < delta
    if decision.verdict in ("different", "different-size-open", "small"):
        assert decision.low > 0 or decision.high < 0
    assert inside == (decision.verdict in ("same", "small"))


@pytest.mark.parametrize(("mean", "sd"), [(0.0, 0.008), (0.005, 0.008), (0.015, 0.004), (0.0, 0.03)])
def test_same_is_tost_at_half_alpha(mean: float, sd: float) -> None:
    data = block_values(mean, sd, 8)
    tost = DescrStatsW(data).ttost_mean(-DELTA, DELTA)[0]
    assert (decide(data, 0.02).verdict in ("same", "small")) == (tost <= ALPHA / 2)


# many contrasts


def test_adjust_is_looks_times_benjamini_hochberg() -> None:
    assert adjust([0.01]) == pytest.approx([0.05])
    assert adjust([0.001, 0.004, 0.9]) == pytest.approx([0.015, 0.03, 1.0])
    assert adjust([]).size == 0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_p_values_are_adjusted_as_statsmodels_does(raw: list[float]) -> None:
    expected = multipletests(np.minimum(np.array(raw) * len(LOOKS), 1.0), method="fdr_bh")[1]
    assert adjust(raw) == pytest.approx(expected, abs=1e-12)


def test_an_interval_without_zero_is_not_enough_among_many() -> None:
    barely = block_values(0.05, 0.037, 8)
    noise = {str(k): block_values(0.0, 0.05, 8) for k in range(40)}
    assert decide(barely, 0.02).verdict == "different-size-open"
    found = judge({"barely": barely, **noise}, dict.fromkeys(["barely", *noise], 0.02))["barely"]
    assert found.verdict == "undecided"
    assert found.p_value is not None
    assert found.p_adjusted is not None
    assert found.p_value <= ALPHA
    assert found.p_adjusted > 0.05
    assert found.blocks_needed is not None
    assert found.blocks_needed > 8


def test_contrasts_with_few_blocks_are_judged_beside_others() -> None:
    found = judge(
        {"none": [], "one": [0.1], "two": [0.1, 0.1], "all": block_values(0.1, 0.001, 5)},
        dict.fromkeys(["none", "one", "two", "all"], 0.02),
    )
    assert [found[key].verdict for key in ("none", "one", "two", "all")] == ["undecided"] * 3 + ["different"]


def test_autocorrelated_blocks_widen_every_interval() -> None:
    trend = np.repeat([-0.02, 0.02], 6)
    values = {str(k): 0.01 * k + trend for k in range(10)}
    found = judge(values, dict.fromkeys(values, 0.02))
    assert all(found[key].width > decide(values[key], 0.02).width for key in values)


def test_the_undecided_come_widest_first() -> None:
    decisions = {
        "narrow": Decision("undecided", 8, 0.0, -0.03, 0.03),
        "decided": Decision("same", 8, 0.0, -0.01, 0.01),
        "unmeasured": Decision("undecided", 0),
        "wide": Decision("undecided", 8, 0.0, -0.1, 0.1),
    }
    assert widest_first(decisions) == ("unmeasured", "wide", "narrow")
    assert widest_first({}) == ()


# looks


@pytest.mark.parametrize(("blocks", "look"), [(0, 0), (4, 0), (5, 5), (7, 5), (16, 16), (30, 24)])
def test_last_look(blocks: int, look: int) -> None:
    assert last_look(blocks) == look


@pytest.mark.parametrize(
    ("blocks", "decided", "ends"),
    [(4, True, False), (5, True, True), (5, False, False), (6, True, False), (8, True, True), (24, False, True)],
)
def test_a_run_stops_at_looks_only(blocks: int, decided: bool, ends: bool) -> None:
    assert stops(blocks, decided=decided) is ends


@pytest.mark.parametrize(
    ("blocks", "decided", "ends"), [(2, True, False), (3, True, True), (4, True, True), (4, False, False)]
)
def test_a_large_difference_may_end_a_run_early(blocks: int, decided: bool, ends: bool) -> None:
    assert stops(blocks, decided=decided, large=True) is ends


@pytest.mark.parametrize(
    ("low", "high", "early"), [(1.21, 1.9, True), (1.19, 1.9, False), (0.5, 0.83, True), (0.5, 0.84, False)]
)
def test_an_early_look_wants_the_whole_interval_beyond_a_fifth(low: float, high: float, early: bool) -> None:
    assert bool(beyond_early(low, high)) is early


def test_levels_over_the_looks() -> None:
    assert pytest.approx(0.05) == FAMILY_ALPHA


@pytest.mark.parametrize(("mean", "sd"), [(0.015, 0.03), (0.0, 0.03), (0.019, 0.02), (0.03, 0.04)])
def test_so_many_blocks_would_decide_it(mean: float, sd: float) -> None:
    needed = blocks_needed(mean, sd, 5, DELTA)
    assert needed is not None
    assert decide(block_values(mean, sd, needed - 1), 0.02).verdict == "undecided"
    assert decide(block_values(mean, sd, needed), 0.02).verdict != "undecided"


def test_more_blocks_than_anyone_would_run() -> None:
    assert blocks_needed(0.0, 1.0, 5, DELTA) is None
    assert blocks_needed(0.0, 0.05, MOST_BLOCKS, DELTA) is None
    some = blocks_needed(0.015, 0.03, 5, DELTA)
    more = blocks_needed(0.015, 0.03, 5, DELTA, autocorrelation=0.4)
    assert some is not None
    assert more is not None
    assert more > some


def test_an_interval_too_wide_for_numbers_ends_at_infinity_without_a_warning():
    assert Decision("undecided", 2, 0.0, -800.0, 800.0).ratios == (1.0, 0.0, float("inf"))
