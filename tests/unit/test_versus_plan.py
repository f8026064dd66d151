"""How ``harness versus`` divides its budget into blocks."""

import re

import pytest

from harness.config.requests import planned
from harness.errors import UsageError
from harness.model import RawRequest, Target
from harness.plan.timing import START_S
from harness.prepare.point import raw_point, scenario_point
from harness.prepare.versus import another_block, check_budget, versus_plan, versus_targets
from harness.stats.looks import EARLY_LOOKS, LOOKS

PAIR = tuple(Target(name, "own", "asgi", "uvicorn", "shop:app") for name in ("a", "b"))
POINT = raw_point([planned(RawRequest("GET", "/"))], 32)
TARGETS = versus_targets(*PAIR, POINT, True)


def plan(budget_s, spent_s=2.0, start_s=1.0):
    left_s = budget_s - spent_s
    return versus_plan(TARGETS, POINT, "cpu_cost", seed=1, budget_s=left_s, start_s=start_s, spent_s=spent_s)


def test_a_budget_that_is_too_short_is_refused_and_the_one_that_is_named_would_do():
    with pytest.raises(UsageError, match=f"a budget of 5 s is too short for {EARLY_LOOKS[0]} blocks") as caught:
        check_budget(TARGETS, POINT, 5.0)
    least_s, more_s = map(float, re.findall(r"(\d+)s", caught.value.hint))
    assert 5 < least_s < more_s < 30
    check_budget(TARGETS, POINT, least_s)
    # Known only once they were started: these start slowly.
    with pytest.raises(UsageError, match="a budget of 12 s is too short") as caught:
        plan(12.0, spent_s=5.0, start_s=4.0)
    least_s, more_s = map(float, re.findall(r"(\d+)s", caught.value.hint))
    assert len(plan(least_s, spent_s=5.0, start_s=4.0).blocks) == 1


@pytest.mark.parametrize("budget_s", [15.0, 40.0, 600.0])
def test_a_large_difference_takes_no_longer_with_a_longer_budget(budget_s):
    found = plan(budget_s, start_s=START_S * 1.5)
    [first] = found.blocks
    block = another_block(found, budget_s - 2.0 - first.load_s, 2.0)
    assert block.index == 1
    assert block.load_s == pytest.approx(first.load_s)
    assert EARLY_LOOKS[0] * (first.load_s + 2.0) < 12
    assert another_block(found, first.load_s + 1.9, 2.0) is None
    assert budget_s < 40 or LOOKS[1] * (first.load_s + 2.0) < 40


@pytest.mark.parametrize("concurrency", [1, 64, 65, 512])
def test_a_slice_is_as_long_for_a_request_as_for_a_scenario_without_waits(concurrency):
    assert raw_point(POINT.requests, concurrency).slice_s == scenario_point("json", concurrency).slice_s
