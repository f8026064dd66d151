"""Cost ladders of runs whose true costs are known."""

import dataclasses

import pytest

from harness.model import Contrast, Failure, Gate, Ladder, Reason, Rung, Side
from harness.results.summarise import summarise
from tests.synthetic import TARGETS, make_run

TOP = TARGETS[0].name
OTHER = TARGETS[1].name
JSON, RAW, CHECKED, FULL = "json@32", "orders-raw@32", "orders-validated@32", "orders-full@32"


def rung(label, point, target=TOP):
    return Rung(label, target, point.partition("@")[0], point)


LADDER = Ladder(
    "x",
    "X on Y",
    "framework",
    (rung("floor", JSON, OTHER), rung("x", JSON), rung("body", RAW), rung("checked", CHECKED), rung("full", FULL)),
)


def climbed(run, *ladders):
    steps = [
        Contrast(f"cpu_cost:{TOP}|{JSON}/{OTHER}|{JSON}", "ladder", "cpu_cost", Side(TOP, JSON), Side(OTHER, JSON))
    ]
    plan = run.manifest.plan
    known = {contrast.id for contrast in plan.contrasts}
    plan = dataclasses.replace(
        plan, ladders=ladders, contrasts=(*plan.contrasts, *(step for step in steps if step.id not in known))
    )
    return summarise(dataclasses.replace(run.manifest, plan=plan), run.records, run.samples)


COSTS = {(OTHER, JSON): 50.0, (TOP, JSON): 90.0, (TOP, RAW): 100.0, (TOP, CHECKED): 130.0, (TOP, FULL): 190.0}


@pytest.mark.fuzz
def test_each_step_is_what_it_truly_costs_and_they_add_up():
    found = climbed(make_run(costs_us=COSTS, blocks=8, rounds=30), LADDER)
    (ladder,) = found.ladders
    assert [step.label for step in ladder.steps] == ["x", "body", "checked", "full"]
    assert [step.difference for step in ladder.steps] == pytest.approx([40, 10, 30, 60], abs=5)
    assert [step.within for step in ladder.steps] == ["round", "block", "round", "round"]
    assert ladder.direct.difference == pytest.approx(140, abs=6)
    assert ladder.direct.within == "block"
    assert ladder.total == pytest.approx(140, abs=6)
    assert ladder.gap_low < 0 < ladder.gap_high
    assert ladder.check in ("adds-up", "within-interval")
    assert [each.cpu_us.value for each in ladder.rungs] == pytest.approx([50, 90, 100, 130, 190], rel=0.03)


@pytest.mark.fuzz
def test_a_quiet_run_adds_up_within_the_margin():
    run = make_run(costs_us=COSTS, blocks=8, rounds=30, slice_sd=0.001, block_sd=0.001)
    assert climbed(run, LADDER).ladders[0].check == "adds-up"


def test_a_step_that_is_a_contrast_says_what_the_contrast_says():
    found = climbed(make_run(costs_us=COSTS, blocks=8, rounds=10), LADDER)
    step = found.ladders[0].steps[0]
    contrast = next(each for each in found.contrasts if each.id == step.contrast)
    assert (step.difference, step.ratio, step.verdict) == (contrast.difference, contrast.ratio, contrast.verdict)


@pytest.mark.fuzz
def test_steps_that_depend_on_the_round_do_not_add_up():
    run = make_run(costs_us=COSTS, blocks=8, rounds=20, slice_sd=0.002)
    slower = []
    for record in run.records:
        slices = record.slices
        sides = [one.side for one in record.sides]
        top = sides.index(Side(TOP, FULL)) if Side(TOP, FULL) in sides else -1
        cpu = [
            c * (1.3 if s == top and r % 2 else 1)
            for c, s, r in zip(slices.cpu, slices.side, slices.round, strict=True)
        ]
        slower.append(dataclasses.replace(record, slices=dataclasses.replace(slices, cpu=tuple(cpu))))
    (ladder,) = climbed(dataclasses.replace(run, records=tuple(slower)), LADDER).ladders
    assert ladder.check == "does-not-add-up"
    assert ladder.gap == pytest.approx(-0.3 * 190, rel=0.1)


def test_rungs_without_a_number_are_skipped_with_the_reason():
    run = make_run(
        costs_us=COSTS,
        blocks=6,
        rounds=10,
        gates=[Gate(Reason("steal", {"text": "5% of the time was stolen"}), TOP, CHECKED)],
    )
    absent = Rung("absent", "granian", "json", "", Reason("no-target", {"target": "granian"}))
    ladder = dataclasses.replace(LADDER, rungs=(LADDER.rungs[0], absent, *LADDER.rungs[1:]))
    manifest = dataclasses.replace(
        run.manifest, skipped=(Failure("granian", "", Reason("not-installed", {"text": "pip install granian"})),)
    )
    (found,) = climbed(dataclasses.replace(run, manifest=manifest), ladder).ladders
    assert [step.label for step in found.steps] == ["absent, x", "body", "checked, full"]
    reasons = {each.label: each.reason for each in found.rungs if each.reason}
    assert reasons == {
        "absent": Reason("not-installed", {"text": "pip install granian"}),
        "checked": Reason("steal", {"text": "5% of the time was stolen"}),
    }
    assert found.steps[-1].difference == pytest.approx(90, abs=6)


@pytest.mark.parametrize("blocks", [1, 2])
def test_few_blocks_check_nothing(blocks):
    (ladder,) = climbed(make_run(costs_us=COSTS, blocks=blocks, rounds=4), LADDER).ladders
    assert ladder.check == "not-checked"
    assert {step.verdict for step in ladder.steps} == {"undecided"}


def test_a_run_in_which_all_failed_has_no_steps():
    (ladder,) = climbed(make_run(blocks=3, rounds=2, all_failed=True), LADDER).ladders
    assert (ladder.steps, ladder.direct, ladder.check) == ((), None, "not-checked")
    assert all(each.reason for each in ladder.rungs)
