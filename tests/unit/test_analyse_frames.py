from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.analyse.frames import side_faults, tidy
from harness.model import Failure, Gate, Side, Slices, SlotRecord

A, B = Side("a", "json@32"), Side("b", "json@32")


def record(
    *, attempt: int = 0, replies: tuple[int, ...] = (50, 60, 55, 65), cpu: tuple[float, ...] = (0.01, 0.02, 0.01, 0.02)
) -> SlotRecord:
    """Two rounds of two sides: a, b, a, b."""
    return SlotRecord(
        slot="json",
        block=0,
        attempt=attempt,
        started_at="",
        duration_s=1.0,
        sides=(A, B),
        slices=Slices(
            round=(0, 0, 1, 1),
            side=(0, 1, 0, 1),
            started=(0.0, 0.06, 0.12, 0.18),
            length=(0.06,) * 4,
            window=(0.05,) * 4,
            drain=(0.001,) * 4,
            window_replies=replies,
            replies=tuple(n * 2 for n in replies),
            wrong=(0,) * 4,
            failed=(0,) * 4,
            cpu=cpu,
            generator_cpu=(0.01,) * 4,
            foreign_cpu=(0.0,) * 4,
        ),
    )


def with_wrong(one: SlotRecord, **counts: tuple[int, ...]) -> SlotRecord:
    return replace(one, slices=replace(one.slices, **counts))


def test_numbers_of_a_sound_slot() -> None:
    frames = tidy([record()])
    assert frames.excluded == ()
    assert frames.slices["target"].tolist() == ["a", "b", "a", "b"]
    assert frames.slices["rps"].tolist() == pytest.approx([1000, 1200, 1100, 1300])
    assert frames.slices["cpu_us"].tolist() == pytest.approx([100, 0.02e6 / 120, 0.01e6 / 110, 0.02e6 / 130])


FAULTS = [
    pytest.param(replace(record(), failures=(Failure("a", "", "died", "exited"),)), {A: "failure"}, id="target-died"),
    pytest.param(
        replace(record(), failures=(Failure("a", "other@1", "died", "exited"),)), {}, id="failure-of-another-point"
    ),
    pytest.param(replace(record(), gates=(Gate("steal", "", "", "20%"),)), {A: "gate", B: "gate"}, id="whole-slot"),
    pytest.param(replace(record(), gates=(Gate("little", "b", "json@32", "5%"),)), {B: "gate"}, id="one-side"),
    pytest.param(replace(record(), gates=(Gate("little", "b", "", "5%", fatal=False),)), {}, id="not-fatal"),
    pytest.param(with_wrong(record(), wrong=(0, 0, 1, 0)), {A: "replies"}, id="wrong-reply"),
    pytest.param(with_wrong(record(), failed=(0, 2, 0, 0)), {B: "replies"}, id="failed-reply"),
    pytest.param(with_wrong(record(), side=(0, 0, 0, 0)), {B: "missing"}, id="no-slices"),
]


@pytest.mark.parametrize(("one", "expected"), FAULTS)
def test_faulty_sides_are_excluded_with_a_reason(one: SlotRecord, expected: dict[Side, str]) -> None:
    frames = tidy([one])
    assert {Side(each.target, each.point): each.kind for each in frames.excluded} == expected
    assert all(each.reason for each in frames.excluded)
    assert set(frames.slices["target"]) == {"a", "b"} - {side.target for side in expected}


GATED = replace(record(), gates=(Gate("steal", "", "", "20%"),))
HALF = replace(record(attempt=1), gates=(Gate("little", "b", "", "5%"),))

ATTEMPTS = [
    pytest.param([record(), record(attempt=1)], 1, id="the-later-of-two-sound-ones"),
    pytest.param([record(), replace(GATED, attempt=1)], 0, id="the-sound-one"),
    pytest.param([GATED, record(attempt=1)], 1, id="the-retry"),
    pytest.param([GATED, HALF, replace(GATED, attempt=2)], 1, id="the-one-with-fewest-faults"),
    pytest.param([GATED, replace(GATED, attempt=1)], 1, id="the-last-of-the-bad"),
]


@pytest.mark.parametrize(("slots", "attempt"), ATTEMPTS)
def test_one_attempt_of_a_slot_counts(slots: list[SlotRecord], attempt: int) -> None:
    (chosen,) = tidy(slots).records
    assert chosen.attempt == attempt
    assert len(tidy(slots).slices) == 4 - 2 * len(side_faults(chosen))


def test_same_attempt_recorded_twice_counts_once() -> None:
    again = replace(record(), duration_s=2.0)
    assert tidy([record(), again]).records == (again,)


def test_many_slices_without_a_reply_blank_the_side_with_a_reason() -> None:
    frames = tidy([record(replies=(50, 60, 0, 65))])
    rows = frames.slices.set_index("target")
    assert rows.loc["a", ["rps", "cpu_us"]].isna().all(axis=None)
    assert rows.loc["b", ["rps", "cpu_us"]].notna().all(axis=None)
    assert {each.reason.partition(":")[0] for each in frames.excluded} == {
        "no reply in the window in 1 of 2 slices",
        "no reply or no CPU time in 1 of 2 slices",
    }


def test_few_slices_without_a_reply_are_missing_and_the_others_stay() -> None:
    one = record()
    doubled = replace(one, slices=Slices(*(getattr(one.slices, name) * 10 for name in Slices.__dataclass_fields__)))
    replies = (0, *doubled.slices.window_replies[1:])
    frames = tidy([with_wrong(doubled, window_replies=replies)])
    assert frames.slices["rps"].isna().sum() == 1
    assert [each.reason for each in frames.excluded] == ["no reply in the window in 1 of 20 slices"]


def test_no_cpu_time_is_no_number() -> None:
    frames = tidy([record(cpu=(0.0, 0.02, 0.0, 0.02))])
    assert frames.slices["cpu_us"].isna().tolist() == [True, False, True, False]
    assert np.isfinite(frames.slices["rps"]).all()
    assert [each.target for each in frames.excluded] == ["a"]


def test_no_slots() -> None:
    frames = tidy([])
    assert frames.slices.empty
    assert frames.excluded == ()
