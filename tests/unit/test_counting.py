"""Which instructions a run counts, within which time, and where they stand in what it writes."""

from dataclasses import replace

import pytest

from harness.model import Contrast, Gate, InstructionCount, Reason, Side, SideResult, WindowRecord
from harness.plan import make_plan, with_twin
from harness.plan.counting import INSTRUCTIONS, with_counts
from harness.report.export import summary_csv
from harness.report.markdown import render_markdown
from harness.results.instructions import counts_of, ratio_of, with_instructions
from tests.unit.summaries import contrast, manifest, summary
from tests.unit.test_plan import TEST, scenario, target

TARGETS = [target(f"t{number}", reference=number == 7) for number in range(8)]


def planned(budget_s, points=8, targets=TARGETS):
    plan = make_plan(with_twin(targets), [scenario(f"s{n}") for n in range(points)], [], TEST, seed=1, budget_s=900)
    return plan, with_counts(plan, targets, plan.points, budget_s)


def counting(plan):
    return [block for block in plan.blocks if block.study == INSTRUCTIONS]


def test_eight_targets_at_eight_points_take_75_seconds_at_most():
    before, plan = planned(75.0)
    blocks = counting(plan)
    sides = [side for block in blocks for window in block.windows for side in window.sides]
    assert len(sides) == len(set(sides)) == 64
    assert not any(side.target == "t7~again" for side in sides)
    took = sum(block.load_s for block in blocks)
    assert took <= 75
    assert plan.estimate_s == pytest.approx(before.estimate_s + took)
    assert len({window.id for window in plan.windows}) == len(plan.windows)
    assert all(len(block.targets) == 4 for block in blocks)
    assert plan.blocks == (before.blocks[0], *blocks, *before.blocks[1:])


def test_with_less_time_points_are_left_out_and_then_targets_but_not_references():
    blocks = counting(planned(30.0)[1])
    assert sum(block.load_s for block in blocks) <= 30
    assert "t7" in {name for block in blocks for name in block.targets}
    assert counting(planned(5.0)[1]) == []


def test_points_between_which_steps_are_taken_are_left_out_last():
    points = planned(900.0)[0].points
    step = Contrast("step", "validate", "cpu_cost", Side("t0", points[7].id), Side("t0", points[6].id))
    plan = replace(planned(900.0)[0], contrasts=(step,))
    counted = {
        side.point
        for block in counting(with_counts(plan, TARGETS, points, 44.0))
        for window in block.windows
        for side in window.sides
    }
    assert counted == {points[number].id for number in (0, 1, 6, 7)}


def test_with_more_time_there_are_more_starts():
    assert {block.index for block in counting(planned(250.0)[1])} == {0, 1, 2}


def test_of_several_concurrencies_one_is_counted():
    plan = make_plan(with_twin(TARGETS[:2]), [scenario(concurrency=(4, 32))], [], TEST, seed=1)
    windows = [
        window for block in counting(with_counts(plan, TARGETS[:2], plan.points, 12)) for window in block.windows
    ]
    assert [(window.sides[0].point, window.connections) for window in windows] == [("json@4", 1)]


def record(block, values, gates=()):
    counts = [
        InstructionCount(name, "json@32", "callgrind", value, 40, 1, 0.0, {"Python": value}, {})
        for name, value in values.items()
    ]
    sides = [SideResult(name, "json@32", "json", {}, 1, 40, 40) for name in values]
    return WindowRecord(
        f"i{block}", block, 0, INSTRUCTIONS, "wire", "", 1.0, tuple(sides), gates=tuple(gates), counts=tuple(counts)
    )


def test_what_could_not_be_counted_gives_no_number():
    bad = record(1, {"fast": 9e9, "slow": 1e5}, [Gate(Reason("uncounted", {"text": "why"}), "fast", "json@32")])
    counts = counts_of([record(0, {"fast": 2e5, "slow": 1e5}), bad])
    fast, slow = Side("fast", "json@32"), Side("slow", "json@32")
    assert {start: each.per_request for start, each in counts[fast].items()} == {0: 2e5}
    assert list(counts[slow]) == [0, 1]
    found = ratio_of(counts, fast, slow)
    assert (found.value, found.ci_low, found.blocks) == (pytest.approx(2), None, 1)
    assert ratio_of(counts, fast, Side("slow", "json@1")) is None


def test_cells_contrasts_tables_and_markdown_have_them():
    plain = summary(contrasts=(contrast(metric="cpu_cost"), contrast()))
    counts = counts_of([record(0, {"fast": 2e5, "slow": 1e5}), record(1, {"fast": 2.002e5, "slow": 1e5})])
    found = with_instructions(plain, counts, ())
    cell = next(each for each in found.cells if (each.target, each.point) == ("fast", "json@32"))
    assert cell.instructions.value == pytest.approx(200_100)
    assert cell.instructions.blocks == 2
    assert [each.instructions for each in found.contrasts] == [pytest.approx(100_100), None]
    line = next(line for line in summary_csv(found).splitlines() if line.startswith("fast,json@32"))
    assert "200100.0" in line
    assert "| 200,100 |" in render_markdown(manifest(), found)
    assert "instructions per request" not in render_markdown(manifest(), plain)
    assert with_instructions(plain, {}, ()) == plain
