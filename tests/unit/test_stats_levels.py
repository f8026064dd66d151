"""Levels of sides from neighbouring slices, where the machine changes meanwhile."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from harness.model import Side
from harness.stats.levels import levels, window_levels


def turns(rng: np.random.Generator, sides: int, rounds: int) -> np.ndarray:
    return np.concatenate([rng.permutation(sides) for _ in range(rounds)])


def storm(rng: np.random.Generator, slices: int) -> np.ndarray:
    """ln of a speed that changes by 1.7 in some 15% of the slices."""
    return np.log(1.7) * (np.cumsum(rng.random(slices) < 0.15) % 2)


@pytest.mark.parametrize(("sides", "rounds"), [(2, 20), (3, 9), (8, 8), (40, 5)])
def test_levels_are_found_while_the_machine_changes_its_speed(sides: int, rounds: int) -> None:
    rng = np.random.default_rng(sides)
    truth = rng.normal(0, 0.5, sides)
    errors = []
    for _ in range(40):
        side = turns(rng, sides, rounds)
        found = levels(side, truth[side] + storm(rng, side.size) + rng.normal(0, 0.02, side.size))
        errors += list((found - found[0] - truth + truth[0])[1:])
    assert np.sqrt(np.mean(np.square(errors))) < 0.04
    assert abs(np.mean(errors)) < 0.01


def test_neighbours_see_more_than_rounds_do() -> None:
    rng = np.random.default_rng(5)
    by_round, by_neighbours = [], []
    for _ in range(60):
        side = turns(rng, 8, 8)
        values = storm(rng, side.size) + rng.normal(0, 0.02, side.size)
        found = levels(side, values)
        by_neighbours.append(found[0] - found[1])
        by_round.append(np.median(values[side == 0] - values[side == 1]))
    assert np.std(by_neighbours) < np.std(by_round) / 2


def test_the_common_height_is_that_of_the_medians() -> None:
    assert levels(np.array([0, 1, 0, 1, 0, 1]), np.array([1.0, 2, 1, 2, 1, 2])) == pytest.approx([1, 2])
    assert levels(np.zeros(3, dtype=np.intp), np.array([1.0, 5, 2])) == pytest.approx([2])


def test_windows_are_apart_and_keep_their_sides() -> None:
    rows = [
        {"block": block, "window": window, "target": target, "point": point, "cpu_us": cost}
        for block in (0, 1)
        for window, point in (("x", "p"), ("y", "q"))
        for _ in range(3)
        for target, cost in (("a", 10.0 * (block + 1)), ("b", 20.0 if window == "x" else np.nan))
    ]
    found = window_levels(pd.DataFrame(rows), "cpu_us")
    assert found.blocks.tolist() == [0, 0, 1, 1]
    assert np.exp(found.columns[Side("a", "p")])[[0, 2]] == pytest.approx([10, 20])
    assert np.exp(found.columns[Side("a", "q")])[[1, 3]] == pytest.approx([10, 20])
    assert np.isnan(found.columns[Side("a", "p")]).tolist() == [False, True, False, True]
    assert Side("b", "q") not in found.columns


def test_without_slices_there_are_no_levels() -> None:
    empty = pd.DataFrame({"block": [], "window": [], "target": [], "point": [], "cpu_us": []})
    assert window_levels(empty, "cpu_us").columns == {}
