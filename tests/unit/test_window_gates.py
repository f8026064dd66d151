"""Gates on load on one target alone, and on runs that hold little or nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from harness.errors import UsageError
from harness.model import Gate, Journey, Manifest, Plan, Reason, Target
from harness.results.check import check, exit_code
from harness.results.compare import block_values
from harness.results.gate import parse_rule
from harness.results.summarise import summarise
from tests.records import alone
from tests.synthetic import make_run, points

TARGETS = tuple(Target(name, "own", "asgi", "uvicorn", "own:app") for name in ("quick", "slow"))
SHOPPING = Journey("shopping", "Shopping", "shopping.py", "0", 16)


def checked(manifest, records, *texts):
    summary = summarise(manifest, records, lambda record: {})
    read = block_values(manifest, records, lambda record: {})
    return check(read, summary, [parse_rule(text) for text in texts])


def windows(count=2000, **more):
    """Three blocks of a journey and of a latency study on two targets, the second twice as slow."""
    records = []
    for block, (target, times) in [(b, t) for b in range(3) for t in zip(TARGETS, (1, 2), strict=True)]:
        login = np.linspace(1000, 3000, count) * times * (1 + block / 100)
        figures = {"throughput_rps": 80.0 / times + block, "cpu_us": 500.0 * times + block}
        records += [
            alone(
                f"j{block:02d}-{target.name}-shopping@16", block, "journey", target.name, "shopping@16",
                scenario="shopping", concurrency=16, planned=2 * count, answered=2 * count - 1, errors={"reset": 1},
                latencies={"login": login, "browse": login / 10}, figures=figures, engine="locust", **more,
            ),
            alone(
                f"b{block:02d}-steady-{target.name}-80-rps", block, "latency", target.name, "80-rps",
                scenario="steady", params={"rate": 80}, planned=count, answered=count, latencies={"json": login},
                figures={"cpu_s": 0.5 * times, "recovery_s": 0.2 * times + block / 100},
            ),
        ]  # fmt: skip
    plan = Plan("quick", 1, 0, 0, (), (), ())
    manifest = Manifest("r", "", "2026-01-01T00:00:00Z", "finished", "", 1, plan, TARGETS, (), {}, {})
    return replace(manifest, journeys=(SHOPPING,)), records


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("quick shopping p99 < 4ms", {"shopping@16/login": "passed", "shopping@16/browse": "passed"}),
        ("quick shopping/login p99 < 2ms", {"shopping@16/login": "failed"}),
        ("quick shopping@16/browse p50 < 1ms", {"shopping@16/browse": "passed"}),
        ("quick shopping throughput > 70", {"shopping@16": "passed"}),
        ("slow shopping throughput > 70", {"shopping@16": "failed"}),
        ("slow shopping cpu < 600us", {"shopping@16": "failed"}),
        ("slow steady cpu < 600us", {"80-rps": "passed"}),
        ("quick steady/80-rps p90 < 3ms", {"80-rps": "passed"}),
        ("quick 80-rps recovery_s < 0.1", {"80-rps": "failed"}),
        ("quick shopping errors < 1%", {"shopping@16": "passed"}),
        ("slow / quick shopping cpu < +150%", {"shopping@16": "passed"}),
        ("slow / quick shopping/login p50 < +50%", {"shopping@16/login": "failed"}),
        ("quick cpu < 1s", {"shopping@16": "passed", "80-rps": "passed"}),
    ],
)
def test_journeys_and_studies_are_gated_by_their_names(text, wanted):
    assert {each.point: each.outcome for each in checked(*windows(), text)} == wanted


def test_a_figure_keeps_its_own_unit_and_its_interval_over_blocks():
    [found] = checked(*windows(), "quick steady recovery_s < 1")
    assert (found.unit, found.measure) == ("", "recovery_s")
    assert found.low < found.value < found.high
    assert found.value == pytest.approx(0.21, rel=0.01)


def test_a_window_with_too_few_replies_says_how_many_it_needs():
    [found] = checked(*windows(count=100), "quick steady p99 < 1s")
    assert found.outcome == "missing"
    assert found.reasons == (Reason("few-replies", {"measure": "p99", "needed": 1000, "most": 100}),)


def test_a_window_that_is_not_sound_says_why():
    gates = (Gate(Reason("generator-bound", {"text": "Locust at 99% of its CPU"})),)
    [found] = checked(*windows(gates=gates), "quick shopping throughput > 1")
    assert (found.outcome, found.reasons) == ("missing", (gates[0].reason,))


@pytest.mark.parametrize("text", ["quick shoping cpu < 1", "quick steady capacity > 1", "quick steady lost_share < 1"])
def test_what_the_run_does_not_have_is_told(text):
    with pytest.raises(UsageError, match="the run has no point"):
        checked(*windows(), text)


def test_a_percentile_of_a_point_says_how_many_replies_it_needs():
    run = make_run(at=points()[:1], blocks=2, rounds=3)
    rules = [parse_rule("* p999 < 1s")]
    found = check(
        block_values(run.manifest, run.records, run.samples),
        summarise(run.manifest, run.records, run.samples),
        rules,
    )
    most = max(values.size for record in run.records for values in run.samples(record).values())
    assert {each.outcome for each in found} == {"missing"}
    fields = [reason.fields for each in found for reason in each.reasons]
    assert {(one["measure"], one["needed"]) for one in fields} == {("p999", 10_000)}
    assert max(one["most"] for one in fields) == most


def test_what_an_interrupted_run_did_not_measure_is_missing_and_not_passed():
    run = make_run(at=points()[:3], blocks=2, rounds=4)
    [first, *_] = run.records
    reached = {side.point for side in first.sides}
    found = checked(replace(run.manifest, status="interrupted"), [first], "* cpu < 1s")
    assert {each.point for each in found if each.outcome == "missing"} == {p.id for p in points()[:3]} - reached
    assert all(each.reasons == (Reason("not-yet-measured"),) for each in found if each.outcome == "missing")
    assert exit_code(found, False) == 4
