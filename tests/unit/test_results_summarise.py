from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from harness.model import Block, Contrast, Failure, Gate, Reason, Side, Target, Trial, WindowRecord
from harness.results.frames import tidy
from harness.results.judge import _control_margins
from harness.results.live import undecided
from harness.results.predict import model_rps
from harness.results.summarise import summarise
from harness.results.summary import Cell, ContrastResult, Summary
from harness.stats.quantiles import percentiles
from harness.stats.ratio import BlockValues
from harness.stats.ties import letter, tie_groups
from tests.synthetic import TARGETS, Run, make_run, points, true_cost_us, true_throughput_rps

FASTAPI, TORNADO = "fastapi-uvicorn", "tornado"
TWIN = "fastapi-uvicorn twin"
JSON = "json@32"
POINTS = points(waits_ms=(20,), concurrencies=(64,))


def summary(run: Run) -> Summary:
    return summarise(run.manifest, run.records, run.samples)


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
    assert sound.health.windows == 12 * 3
    assert sound.health.failed_windows == sound.health.retried_windows == 0
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


def test_the_median_is_pooled_and_no_tail_is_taken_from_turns(sound: Summary) -> None:
    found = cell(sound, FASTAPI).service_time_us
    run = make_run(at=POINTS, blocks=12)
    sides = [[one.side for one in record.sides] for record in run.records]
    index = [each.index(Side(FASTAPI, JSON)) for each in sides if Side(FASTAPI, JSON) in each]
    records = [record for record, each in zip(run.records, sides, strict=True) if Side(FASTAPI, JSON) in each]
    pooled = np.concatenate([run.samples(record)[k] for record, k in zip(records, index, strict=True)])
    assert found == {"p50": np.sort(pooled)[int(np.ceil(0.5 * pooled.size)) - 1]}


def test_summaries_are_the_same_in_any_order_of_slots(sound: Summary) -> None:
    run = make_run(at=POINTS, blocks=12)
    again = summarise(run.manifest, sorted(run.records, key=lambda one: one.block), run.samples)
    assert again == sound


# runs with faults

GATE = Gate(Reason("generator-bound", {"text": "92% of its CPU"}), TORNADO, JSON)


def test_a_dead_target_fails_alone() -> None:
    found = summary(make_run(at=POINTS, failing=[TORNADO]))
    assert found.badge == "warnings"
    assert cell(found, TORNADO).status == "failed"
    assert cell(found, TORNADO).throughput_rps is None
    assert cell(found, TORNADO).reasons == (Reason("died", {"text": "exited with code 1", "windows": 8}),)
    assert contrast(found, TORNADO).verdict == "not-measurable"
    assert contrast(found, TORNADO).ratio is None
    assert contrast(found, TORNADO).reasons[0].code == "died"
    assert contrast(found, "flask-gunicorn").verdict == "different"
    assert {failure.target for failure in found.health.failures} == {TORNADO}


def test_a_gated_side_gives_no_number() -> None:
    found = summary(make_run(at=POINTS, gates=[GATE]))
    assert cell(found, TORNADO).status == "not-measurable"
    assert cell(found, TORNADO, "orders-raw@32").status == "ok"
    assert contrast(found, TORNADO).verdict == "not-measurable"
    assert found.badge == "warnings"
    assert Reason("generator-limits", {"targets": (TORNADO,)}) in found.reasons


def test_blocks_without_a_gate_still_count() -> None:
    found = summary(make_run(at=POINTS, gates=[GATE], gated_blocks=[0, 1]))
    assert cell(found, TORNADO).status == "ok"
    assert cell(found, TORNADO).reasons == (Reason("generator-bound", {"text": "92% of its CPU", "windows": 2}),)
    assert contrast(found, TORNADO).blocks == 6
    assert contrast(found, "flask-gunicorn").blocks == 8


def test_a_retried_slot_counts_once_and_is_reported() -> None:
    found = summary(make_run(at=POINTS, gates=[GATE], retried=True))
    assert cell(found, TORNADO).status == "ok"
    assert found.health.retried_windows == 8
    assert found.health.failed_windows == 0
    assert found.health.gates == (GATE,)
    assert contrast(found, TORNADO).blocks == 8


def test_wrong_replies_are_no_throughput() -> None:
    found = summary(make_run(at=POINTS, wrong=[Side(TORNADO, JSON)]))
    assert cell(found, TORNADO).status == "failed"
    assert cell(found, TORNADO).throughput_rps is None
    assert cell(found, TORNADO).replies == 0
    assert cell(found, TORNADO).errors == {"wrong-body": 24}
    assert cell(found, TORNADO).reasons == (Reason("bad-replies", {"wrong": 3, "failed": 0, "windows": 8}),)


def test_a_side_that_no_window_holds_was_not_run() -> None:
    found = summary(make_run(at=POINTS, missing=[Side(TORNADO, JSON)]))
    assert cell(found, TORNADO).status == "not-run"
    assert contrast(found, TORNADO).verdict == "undecided"
    assert contrast(found, TORNADO).reasons == (Reason("not-measured"),)


def test_a_skipped_target_says_why() -> None:
    run = make_run(at=POINTS, missing=[Side(TORNADO, point.id) for point in POINTS])
    manifest = replace(
        run.manifest, skipped=(Failure(TORNADO, "", Reason("not-ready", {"text": "no answer in 10 s"})),)
    )
    found = summarise(manifest, run.records, run.samples)
    assert cell(found, TORNADO).status == "failed"
    assert cell(found, TORNADO).reasons == (Reason("not-ready", {"text": "no answer in 10 s"}),)
    assert contrast(found, TORNADO).verdict == "not-measurable"
    assert found.badge == "warnings"


def test_a_target_of_studies_only_has_no_cells() -> None:
    run = make_run(at=POINTS)
    extra = replace(TARGETS[0], name="in-threads")
    trial = Trial("t", 0, "neighbours", "neighbours", extra.name, {}, 1.0)
    study = Block(0, (extra.name, TORNADO), trials=(trial, replace(trial, target=TORNADO)), study="neighbours")
    plan = replace(run.manifest.plan, blocks=(*run.manifest.plan.blocks, study))
    found = summarise(
        replace(run.manifest, targets=(*run.manifest.targets, extra), plan=plan), run.records, run.samples
    )
    assert {each.target for each in found.cells} == {each.target for each in summary(run).cells}
    assert TORNADO in {each.target for each in found.cells}


def test_all_failed() -> None:
    found = summary(make_run(at=POINTS, all_failed=True))
    assert found.badge == "do-not-cite"
    assert found.reasons[0] == Reason("no-number")
    assert {each.status for each in found.cells} == {"failed"}
    assert {each.verdict for each in found.contrasts} == {"not-measurable"}
    assert found.blocks == 0


def test_windows_in_which_no_side_was_ready_have_failed() -> None:
    """No side takes a turn then, so there are no slices."""
    run = make_run(at=POINTS, all_failed=True)
    found = summary(replace(run, records=tuple(replace(record, slices=None) for record in run.records)))
    assert {each.status for each in found.cells} == {"failed"}
    assert cell(found, TORNADO).reasons == (Reason("died", {"text": "exited with code 1", "windows": 8}),)
    assert {each.verdict for each in found.contrasts} == {"not-measurable"}
    assert found.health.failed_windows == found.health.windows == len(run.records)
    assert found.badge == "do-not-cite"


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
    assert Reason("not-finished", {"status": "interrupted"}) in found.reasons
    assert contrast(found, TORNADO).blocks == 8
    assert contrast(found, TORNADO, "orders-full@32").blocks == 7


def test_without_a_control_the_margin_is_the_least_and_the_badge_says_so() -> None:
    found = summary(make_run(at=POINTS, control=False))
    assert found.margin == 0.02
    assert found.reasons == (Reason("no-control"),)


def test_hostile_names_are_only_names() -> None:
    plain, hostile = summary(make_run(at=POINTS)), summary(make_run(at=POINTS, hostile=True))
    assert [each.ratio for each in hostile.contrasts] == [each.ratio for each in plain.contrasts]


# the control


def test_a_control_that_differs_forbids_citing() -> None:
    biased = {(TWIN, point.id): 1.08 * true_cost_us(TARGETS[0], point) for point in POINTS}
    found = summary(make_run(at=POINTS, blocks=12, costs_us=biased))
    assert found.badge == "do-not-cite"
    assert found.reasons[0].code == "control-different"
    assert found.margin > 0.07
    assert found.contrasts[0].margin == 0.02


def test_a_noisy_control_widens_the_margin_of_the_others() -> None:
    found = summary(make_run(at=POINTS, blocks=8, block_sd=0.04))
    assert found.margin > 0.04
    assert contrast(found, TORNADO).margin > 0.04
    controls = [each for each in found.contrasts if TWIN in (each.a.target, each.b.target)]
    assert {(each.verdict, each.margin > 0.04) for each in controls} == {("same", True)}
    assert found.badge == "sound"


# while the run goes on


def test_undecided_widest_first() -> None:
    close = {(target.name, JSON): 110.0 * (1.015 if target.name == TORNADO else 1.0) for target in TARGETS}
    run = make_run(at=POINTS[:1], blocks=5, costs_us=close, block_sd=0.02)
    found = summary(run)
    ordered = undecided(run.manifest, run.records)
    widths = {
        each.id: (each.ci_high or 0) / (each.ci_low or 1) for each in found.contrasts if each.verdict == "undecided"
    }
    assert ordered
    assert list(ordered) == sorted(widths, key=lambda key: -widths[key])


def test_blocks_between_looks_change_nothing_of_what_is_undecided() -> None:
    close = {(target.name, JSON): 110.0 * (1.015 if target.name == TORNADO else 1.0) for target in TARGETS}
    run = make_run(at=POINTS[:1], blocks=7, costs_us=close, block_sd=0.02)
    at_the_look = undecided(run.manifest, [record for record in run.records if record.block < 5])
    assert undecided(run.manifest, run.records) == at_the_look
    assert set(at_the_look) != {each.id for each in summary(run).contrasts if each.verdict == "undecided"}


CASES: list[tuple[str, Callable[[], Run], bool]] = [
    ("nothing yet", lambda: make_run(at=POINTS, blocks=0), True),
    ("one block", lambda: make_run(at=POINTS, blocks=1), True),
    ("all dead", lambda: make_run(at=POINTS, all_failed=True), False),
]


@pytest.mark.parametrize(("make", "open_"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_is_open_at_the_edges(make: Callable[[], Run], open_: bool) -> None:
    run = make()
    expected = {each.id for each in run.manifest.plan.contrasts} if open_ else set()
    assert set(undecided(run.manifest, run.records)) == expected


# small parts


@pytest.mark.parametrize(("index", "text"), [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (702, "AAA")])
def test_letters(index: int, text: str) -> None:
    assert letter(index) == text


def test_equal_targets_tie() -> None:
    three = TARGETS[:1] + tuple(replace(TARGETS[0], name=name) for name in ("second", "third"))
    same = {(target.name, JSON): 110.0 for target in three}
    found = summary(make_run(targets=three, at=POINTS[:1], costs_us=same, control=False))
    assert {each.tie_group for each in found.cells} == {"A"}


def test_a_decided_contrast_parts_two_of_a_letter() -> None:
    three = TARGETS[:1] + tuple(replace(TARGETS[0], name=name) for name in ("second", "third"))
    same = {(target.name, JSON): 110.0 for target in three}
    frames = tidy(make_run(targets=three, at=POINTS[:1], costs_us=same, control=False).records)
    first, second, third = (Side(target.name, POINTS[0].id) for target in three)
    rates = {first: 3.0, second: 2.0, third: 1.0}
    for pair, letters in ({second, third}, "AAB"), ({first, third}, "AAB"), ({first, second}, "ABA"):
        found = tie_groups(frames.tables, POINTS[:1], rates, margin=0.02, decided={frozenset(pair)})
        assert "".join(found[side] for side in rates) == letters


def test_targets_in_different_windows_share_a_letter() -> None:
    run = make_run(at=POINTS[:1])
    apart: list[WindowRecord] = []
    for record in run.records:
        fast = tuple(Gate(Reason("x"), side.target, "") for side in record.sides if side.target != FASTAPI)
        slow = (Gate(Reason("x"), FASTAPI, ""), Gate(Reason("x"), TWIN, ""))
        apart += [replace(record, id="one", gates=fast), replace(record, id="two", gates=slow)]
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


def with_threads(workers: int, threads: int, sync: bool) -> Target:
    return Target("t", "flask", "wsgi" if sync else "asgi", "steady", "a:app", workers=workers, threads=threads)


@pytest.mark.parametrize(
    ("wait", "service", "workers", "threads", "concurrency", "sync", "expected"),
    [case[1:] for case in PREDICTIONS],
    ids=[case[0] for case in PREDICTIONS],
)
def test_the_model_of_throughput(
    wait: float, service: float, workers: int, threads: int, concurrency: int, sync: bool, expected: float
) -> None:
    target = with_threads(workers, threads, sync)
    assert model_rps(target, wait, concurrency, service * 1e6, cpus=1) == pytest.approx(expected)


@pytest.mark.parametrize(("cpus", "expected"), [(2, 2000.0), (0, 4000.0)])
def test_the_model_of_throughput_on_more_cpus(cpus: int, expected: float) -> None:
    assert model_rps(with_threads(4, 1, True), 0.0, 64, 1000.0, cpus=cpus) == pytest.approx(expected)


@pytest.mark.parametrize(("wait", "cpu_us"), [(-1.0, 1.0), (1.0, -1.0), (0.0, 0.0)])
def test_times_that_no_request_has(wait: float, cpu_us: float) -> None:
    with pytest.raises(ValueError, match="above it"):
        model_rps(with_threads(1, 1, True), wait, 1, cpu_us)


def test_lacking_endpoints_say_why() -> None:
    run = make_run(at=POINTS[:1], missing=[Side(TORNADO, JSON)])

    def reasons(**changes: object) -> tuple[Reason, ...]:
        targets = tuple(replace(t, **changes) if t.name == TORNADO else t for t in run.manifest.targets)  # type: ignore[arg-type]
        return cell(summarise(replace(run.manifest, targets=targets), run.records, run.samples), TORNADO).reasons

    assert reasons(lacks={"json": "no JSON here"}) == (Reason("lacks", {"text": "no JSON here"}),)
    assert reasons(endpoints=("plaintext",)) == (Reason("not-implemented", {"endpoint": "json"}),)
    assert reasons() == (Reason("not-planned"),)


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
