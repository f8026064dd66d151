from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.model import Failure, Gate, Reason, Side, Slices, WindowRecord
from harness.results.frames import tidy
from tests.records import turns

A, B = Side("a", "json@32"), Side("b", "json@32")


def record(
    *, attempt: int = 0, replies: tuple[int, ...] = (50, 60, 55, 65), cpu: tuple[float, ...] = (0.01, 0.02, 0.01, 0.02)
) -> WindowRecord:
    """Two rounds of two sides: a, b, a, b."""
    return turns(
        "json",
        0,
        (A, B),
        attempt=attempt,
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


def with_wrong(one: WindowRecord, **counts: tuple[int, ...]) -> WindowRecord:
    return replace(one, slices=replace(one.slices, **counts))


def test_numbers_of_a_sound_window() -> None:
    frames = tidy([record()])
    assert frames.excluded == ()
    assert frames.slices["target"].tolist() == ["a", "b", "a", "b"]
    assert frames.slices["rps"].tolist() == pytest.approx([1000, 1200, 1100, 1300])
    assert frames.slices["cpu_us"].tolist() == pytest.approx([100, 0.02e6 / 120, 0.01e6 / 110, 0.02e6 / 130])


FAULTS = [
    pytest.param(
        replace(record(), failures=(Failure("a", "", Reason("died", {"text": "exited"})),)),
        {A: "failure"},
        id="target-died",
    ),
    pytest.param(
        replace(record(), failures=(Failure("a", "other@1", Reason("died", {"text": "exited"})),)),
        {},
        id="failure-of-another-point",
    ),
    pytest.param(
        replace(record(), gates=(Gate(Reason("steal", {"text": "20%"})),)), {A: "gate", B: "gate"}, id="whole-window"
    ),
    pytest.param(
        replace(record(), gates=(Gate(Reason("little", {"text": "5%"}), "b", "json@32"),)), {B: "gate"}, id="one-side"
    ),
    pytest.param(with_wrong(record(), wrong=(0, 0, 1, 0)), {A: "replies"}, id="wrong-reply"),
    pytest.param(with_wrong(record(), failed=(0, 2, 0, 0)), {B: "replies"}, id="failed-reply"),
    pytest.param(with_wrong(record(), side=(0, 0, 0, 0)), {B: "missing"}, id="no-slices"),
]


@pytest.mark.parametrize(("one", "expected"), FAULTS)
def test_faulty_sides_are_excluded_with_a_reason(one: WindowRecord, expected: dict[Side, str]) -> None:
    frames = tidy([one])
    assert {each.side: each.kind for each in frames.excluded} == expected
    assert all(each.reason for each in frames.excluded)
    assert set(frames.slices["target"]) == {"a", "b"} - {side.target for side in expected}


def busy(share: float, code: str = "foreign-cpu") -> Gate:
    return Gate(Reason(code, {"share": share, "limit": 0.03}))


@pytest.mark.parametrize("gate", [busy(0.25), busy(0.2, "steal"), Gate(Reason("generator-starved", {"wait": 0.2}))])
def test_what_uses_the_cpus_meanwhile_costs_times_and_leaves_cpu_cost(gate: Gate) -> None:
    frames = tidy([replace(record(), gates=(gate,))])
    assert frames.slices["rps"].isna().all()
    assert frames.slices["cpu_us"].tolist() == tidy([record()]).slices["cpu_us"].tolist()
    assert [each.kind for each in frames.excluded] == ["times", "times"]
    assert frames.reasons("cpu_cost") == {}
    assert frames.reasons("throughput") == {A: [gate.reason], B: [gate.reason]}


@pytest.mark.parametrize(
    "gates",
    [(busy(0.6),), (busy(0.25), Gate(Reason("errors", {"count": 3, "kinds": ("closed",), "example": ""}), "", ""))],
    ids=["more than half", "errors too"],
)
def test_nothing_is_left_of_a_window_that_more_than_times_was_wrong_with(gates: tuple[Gate, ...]) -> None:
    assert tidy([replace(record(), gates=gates)]).slices.empty


GATED = replace(record(), gates=(Gate(Reason("steal", {"text": "20%"})),))
HALF = replace(record(attempt=1), gates=(Gate(Reason("little", {"text": "5%"}), "b", ""),))

BUSY = replace(record(), gates=(busy(0.2),))

ATTEMPTS = [
    pytest.param([record(), record(attempt=1)], 1, 4, id="the-later-of-two-sound-ones"),
    pytest.param([record(), replace(GATED, attempt=1)], 0, 4, id="the-sound-one"),
    pytest.param([GATED, record(attempt=1)], 1, 4, id="the-retry"),
    pytest.param([GATED, HALF, replace(GATED, attempt=2)], 1, 2, id="the-one-with-fewest-faults"),
    pytest.param([GATED, replace(GATED, attempt=1)], 1, 0, id="the-last-of-the-bad"),
    pytest.param([BUSY, replace(GATED, attempt=1)], 0, 4, id="cpu-cost-before-nothing"),
    pytest.param([BUSY, record(attempt=1), replace(BUSY, attempt=2)], 1, 4, id="everything-before-cpu-cost"),
]


@pytest.mark.parametrize(("records", "attempt", "slices"), ATTEMPTS)
def test_one_attempt_of_a_window_counts(records: list[WindowRecord], attempt: int, slices: int) -> None:
    (chosen,) = tidy(records).records
    assert chosen.attempt == attempt
    assert len(tidy(records).slices) == slices


def test_same_attempt_recorded_twice_counts_once() -> None:
    again = replace(record(), duration_s=2.0)
    assert tidy([record(), again]).records == (again,)


def test_many_slices_without_a_reply_blank_the_side_with_a_reason() -> None:
    frames = tidy([record(replies=(50, 60, 0, 65))])
    rows = frames.slices.set_index("target")
    assert rows.loc["a", ["rps", "cpu_us"]].isna().all(axis=None)
    assert rows.loc["b", ["rps", "cpu_us"]].notna().all(axis=None)
    fields = {"missing": 1, "total": 2}
    assert {each.reason for each in frames.excluded} == {Reason("few-rates", fields), Reason("few-costs", fields)}


def test_few_slices_without_a_reply_are_missing_and_the_others_stay() -> None:
    one = record()
    doubled = replace(one, slices=Slices(*(getattr(one.slices, name) * 10 for name in Slices.__dataclass_fields__)))
    replies = (0, *doubled.slices.window_replies[1:])
    frames = tidy([with_wrong(doubled, window_replies=replies)])
    assert frames.slices["rps"].isna().sum() == 1
    assert [each.reason for each in frames.excluded] == [Reason("lost-rates", {"missing": 1, "total": 20})]


def test_no_cpu_time_is_no_number() -> None:
    frames = tidy([record(cpu=(0.0, 0.02, 0.0, 0.02))])
    assert frames.slices["cpu_us"].isna().tolist() == [True, False, True, False]
    assert np.isfinite(frames.slices["rps"]).all()
    assert [each.side.target for each in frames.excluded] == ["a"]


def test_no_records() -> None:
    frames = tidy([])
    assert frames.slices.empty
    assert frames.excluded == ()
