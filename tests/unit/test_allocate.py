from dataclasses import replace
from itertools import pairwise

import pytest

from harness.model import Block, Contrast, Plan, Side, Window
from harness.plan.allocate import next_block, next_load
from harness.plan.timing import block_seconds
from harness.stats.looks import EARLY_LOOKS, LOOKS


def side(target, point="json@32"):
    return Side(target, point)


def contrast(a, b, point="json@32"):
    return Contrast(f"{a}/{b}/{point}", "pick", "cpu_cost", side(a, point), side(b, point))


def plan():
    windows = (
        Window.in_turns("json@32", 0, tuple(map(side, "abcd")), 4.0, 1),
        Window.in_turns("items@32", 0, tuple(side(name, "items@32") for name in "abcd"), 4.0, 1),
    )
    contrasts = (contrast("a", "b"), contrast("c", "d"), contrast("a", "b", "items@32"))
    return Plan("quick", 1, 60, 50, (), contrasts, (Block(0, ("a", "b", "c", "d"), windows),))


def test_only_undecided_sides_are_measured_again():
    block = next_block(plan(), 5, ["a/b/json@32"], 30)
    assert block.index == 5
    assert block.targets == ("a", "b")
    assert [(window.id, window.sides, window.budget_s) for window in block.windows] == [
        ("b05-json@32", (side("a"), side("b")), 2.0)
    ]


def test_the_first_in_the_list_gets_time_first():
    undecided = ["c/d/json@32", "a/b/items@32"]
    short = block_seconds(2) + 2.1
    assert next_block(plan(), 5, undecided, short).targets == ("c", "d")
    assert len(next_block(plan(), 5, undecided, 30).windows) == 2


def test_windows_that_were_added_later_are_known():
    first = plan()
    late = Window.in_turns("late@32", 5, (side("a", "late@32"), side("b", "late@32")), 3.0, 1)
    more = replace(
        first,
        blocks=(*first.blocks, Block(5, ("a", "b"), (late,))),
        contrasts=(*first.contrasts, contrast("a", "b", "late@32")),
    )
    block = next_block(more, 6, ["a/b/late@32"], 30)
    assert [(window.id, window.budget_s) for window in block.windows] == [("b06-late@32", 3.0)]


def test_nothing_undecided_or_no_time_ends_the_run():
    assert next_block(plan(), 5, [], 30) is None
    assert next_block(plan(), 5, ["a/b/json@32"], 1) is None


def loads(budget_s, first_s=1.2, starting_s=2.0):
    """The loads of all blocks of a comparison that nothing decides."""
    found = [first_s]
    while load := next_load(
        len(found), first_s, found[-1], starting_s, budget_s - sum(found) - starting_s * len(found)
    ):
        found.append(load)
        if len(found) == LOOKS[-1]:
            break
    return found


@pytest.mark.parametrize("budget_s", [0, 3, 10, 15, 40, 120, 600])
def test_the_blocks_of_a_comparison_grow_and_keep_to_its_budget(budget_s):
    found = loads(budget_s)
    assert set(found[: EARLY_LOOKS[-1]]) == {1.2}
    assert sum(found) + 2.0 * len(found) <= max(budget_s, 3.2) + 1e-9
    assert all(before / 1.001 <= after <= 2 * before for before, after in pairwise(found))


@pytest.mark.parametrize(
    ("budget_s", "first_s", "least"), [(15, 1.2, 4), (27, 1.2, LOOKS[1]), (40, 1.2, LOOKS[1]), (40, 4.0, 6)]
)
def test_more_blocks_come_before_longer_ones(budget_s, first_s, least):
    assert len(loads(budget_s, first_s)) >= least


def test_a_long_budget_is_spent_on_all_looks():
    found = loads(600)
    assert len(found) == LOOKS[-1]
    assert sum(found) + 2.0 * len(found) > 590
