"""Waits that are added to a run: where, for whom, and within which time."""

import pytest

from harness.config import ContrastIn
from harness.engine.slices import idle_seconds
from harness.model import Gap, PlannedRequest, Scenario, Side, Target
from harness.plan import make_plan, with_twin
from harness.plan.groups import within
from harness.plan.narrow import BLOCKS, between, narrow
from harness.plan.profiles import Profile
from harness.plan.timing import crowd_wait, lead_in, stagger, turn_seconds

SLEEP = Scenario(
    "io-sleep",
    "Waiting",
    "move",
    "",
    (PlannedRequest("io-sleep", "", {"ms": "{ms}"}),),
    (64,),
    matrix={"ms": (0, 5, 20, 200)},
    grid={"ms": (0, 5, 20, 200), "concurrency": (1, 16, 64, 256, 1000)},
    wait_ms="{ms}",
    bisect="ms",
)
ASGI = Target("asgi", "own", "asgi", "uvicorn", "a:b", reference=True)
WSGI = Target("wsgi", "own", "wsgi", "gunicorn", "a:b", threads=8)
OTHER = Target("other", "own", "wsgi", "gunicorn", "a:b", threads=32)
DECLARED = [ContrastIn(question="move", a="asgi", b="wsgi"), ContrastIn(question="move", a="asgi", b="other")]
GRID = Profile("grid", 600, 5, 1, "grid", reserve=0.25, bisect=True, longest_turn_s=2.0)


def planned(budget_s=600.0):
    targets = with_twin([ASGI, WSGI, OTHER])
    return make_plan(targets, [SLEEP], DECLARED, GRID, seed=1, budget_s=budget_s)


def gap(low, high, b="wsgi", concurrency=64):
    return Gap("asgi", b, "io-sleep", {}, concurrency, low, high)


def step(gaps, left_s=100.0):
    return narrow(planned(), [SLEEP], [ASGI, WSGI, OTHER], gaps, left_s, 2.0)


@pytest.mark.parametrize(
    ("low", "high", "wait"),
    [
        (5, 20, 10),
        (0, 5, 2),
        (0, 2, 1),
        (0, 1, None),
        (5, 10, 7),
        (7, 10, 8),
        (5, 6, None),
        (20, 200, 50),
        (31, 33, None),
    ],
)
def test_the_next_wait_is_round_and_in_the_middle(low, high, wait):
    assert between(low, high) == wait


def test_a_step_adds_a_wait_for_the_pair_alone():
    added = step([gap(5, 20), gap(5, 20, b="other"), gap(20, 200, b="other")])
    assert [point.id for point in added.points] == ["io-sleep[ms=10]@64", "io-sleep[ms=50]@64"]
    assert len(added.blocks) == BLOCKS
    assert [block.index for block in added.blocks] == [5, 6, 7, 8, 9]
    sides = {window.id.partition("-")[2]: window.sides for window in added.blocks[0].windows}
    assert {side.target for side in sides["io-sleep[ms=10]@64"]} == {"asgi", "wsgi", "other"}
    assert {side.target for side in sides["io-sleep[ms=50]@64"]} == {"asgi", "other"}
    a, b = Side("asgi", "io-sleep[ms=50]@64"), Side("other", "io-sleep[ms=50]@64")
    assert {(c.a, c.b) for c in added.contrasts if c.a.point == a.point} == {(a, b)}
    assert {c.metric for c in added.contrasts} == {"cpu_cost", "throughput"}


def test_a_step_fits_the_time_that_is_left():
    both = [gap(5, 20), gap(20, 200, b="other")]
    assert len(step(both).points) == 2
    assert len(step(both, 15.0).points) == 1
    assert step(both, 5.0) is None
    assert step([gap(5, 6)]) is None
    assert step([]) is None


def test_a_wait_that_would_take_too_long_is_left_out():
    assert step([gap(20, 200, concurrency=1000)]) is None
    added = step([gap(20, 200, concurrency=1000), gap(5, 20)])
    assert [failure.target for failure in added.left_out] == ["wsgi"]
    assert (added.left_out[0].reason.fields["connections"], added.left_out[0].reason.fields["waiting"]) == (1000, 8)


def test_the_grid_leaves_out_what_would_take_too_long_and_says_so():
    plan = planned()
    assert plan.estimate_s + plan.reserve_s == pytest.approx(600)
    assert plan.estimate_s <= 0.75 * 600 + 1
    assert all(turn_seconds(WSGI, point) <= 2.0 or Side("wsgi", point.id) not in sides(plan) for point in plan.points)
    assert any(failure.target == "wsgi" and failure.point == "io-sleep[ms=200]@1000" for failure in plan.left_out)
    assert all({contrast.a, contrast.b} <= sides(plan) for contrast in plan.contrasts)


def test_a_short_budget_keeps_the_concurrency_in_the_middle():
    plan = planned(budget_s=90)
    assert {point.concurrency for point in plan.points} <= {16, 64}
    assert len(plan.points) >= 2
    assert {1, 1000} <= {int(failure.point.rpartition("@")[2]) for failure in plan.left_out}


def test_what_fits_is_kept_whole():
    points = planned().points
    costs = {point.id: 1.0 for point in points}
    assert within(points, costs, 1000.0) == (points, [])
    kept, dropped = within(points, costs, 3.0)
    assert [point.concurrency for point in kept] == [64, 64, 64]
    assert len(kept) + len(dropped) == len(points)


def test_many_connections_are_counted_over_the_whole_turn():
    by_id = {point.id: point for point in planned().points}
    few, many, one = (by_id[f"io-sleep[ms=20]@{count}"] for count in (64, 256, 1))
    assert (lead_in(few), crowd_wait(few), stagger(few)) == (pytest.approx(0.03), 0.0, 0.02)
    assert (lead_in(many), crowd_wait(many), stagger(many)) == (0.0, 0.02, 0.02)
    assert (lead_in(one), crowd_wait(one), stagger(one)) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(("cycle_s", "idle_s"), [(0.0205, 0.0195), (0.02, 0.02), (0.03, 0.01), (0.04, 0.0), (0.4, 0.0)])
def test_a_crowd_leaves_a_server_idle_while_all_wait(cycle_s, idle_s):
    """256 connections that wait for 20 ms; from the rate follows what was idle, and back."""
    rate, elapsed_s = 256 / cycle_s, 1.0
    replies = rate * (elapsed_s - idle_s)
    assert idle_seconds(elapsed_s, replies, 256, 0.02) == pytest.approx(idle_s, abs=1e-9)


def test_nothing_is_taken_off_where_it_cannot_be_told():
    assert idle_seconds(0.03, 500, 256, 0.02) == 0
    assert idle_seconds(1.0, 256, 256, 0.02) == 0
    assert idle_seconds(1.0, 5000, 32, 0.0) == 0


def sides(plan):
    return {side for window in plan.blocks[0].windows for side in window.sides}
