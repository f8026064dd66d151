from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from harness.analyse.judge import _control_margins
from harness.analyse.live import undecided
from harness.analyse.predict import predicted_throughput
from harness.analyse.ratio import BlockValues
from harness.analyse.summarise import summarise
from harness.analyse.summary import Cell, ContrastResult, Summary
from harness.analyse.ties import letter
from harness.model import Contrast, Failure, Gate, Side, SlotRecord, Target, Trial
from harness.quantiles import percentiles
from tests.synthetic import TARGETS, Run, make_run, points, true_cost_us, true_throughput_rps

FASTAPI, TORNADO = "fastapi-uvicorn", "tornado"
TWIN = "fastapi-uvicorn twin"
JSON = "json@32"
POINTS = points(waits_ms=(20,), concurrencies=(64,))


def summary(run: Run) -> Summary:
    return summarise(run.manifest, run.slots, run.samples)


def cell(found: Summary, target: str, point: str = JSON) -> Cell:
    return next(each for each in found.cells if (each.target, each.point) == (target, point))


def contrast(found: Summary, a: str, point: str = JSON, metric: str = "cpu_cost") -> ContrastResult:
    return next(each for each in found.contrasts if each.a == Side(a, point) and each.metric == metric)


@pytest.fixture(scope="module")
def sound() -> Summary:
    return summary(make_run(at=POINTS, blocks=12))


# a sound run


def test_a_sound_run(sound: Summary) -> None:
    assert sound.badge == "sound"
    assert sound.reasons == ()
    assert sound.blocks == 12
    assert sound.health.slots == 12 * 3
    assert sound.health.failed_slots == sound.health.retried_slots == 0
    assert sound.health.generator_cpu_max == pytest.approx(0.3, abs=0.01)


def test_absolute_values_are_near_the_truth(sound: Summary) -> None:
    by_id = {point.id: point for point in POINTS}
    for target in TARGETS:
        for point in POINTS:
            found = cell(sound, target.name, point.id)
            assert found.throughput_rps is not None
            assert found.cpu_us is not None
            assert found.cpu_us.value == pytest.approx(true_cost_us(target, by_id[point.id]), rel=0.03)
            assert found.throughput_rps.value == pytest.approx(true_throughput_rps(target, by_id[point.id]), rel=0.04)


def test_contrasts_find_the_truth(sound: Summary) -> None:
    for target in TARGETS[1:]:
        found = contrast(sound, target.name)
        true = true_cost_us(target, POINTS[0]) / true_cost_us(TARGETS[0], POINTS[0])
        assert found.verdict == "different"
        assert found.ci_low is not None
        assert found.ci_high is not None
        assert found.ci_low < true < found.ci_high
    step = contrast(sound, FASTAPI, "orders-full@32")
    assert step.difference == pytest.approx(40.0, rel=0.05)
    assert step.difference_low is not None
    assert step.difference_high is not None
    assert step.difference_low < 40.0 < step.difference_high


def test_the_control_comes_first_and_its_twin_has_no_cell(sound: Summary) -> None:
    assert [each.label for each in sound.contrasts[:2]] == ["A/A", "A/A"]
    assert {each.verdict for each in sound.contrasts[:2]} <= {"same", "small"}
    assert TWIN not in {each.target for each in sound.cells}
    assert TWIN not in {each.target for each in sound.upkeep}


def test_tie_groups_follow_throughput(sound: Summary) -> None:
    assert {name: cell(sound, name).tie_group for name in (FASTAPI, TORNADO, "flask-gunicorn")} == {
        FASTAPI: "A",
        TORNADO: "B",
        "flask-gunicorn": "C",
    }
    # With 20 ms of wait and 8 threads both WSGI targets are bound by capacity, and less than the margin apart.
    waits = POINTS[-1].id
    assert cell(sound, "flask-gunicorn", waits).tie_group == cell(sound, "django-gunicorn", waits).tie_group


def test_percentiles_are_pooled(sound: Summary) -> None:
    found = cell(sound, FASTAPI).service_time_us
    run = make_run(at=POINTS, blocks=12)
    index = [record.sides.index(Side(FASTAPI, JSON)) for record in run.slots if Side(FASTAPI, JSON) in record.sides]
    records = [record for record in run.slots if Side(FASTAPI, JSON) in record.sides]
    pooled = np.concatenate([run.samples(record)[k] for record, k in zip(records, index, strict=True)])
    assert found["max"] == pooled.max()
    assert found["p99"] == np.sort(pooled)[int(np.ceil(0.99 * pooled.size)) - 1]


def test_summaries_are_the_same_in_any_order_of_slots(sound: Summary) -> None:
    run = make_run(at=POINTS, blocks=12)
    again = summarise(run.manifest, sorted(run.slots, key=lambda one: one.block), run.samples)
    assert again == sound


# runs with faults

GATE = Gate("generator-bound", TORNADO, JSON, "92% of its CPU")


def test_a_dead_target_fails_alone() -> None:
    found = summary(make_run(at=POINTS, failing=[TORNADO]))
    assert found.badge == "warnings"
    assert cell(found, TORNADO).status == "failed"
    assert cell(found, TORNADO).throughput_rps is None
    assert cell(found, TORNADO).reasons == ("died: exited with code 1 (8 slots)",)
    assert contrast(found, TORNADO).verdict == "not-measurable"
    assert contrast(found, TORNADO).ratio is None
    assert "died" in contrast(found, TORNADO).reason
    assert contrast(found, "flask-gunicorn").verdict == "different"
    assert {failure.target for failure in found.health.failures} == {TORNADO}


def test_a_gated_side_gives_no_number() -> None:
    found = summary(make_run(at=POINTS, gates=[GATE]))
    assert cell(found, TORNADO).status == "not-measurable"
    assert cell(found, TORNADO, "orders-raw@32").status == "ok"
    assert contrast(found, TORNADO).verdict == "not-measurable"
    assert found.badge == "warnings"
    assert any("generator-bound" in reason for reason in found.reasons)


def test_blocks_without_a_gate_still_count() -> None:
    found = summary(make_run(at=POINTS, gates=[GATE], gated_blocks=[0, 1]))
    assert cell(found, TORNADO).status == "ok"
    assert cell(found, TORNADO).reasons == ("generator-bound: 92% of its CPU (2 slots)",)
    assert contrast(found, TORNADO).blocks == 6
    assert contrast(found, "flask-gunicorn").blocks == 8


def test_a_retried_slot_counts_once_and_is_reported() -> None:
    found = summary(make_run(at=POINTS, gates=[GATE], retried=True))
    assert cell(found, TORNADO).status == "ok"
    assert found.health.retried_slots == 8
    assert found.health.failed_slots == 0
    assert found.health.gates == (GATE,)
    assert contrast(found, TORNADO).blocks == 8


def test_wrong_replies_are_no_throughput() -> None:
    found = summary(make_run(at=POINTS, wrong=[Side(TORNADO, JSON)]))
    assert cell(found, TORNADO).status == "failed"
    assert cell(found, TORNADO).throughput_rps is None
    assert cell(found, TORNADO).replies == 0
    assert cell(found, TORNADO).errors == {"wrong-body": 24}
    assert cell(found, TORNADO).reasons == ("3 wrong and 0 failed replies (8 slots)",)


def test_a_side_that_no_slot_holds_was_not_run() -> None:
    found = summary(make_run(at=POINTS, missing=[Side(TORNADO, JSON)]))
    assert cell(found, TORNADO).status == "not-run"
    assert contrast(found, TORNADO).verdict == "undecided"
    assert contrast(found, TORNADO).reason == "not measured in any block"


def test_a_skipped_target_says_why() -> None:
    run = make_run(at=POINTS, missing=[Side(TORNADO, point.id) for point in POINTS])
    manifest = replace(run.manifest, skipped=(Failure(TORNADO, "", "not-ready", "no answer in 10 s"),))
    found = summarise(manifest, run.slots, run.samples)
    assert cell(found, TORNADO).status == "failed"
    assert cell(found, TORNADO).reasons == ("not-ready: no answer in 10 s",)
    assert contrast(found, TORNADO).verdict == "not-measurable"
    assert found.badge == "warnings"


def test_a_target_of_studies_only_has_no_cells() -> None:
    run = make_run(at=POINTS)
    extra = replace(TARGETS[0], name="in-threads")
    trial = Trial("t", 0, "neighbours", "neighbours", extra.name, {}, 1.0)
    plan = replace(run.manifest.plan, trials=(trial, replace(trial, target=TORNADO)))
    found = summarise(replace(run.manifest, targets=(*run.manifest.targets, extra), plan=plan), run.slots, run.samples)
    assert {each.target for each in found.cells} == {each.target for each in summary(run).cells}
    assert TORNADO in {each.target for each in found.cells}


def test_all_failed() -> None:
    found = summary(make_run(at=POINTS, all_failed=True))
    assert found.badge == "do-not-cite"
    assert found.reasons[0] == "no target gave a valid number"
    assert {each.status for each in found.cells} == {"failed"}
    assert {each.verdict for each in found.contrasts} == {"not-measurable"}
    assert found.blocks == 0


@pytest.mark.parametrize(("blocks", "verdict"), [(0, "undecided"), (1, "undecided"), (2, "undecided")])
def test_few_blocks_decide_nothing(blocks: int, verdict: str) -> None:
    found = summary(make_run(at=POINTS, blocks=blocks))
    assert {each.verdict for each in found.contrasts} == {verdict}
    assert {each.blocks_needed for each in found.contrasts} == {5}
    assert found.badge == ("warnings" if blocks else "do-not-cite")
    if blocks == 1:
        one = cell(found, FASTAPI).throughput_rps
        assert one is not None
        assert (one.ci_low, one.ci_high) == (None, None)
        assert {each.ci_low for each in found.contrasts} == {None}


def test_an_interrupted_run_keeps_what_it_has() -> None:
    found = summary(make_run(at=POINTS, interrupted=True))
    assert any("interrupted" in reason for reason in found.reasons)
    assert contrast(found, TORNADO).blocks == 8
    assert contrast(found, TORNADO, "orders-full@32").blocks == 7


def test_without_a_control_the_margin_is_the_least_and_the_badge_says_so() -> None:
    found = summary(make_run(at=POINTS, control=False))
    assert found.margin == 0.02
    assert found.reasons == ("no A/A control in this run",)


def test_hostile_names_are_only_names() -> None:
    plain, hostile = summary(make_run(at=POINTS)), summary(make_run(at=POINTS, hostile=True))
    assert [each.ratio for each in hostile.contrasts] == [each.ratio for each in plain.contrasts]


# the control


def test_a_control_that_differs_forbids_citing() -> None:
    biased = {(TWIN, point.id): 1.08 * true_cost_us(TARGETS[0], point) for point in POINTS}
    found = summary(make_run(at=POINTS, blocks=12, costs_us=biased))
    assert found.badge == "do-not-cite"
    assert "A/A control called different" in found.reasons[0]
    assert found.margin > 0.07
    assert found.contrasts[0].margin == 0.02


def test_a_noisy_control_widens_the_margin_of_the_others() -> None:
    found = summary(make_run(at=POINTS, blocks=8, block_sd=0.04))
    assert found.margin > 0.04
    assert contrast(found, TORNADO).margin > 0.04
    assert found.contrasts[0].margin == 0.02


# while the run goes on


def test_undecided_widest_first() -> None:
    close = {(target.name, JSON): 110.0 * (1.015 if target.name == TORNADO else 1.0) for target in TARGETS}
    run = make_run(at=POINTS[:1], blocks=5, costs_us=close, block_sd=0.02)
    found = summary(run)
    ordered = undecided(run.manifest, run.slots)
    widths = {
        each.id: (each.ci_high or 0) / (each.ci_low or 1) for each in found.contrasts if each.verdict == "undecided"
    }
    assert ordered
    assert list(ordered) == sorted(widths, key=lambda key: -widths[key])


CASES: list[tuple[str, Callable[[], Run], bool]] = [
    ("nothing yet", lambda: make_run(at=POINTS, blocks=0), True),
    ("one block", lambda: make_run(at=POINTS, blocks=1), True),
    ("all dead", lambda: make_run(at=POINTS, all_failed=True), False),
]


@pytest.mark.parametrize(("make", "open_"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_is_open_at_the_edges(make: Callable[[], Run], open_: bool) -> None:
    run = make()
    expected = {each.id for each in run.manifest.plan.contrasts} if open_ else set()
    assert set(undecided(run.manifest, run.slots)) == expected


# small parts


@pytest.mark.parametrize(("index", "text"), [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (702, "AAA")])
def test_letters(index: int, text: str) -> None:
    assert letter(index) == text


def test_equal_targets_tie() -> None:
    three = TARGETS[:1] + tuple(replace(TARGETS[0], name=name) for name in ("second", "third"))
    same = {(target.name, JSON): 110.0 for target in three}
    found = summary(make_run(targets=three, at=POINTS[:1], costs_us=same, control=False))
    assert {each.tie_group for each in found.cells} == {"A"}


def test_targets_in_different_slots_are_not_told_apart() -> None:
    run = make_run(at=POINTS[:1])
    apart: list[SlotRecord] = []
    for record in run.slots:
        half = Gate("split", "", "", "", fatal=False)
        fast = tuple(Gate("x", side.target, "", "") for side in record.sides if side.target != FASTAPI)
        slow = (Gate("x", FASTAPI, "", ""), Gate("x", TWIN, "", ""))
        apart += [replace(record, slot="one", gates=(half, *fast)), replace(record, slot="two", gates=slow)]
    found = summarise(run.manifest, apart, run.samples)
    assert cell(found, TORNADO).tie_group == cell(found, FASTAPI).tie_group == "A"


def test_percentiles_are_samples() -> None:
    found = percentiles([np.arange(1.0, 501.0), np.arange(501.0, 1001.0)])
    assert found == {"p50": 500.0, "p90": 900.0, "p99": 990.0, "p999": 999.0, "max": 1000.0}
    assert percentiles([]) == {}
    assert percentiles([np.empty(0)]) == {}
    assert set(percentiles([np.array([7.0])]).values()) == {7.0}


PREDICTIONS = [
    ("two sync workers of 50 ms", 0.05, 0.0, 2, 1, 20, True, 40.0),
    ("the loop of 50 ms", 0.05, 0.0, 1, 1, 20, False, 400.0),
    ("threads", 0.02, 0.0, 1, 8, 64, True, 400.0),
    ("fewer connections than threads", 0.02, 0.0, 1, 8, 4, True, 200.0),
    ("CPU-bound", 0.001, 0.001, 1, 1, 1000, False, 1000.0),
    ("no wait", 0.0, 0.0005, 1, 8, 32, True, 2000.0),
    ("more workers than CPUs", 0.0, 0.0005, 4, 1, 32, True, 2000.0),
]


@pytest.mark.parametrize(
    ("wait", "service", "workers", "threads", "concurrency", "sync", "expected"),
    [case[1:] for case in PREDICTIONS],
    ids=[case[0] for case in PREDICTIONS],
)
def test_predicted_throughput(
    wait: float, service: float, workers: int, threads: int, concurrency: int, sync: bool, expected: float
) -> None:
    assert predicted_throughput(wait, service, workers, threads, concurrency, sync) == pytest.approx(expected)


def test_predicted_throughput_on_more_cpus() -> None:
    assert predicted_throughput(0.0, 0.001, 4, 1, 64, True, cpus=2) == pytest.approx(2000.0)


@pytest.mark.parametrize("bad", [(-1.0, 1.0, 1, 1, 1), (0.0, 0.0, 1, 1, 1), (1.0, 1.0, 0, 1, 1), (1.0, 1.0, 1, 1, 0)])
def test_impossible_predictions(bad: tuple[float, float, int, int, int]) -> None:
    with pytest.raises(ValueError, match=r"above it|at least 1"):
        predicted_throughput(*bad, True)


def test_lacking_endpoints_say_why() -> None:
    run = make_run(at=POINTS[:1], missing=[Side(TORNADO, JSON)])
    lacking = tuple(
        replace(target, lacks={"json": "no JSON here"}) if target.name == TORNADO else target
        for target in run.manifest.targets
    )
    found = summarise(replace(run.manifest, targets=lacking), run.slots, run.samples)
    assert cell(found, TORNADO).reasons == ("no JSON here",)
    assert isinstance(lacking[0], Target)


def test_noise_at_waits_widens_the_margin_there_only() -> None:
    quiet, noisy = (
        Contrast(name, "real", "cpu_cost", Side("a~again", point), Side("a", point))
        for name, point in (("quiet", "json@16"), ("noisy", "io-sleep[ms=2]@64"))
    )
    values = {
        "quiet": BlockValues((0, 1, 2), np.array([0.001, -0.002, 0.003]), np.zeros(3)),
        "noisy": BlockValues((0, 1, 2), np.array([0.2, -0.1, 0.1]), np.zeros(3)),
    }
    found = _control_margins([quiet, noisy], frozenset(values), values, {"io-sleep[ms=2]@64"})
    assert found["cpu_cost", False] == 0.02
    assert found["cpu_cost", True] > 0.1
