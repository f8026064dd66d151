from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from harness.model import Contrast, Metric, Point, Side, Target
from harness.stats.ratio import BlockValues, SliceData, absolute_values, centre, contrast_values, stepped

A, B = Side("a", "p@1"), Side("b", "p@1")
POINT = Point("p@1", "p", {}, 1, ())
TWIN = Target("t", "x", "asgi", "uvicorn", "a:app", twin_of=B.target)
WAIT = Point("p@1", "p", {}, 1, (), wait_s=0.02)


def frame(a: list[list[float]], b: list[list[float]], *, count: int = 1000) -> pd.DataFrame:
    """A value per block and round for each side, as throughput and as CPU cost; in a round A comes first."""
    rows = [
        {
            "block": block,
            "window": f"s{block}",
            "round": round_,
            "target": side.target,
            "point": side.point,
            "rps": value,
        }
        for side, blocks in ((A, a), (B, b))
        for block, values in enumerate(blocks)
        for round_, value in enumerate(values)
    ]
    made = pd.DataFrame(rows).sort_values(["block", "round"], kind="stable", ignore_index=True)
    return made.assign(cpu_us=made["rps"], window_replies=count, replies=count)


def twin_rows(blocks: list[list[float]]) -> pd.DataFrame:
    return frame([], blocks).assign(target=TWIN.name)


def contrast(metric: Metric = "cpu_cost") -> Contrast:
    return Contrast("c", "pick", metric, A, B)


def values(slices: pd.DataFrame, metric: Metric = "cpu_cost", point: Point = POINT) -> BlockValues:
    return contrast_values(SliceData(slices), [contrast(metric)], [point])["c"]


def test_ratio_and_difference_are_those_of_the_levels() -> None:
    found = values(frame([[2, 2, 2], [3, 3, 3]], [[1, 1, 1], [2, 2, 2]]))
    assert found.blocks == (0, 1)
    assert np.exp(found.log_ratio) == pytest.approx([2, 1.5])
    assert found.difference == pytest.approx([1, 1])


def test_a_shared_disturbance_cancels() -> None:
    machine = np.repeat([1.0, 3.0, 0.5, 2.0], 5)
    found = values(frame([list(2.0 * machine)], [list(1.0 * machine)]))
    assert np.exp(found.log_ratio) == pytest.approx([2.0], rel=0.01)


def test_slices_without_a_number_are_skipped() -> None:
    found = values(frame([[2, np.nan, 2], [np.nan] * 3], [[1, 1, 1], [1, 1, 1]]))
    assert found.blocks == (0,)
    assert np.exp(found.log_ratio) == pytest.approx([2])


def test_sides_in_different_windows_never_meet() -> None:
    slices = frame([[2, 2]], [[1, 1]])
    slices.loc[slices["target"] == "b", "window"] = "another"
    assert values(slices).blocks == ()


def test_an_absent_side_has_no_values() -> None:
    slices = frame([[2, 2]], [[1, 1]])
    assert values(slices[slices["target"] == "a"]).blocks == ()
    assert values(slices.iloc[:0]).blocks == ()


@pytest.mark.parametrize(("point", "wanted"), [(POINT, False), (WAIT, True)])
def test_throughput_comes_in_few_steps_where_requests_wait(point: Point, wanted: bool) -> None:
    assert stepped(A, [point]) == wanted


def test_throughput_in_few_steps_is_not_stuck_to_a_step() -> None:
    rng = np.random.default_rng(1)
    steps_a = 160.0 + 8 * (rng.random(200) < 0.3)
    steps_b = 160.0 + 8 * (rng.random(200) < 0.6)
    slices = frame([list(steps_a)], [list(steps_b)])
    true = float(np.log(steps_a / steps_b).mean())
    assert values(slices, "throughput", WAIT).log_ratio[0] == pytest.approx(true, abs=0.006)


def test_absolute_values_are_centres_per_block() -> None:
    found = absolute_values(frame([[1, 2, 30], [5, 5, np.nan]], [[7], [np.nan]]), [POINT], "cpu_cost")
    assert found[A].tolist() == [2, 5]
    assert found[B].tolist() == [7]


@pytest.mark.parametrize("trimmed", [False, True])
def test_centre_ignores_one_wild_value(trimmed: bool) -> None:
    assert centre(np.array([1.0] * 9 + [1000.0]), trimmed=trimmed) == 1.0


def test_a_twin_stands_in_contrasts_for_its_target() -> None:
    slices = pd.concat([frame([[2, 2, 2], [3, 3, 3]], [[1, 1, 1], [1, 1, 1]]), twin_rows([[4, 4, 8], [np.nan] * 3])])
    found = contrast_values(SliceData(slices), [contrast()], [POINT], [TWIN])["c"]
    assert np.exp(found.log_ratio) == pytest.approx([1.0, 3.0])
    assert found.difference == pytest.approx([-0.5, 2.0])
    assert np.exp(values(slices).log_ratio) == pytest.approx([2.0, 3.0])


def test_a_target_against_its_twin_is_those_two() -> None:
    slices = pd.concat([frame([[2, 2]], [[1, 1]]), twin_rows([[4, 4]])])
    control = Contrast("c", "pick", "cpu_cost", Side(TWIN.name, "p@1"), B)
    assert np.exp(contrast_values(SliceData(slices), [control], [POINT], [TWIN])["c"].log_ratio) == pytest.approx([4.0])


def test_a_block_without_the_target_itself_has_no_value() -> None:
    slices = pd.concat([frame([[2, 2], [2, 2]], [[np.nan] * 2, [1, 1]]), twin_rows([[4, 4], [2, 2]])])
    assert contrast_values(SliceData(slices), [contrast()], [POINT], [TWIN])["c"].blocks == (1,)
