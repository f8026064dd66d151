"""Crossovers of runs whose truth is known, and what is made of every order of verdicts."""

import dataclasses
from functools import cache

import pytest

from harness.model import Scenario
from harness.results.crossover import crossovers, gaps, is_narrow
from harness.results.predict import check_models
from harness.results.summarise import summarise
from tests.synthetic import CPU_US, EXTRA_US, TARGETS, make_run, points
from tests.unit.summaries import JSON, POINTS, SCENARIOS, cells, contrast, estimate, manifest

DJANGO = tuple(target for target in TARGETS if target.framework == "django")
SERVICE_MS = {name: (CPU_US[name] + EXTRA_US["io-sleep"]) / 1e3 for name in ("django-uvicorn", "django-gunicorn")}
TRUE_MS = 8 * SERVICE_MS["django-uvicorn"] - SERVICE_MS["django-gunicorn"]
"""Where 8 threads that wait answer as many requests as one event loop that computes."""
MORE, FEWER = ("different", 2.5, 2.4, 2.6), ("different", 0.4, 0.38, 0.42)
SAME, OPEN = ("same", 1.0, 0.99, 1.01), ("undecided", 1.02, 0.9, 1.15)
BISECTED = tuple(dataclasses.replace(each, bisect="ms") if each.wait_ms else each for each in SCENARIOS)


@cache
def analysed(seed):
    at = points(waits_ms=(0, 2, 3, 4, 5, 20), concurrencies=(4, 64))
    run = make_run(targets=DJANGO, at=at, seed=seed, blocks=6, rounds=8)
    return summarise(run.manifest, run.records, run.samples)


def found_at(summary, concurrency):
    return next(each for each in summary.crossovers if each.concurrency == concurrency)


def from_verdicts(*outcomes, waits=(0, 2, 20)):
    at = tuple(
        dataclasses.replace(POINTS[1], id=f"io-sleep[ms={ms}]@64", params={"ms": ms}, wait_s=ms / 1e3) for ms in waits
    )
    run = manifest(plan=dataclasses.replace(manifest().plan, points=at), scenarios=BISECTED)
    given = [contrast(*outcome, point=point.id, question="move") for point, outcome in zip(at, outcomes, strict=True)]
    return run, crossovers(run, given)


@pytest.mark.fuzz
def test_a_known_crossover_is_found_whatever_the_seed():
    found = [found_at(analysed(seed), 64) for seed in (1, 2)]
    for each in found:
        assert each.outcome == "overtakes"
        assert each.low_ms < TRUE_MS < each.high_ms
        assert each.low_ms <= each.estimate_low_ms < TRUE_MS < each.estimate_high_ms <= each.high_ms
        assert is_narrow(each)
    first, second = found
    assert first.estimate_low_ms < second.estimate_high_ms
    assert second.estimate_low_ms < first.estimate_high_ms


def test_with_fewer_connections_than_threads_there_is_none():
    found = found_at(analysed(1), 4)
    assert found.outcome in ("behind", "none")
    assert (found.low_ms, found.high_ms, found.estimate_ms) == (None, None, None)
    assert (found.first_ms, found.last_ms) == (0, 20)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ((FEWER, FEWER, MORE), ("overtakes", 2, 20)),
        ((FEWER, OPEN, MORE), ("overtakes", 0, 20)),
        ((FEWER, MORE, OPEN), ("overtakes", 0, 2)),
        ((FEWER, SAME, MORE), ("draws-ahead", 2, 20)),
        ((MORE, MORE, MORE), ("ahead", None, 0)),
        ((OPEN, MORE, MORE), ("ahead", None, 2)),
        ((FEWER, FEWER, FEWER), ("behind", None, None)),
        ((FEWER, OPEN, FEWER), ("none", None, None)),
        ((MORE, OPEN, MORE), ("none", None, None)),
        ((MORE, SAME, FEWER), ("none", None, None)),
        ((OPEN, OPEN, OPEN), ("none", None, None)),
        ((FEWER, FEWER, SAME), ("none", None, None)),
    ],
)
def test_only_verdicts_on_both_sides_make_a_crossover(outcomes, expected):
    _, (found,) = from_verdicts(*outcomes)
    assert (found.outcome, found.low_ms, found.high_ms) == expected


@pytest.mark.parametrize(
    ("waits", "outcomes", "expected"),
    [
        ((0, 5, 20), (FEWER, FEWER, MORE), {(5, 20)}),
        ((0, 5, 20), (FEWER, MORE, MORE), {(0, 5)}),
        ((5, 10, 20), (FEWER, OPEN, MORE), {(5, 10), (10, 20)}),
        ((5, 6, 7), (FEWER, FEWER, MORE), set()),
        ((0, 1, 7), (FEWER, MORE, MORE), set()),
        ((0, 5, 20), (MORE, MORE, MORE), set()),
    ],
)
def test_what_is_still_wide_is_bisected(waits, outcomes, expected):
    run, found = from_verdicts(*outcomes, waits=waits)
    assert {(gap.low_ms, gap.high_ms) for gap in gaps(run, found)} == expected
    plain = dataclasses.replace(run, scenarios=SCENARIOS)
    assert gaps(plain, found) == ()


def test_a_wait_that_only_others_could_afford_is_approached():
    run, _ = from_verdicts(FEWER, FEWER, FEWER)
    given = [contrast(*FEWER, point=f"io-sleep[ms={ms}]@64", question="move") for ms in (0, 2)]
    assert [(gap.low_ms, gap.high_ms) for gap in gaps(run, crossovers(run, given))] == [(2, 20)]


def test_nothing_is_interpolated_over_a_wide_interval_or_from_zero():
    for waits in ((0, 1), (5, 20)):
        _, (found,) = from_verdicts(FEWER, MORE, waits=waits)
        assert found.estimate_ms is None


def test_one_wait_alone_has_no_crossover():
    assert from_verdicts(MORE, waits=(5,))[1] == ()


def test_other_parameters_are_kept_apart():
    both = tuple(
        dataclasses.replace(
            POINTS[1],
            id=f"calls[ms={ms},calls={calls}]@64",
            scenario="calls",
            params={"ms": ms, "calls": calls},
            wait_s=ms / 1e3,
        )
        for ms in (2, 20)
        for calls in (1, 3)
    )
    scenario = Scenario("calls", "Calls", "move", "", (JSON,), (64,), wait_ms="{ms}")
    run = manifest(plan=dataclasses.replace(manifest().plan, points=both), scenarios=(scenario,))
    found = crossovers(run, [contrast(*MORE, point=point.id, question="move") for point in both])
    assert [each.params for each in found] == [{"calls": 1}, {"calls": 3}]


def test_what_follows_the_model_does_not_leave_it():
    run = make_run(targets=DJANGO, at=points(waits_ms=(2, 20), concurrencies=(64,)), seed=4, blocks=6, rounds=6)
    summary = summarise(run.manifest, run.records, run.samples)
    assert len(summary.models) == 4
    assert not any(check.leaves for check in summary.models)


def test_half_of_what_capacity_allows_leaves_the_model():
    run = manifest(scenarios=BISECTED)
    slow = tuple(
        dataclasses.replace(cell, throughput_rps=estimate(190.0), cpu_us=estimate(300.0))
        for cell in cells()
        if cell.point == "io-sleep[ms=20]@64" and cell.target == "slow"
    )
    (check,) = check_models(run, slow, 0.02)
    assert check.leaves
    assert check.model_rps == pytest.approx(8 / 0.0203)
    assert check.ratio == pytest.approx(190 * 0.0203 / 8)
    assert check.model_low < check.model_rps < check.model_high
    near = (dataclasses.replace(slow[0], throughput_rps=estimate(391.0)),)
    assert not check_models(run, near, 0.02)[0].leaves
    assert check_models(manifest(), slow, 0.02) == ()
