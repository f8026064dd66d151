"""Gates as they are written, and what they come to on synthetic runs of known cost."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats

from harness.cli.check import GATE_HELP
from harness.errors import UsageError
from harness.model import Reason, Side, Target
from harness.report.language.catalogue import ENGLISH
from harness.results.check import check, check_against
from harness.results.compare import block_values, compare
from harness.results.gate import SUBJECTS, Rule, parse_rule
from harness.results.summarise import summarise
from harness.stats.interval import pooled_interval, welch_interval
from tests.synthetic import TARGETS, make_run, points

FASTAPI, FLASK = TARGETS[:2]
FLOOR = Target("raw-asgi", "raw", "asgi", "uvicorn", "apps.baseline.asgi:app")
JSON = tuple(point for point in points() if point.scenario == "json")[:1]
POINT = JSON[0].id


def synthetic(seed=1, targets=(FASTAPI, FLASK), costs=None, **options):
    costs = {(name + end, POINT): cost for name, cost in (costs or {}).items() for end in ("", " twin")}
    return make_run(targets=targets, at=JSON, costs_us=costs or None, seed=seed, **options)


def read(run):
    return block_values(run.manifest, run.records, run.samples)


def checked(run, *texts):
    summary = summarise(run.manifest, run.records, run.samples)
    return check(read(run), summary, [parse_rule(text) for text in texts])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a json cpu < 120us", ("a", "", "json", "cpu", True, 120.0)),
        ("a cpu_us<=0.12ms", ("a", "", "*", "cpu", True, 120.0)),
        ("* json@32 throughput > 5_000/s", ("*", "", "json@32", "throughput", False, 5000.0)),
        ("a/b json cpu < +3%", ("a", "b", "json", "cpu", True, 1.03)),
        ("new / old  rps > -3%", ("new", "old", "*", "throughput", False, 0.97)),
        (
            "'a with x==1' / 'a (B)' 'GET /p?q=1@32' p99 < 1.5",
            ("a with x==1", "a (B)", "GET /p?q=1@32", "p99", True, 1.5),
        ),
        ("a io-sleep[ms=20]@64 p99 < 30ms", ("a", "", "io-sleep[ms=20]@64", "p99", True, 30_000.0)),
        ("a errors <= 0.1%", ("a", "", "*", "errors", True, 0.001)),
    ],
)
def test_gates_are_read(text, wanted):
    rule = parse_rule(text)
    assert (rule.target, rule.against, rule.point, rule.subject, rule.most) == wanted[:-1]
    assert rule.limit == pytest.approx(wanted[-1])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a json cpu", "has no limit"),
        ("a json cup < 3", "did you mean cpu"),
        ("a json cpu < 3%", "'3%' is not a limit for cpu"),
        ("a json throughput > 3ms", "'3ms' is not a limit for throughput"),
        ("a/b errors < 1", "errors have no ratio"),
        ("a json more cpu < 1", "is not a point and a metric"),
        ("cpu < 1", "'nothing' is not a point and a metric"),
        ("'a json cpu < 1", "No closing quotation"),
        ("a / b cpu < 3us", "is not a limit for a ratio"),
    ],
)
def test_what_is_no_gate_is_told(text, words):
    with pytest.raises(UsageError) as caught:
        parse_rule(text)
    assert words in f"{caught.value} {caught.value.hint}"


@given(st.text(max_size=40))
@settings(deadline=None)
def test_any_text_is_a_gate_or_a_usage_error(text):
    try:
        assert isinstance(parse_rule(text), Rule)
    except UsageError:
        pass


def test_gates_fail_only_where_the_interval_lies_beyond_the_limit():
    run = synthetic(costs={FASTAPI.name: 100.0, FLASK.name: 200.0})
    found = checked(
        run,
        "fastapi-uvicorn json cpu < 110us",
        "fastapi-uvicorn json cpu < 90us",
        "fastapi-uvicorn json cpu < 100us",
        "flask-gunicorn throughput > 1",
        "flask-gunicorn throughput > 1000000",
        "flask-gunicorn / fastapi-uvicorn json cpu < 2.1",
        "flask-gunicorn/fastapi-uvicorn json cpu < +80%",
        "* json errors <= 0",
    )
    assert [each.outcome for each in found] == [
        "passed", "failed", "undecided", "passed", "failed", "passed", "failed", "passed", "passed",
    ]  # fmt: skip
    first, ratio = found[0], found[5]
    assert first.low < first.value < first.high
    assert first.value == pytest.approx(100, rel=0.03)
    assert (ratio.target, ratio.against) == ("flask-gunicorn", "fastapi-uvicorn")
    assert ratio.value == pytest.approx(2, rel=0.02)


def test_the_twin_of_the_control_is_gated_only_by_its_own_name():
    run = synthetic(costs={FASTAPI.name: 100.0, FLASK.name: 200.0})
    [twin] = checked(run, "'fastapi-uvicorn twin' / fastapi-uvicorn cpu < +5%")
    assert (twin.target, twin.outcome) == ("fastapi-uvicorn twin", "passed")
    assert {each.target for each in checked(run, "* cpu < 1s")} == {FASTAPI.name, FLASK.name}


def test_a_percentile_needs_samples_beyond_it():
    run = synthetic()
    found = checked(run, "fastapi-uvicorn p90 < 1s", "fastapi-uvicorn p90 < 1us", "fastapi-uvicorn p99 < 1s")
    assert [each.outcome for each in found] == ["passed", "failed", "missing"]


def test_errors_and_missing_numbers_are_told_apart():
    side = Side(FLASK.name, POINT)
    run = synthetic(wrong=[side])
    errors, cpu = checked(run, "flask-gunicorn errors <= 0", "flask-gunicorn cpu < 1s")
    assert errors.outcome == "failed"
    assert [reason.fields["kind"] for reason in errors.reasons] == ["wrong-body"]
    assert cpu.outcome == "missing"
    assert cpu.reasons[0].code == "bad-replies"
    [gone] = checked(synthetic(all_failed=True), "flask-gunicorn cpu < 1s")
    assert gone.outcome == "missing"


def test_a_single_block_decides_nothing():
    assert {each.outcome for each in checked(synthetic(blocks=1), "* cpu < 1s", "* cpu < 1us")} == {"undecided"}


@pytest.mark.parametrize(
    ("text", "words"),
    [("fastapi-uvcorn cpu < 1", "did you mean fastapi-uvicorn"), ("* jsn cpu < 1", "did you mean json")],
)
def test_names_that_the_run_does_not_have(text, words):
    with pytest.raises(UsageError) as caught:
        checked(synthetic(), text)
    assert words in caught.value.hint


def slower(share, anchor=True, **options):
    """A baseline and a later run in which FastAPI costs so much more, on a machine that is slower by a third."""
    floor = (FLOOR,) if anchor else ()
    base = {FASTAPI.name: 100.0, FLASK.name: 200.0, FLOOR.name: 40.0}
    new = {name: cost * 1.33 * (1 + share if name == FASTAPI.name else 1) for name, cost in base.items()}
    targets = (FASTAPI, FLASK, *floor)
    return (
        read(synthetic(1, targets, base, **options)),
        read(synthetic(2, targets, new, **options)),
    )


def test_an_anchor_takes_the_machine_out_of_a_comparison():
    found = compare(*slower(0.10))
    cpu = {
        change.target: change for change in found.changes if change.measure == "cpu_cost" and change.basis != "contrast"
    }
    assert cpu[FASTAPI.name].basis == "anchored"
    assert cpu[FASTAPI.name].against == FLOOR.name
    assert cpu[FASTAPI.name].verdict == "different"
    assert cpu[FASTAPI.name].ratio == pytest.approx(1.10, abs=0.02)
    assert cpu[FLASK.name].verdict in ("same", "undecided")
    assert cpu[FLOOR.name].basis == "absolute"
    contrasts = [change for change in found.changes if change.basis == "contrast" and change.measure == "cpu_cost"]
    assert contrasts
    assert abs(np.log(contrasts[0].ratio)) == pytest.approx(np.log(1.10), abs=0.02)
    assert not found.warnings


def test_without_one_the_interval_allows_for_the_machine_and_a_warning_says_so():
    anchored, plain = compare(*slower(0.0)), compare(*slower(0.0, anchor=False))
    width = [
        next(c.ci_high - c.ci_low for c in each.changes if (c.target, c.measure) == (FASTAPI.name, "cpu_cost"))
        for each in (anchored, plain)
    ]
    assert width[1] > 1.5 * width[0]
    assert Reason("absolute-values") in plain.warnings
    named = compare(*slower(0.0, anchor=False), anchor=FLASK.name)
    assert {c.against for c in named.changes if c.target == FASTAPI.name and c.basis == "anchored"} == {FLASK.name}


def test_a_baseline_fails_a_slowdown_and_passes_none():
    outcomes = {}
    for share in (0.0, 0.10):
        checks = check_against(compare(*slower(share)), slower=0.03)
        outcomes[share] = {(c.target, c.measure): c.outcome for c in checks if "relative" in c.against}
    assert outcomes[0.10][FASTAPI.name, "cpu"] == "failed"
    assert outcomes[0.10][FASTAPI.name, "throughput"] == "failed"
    assert "failed" not in outcomes[0.0].values()


def test_what_the_baseline_has_and_the_run_has_not_is_missing():
    base, _ = slower(0.0)
    new = read(synthetic(2, (FASTAPI, FLASK, FLOOR), failing=[FLASK.name]))
    found = compare(base, new)
    assert found.only_base == (Side(FLASK.name, POINT),)
    assert "missing" in {each.outcome for each in check_against(found)}
    assert {c.outcome for c in check_against(found, p99=0.1) if c.measure == "p99"} == {"missing"}


def test_what_differs_besides_is_told():
    base, new = slower(0.0)
    manifest = replace(
        new.manifest,
        versions={**new.manifest.versions, "fastapi": "9.9"},
        environment={**new.manifest.environment, "cpu": "another"},
        status="interrupted",
        packages={FASTAPI.name: {"starlette": "2"}},
    )
    found = ENGLISH.reasons(compare(base, replace(new, manifest=manifest)).warnings)
    for words in ("fastapi 0.130.0 → 9.9", "cpu 8 cores → another", "starlette – → 2", "is interrupted"):
        assert words in found


@pytest.mark.parametrize(("interval", "equal"), [(welch_interval, False), (pooled_interval, True)])
@given(n=st.integers(2, 12), m=st.integers(2, 12), shift=st.floats(-1, 1), seed=st.integers(0, 2**31))
@settings(max_examples=30, deadline=None)
def test_intervals_of_two_sets_are_scipys(interval, equal, n, m, shift, seed):
    rng = np.random.default_rng(seed)
    new, base = rng.normal(shift, 1, n), rng.normal(0, 2, m)
    found = interval(new, base, 0.01)
    wanted = stats.ttest_ind(new, base, equal_var=equal)
    low, high = wanted.confidence_interval(0.99)
    assert (found.low, found.high, found.p_value) == pytest.approx((low, high, wanted.pvalue))


@pytest.mark.parametrize("interval", [welch_interval, pooled_interval])
def test_equal_values_have_no_spread(interval):
    found = interval(np.ones(3), np.ones(3), 0.01)
    assert (found.low, found.high, found.p_value) == (0, 0, 1)


def test_every_subject_has_gates():
    assert {parse_rule(f"a {subject} < 1").subject for subject in SUBJECTS} == set(SUBJECTS)


def test_the_help_names_every_subject():
    assert [subject for subject in SUBJECTS if not re.search(rf"\b{subject}\b", GATE_HELP)] == []
