"""Studies as conversations: what they ask for, given the answers, without servers or time."""

from dataclasses import replace

import numpy as np
import pytest

from harness.config import PACKAGED, load_declarations
from harness.config.files import ScenarioFile
from harness.config.read import read
from harness.engine.pacing import schedule
from harness.errors import DeclarationError
from harness.model import Failure, Gate, Reason, Side, Slices, Target, Trial
from harness.plan import lacking
from harness.plan.points import settings_of
from harness.plan.profiles import PROFILES
from harness.plan.timing import expected_seconds
from harness.plan.trials import plan_trials
from harness.session.session import answered
from harness.stats.bisection import Bisection, RateTest
from harness.studies.capacity import Capacity, capacity_rows, interval, met_objective, recovered
from harness.studies.registry import STUDIES
from harness.studies.study import Idle
from tests.records import alone, turns
from tests.truth.capacity import SimulatedQueue, md1_capacity, p99_of_md1, search, simulated_p99

TARGET = Target("t", "own", "asgi", "uvicorn", "own:app")
WSGI = replace(TARGET, name="w", interface="wsgi")
SCENARIOS = {scenario.name: scenario for scenario in load_declarations(PACKAGED).scenarios if scenario.study}


def trial(name, block=0, target="t", detail="quick"):
    scenario = SCENARIOS[name]
    values, _ = settings_of(scenario, detail)
    return Trial(f"b{block:02d}-{name}-{target}", block, scenario.study, name, target, values, 1.0)


def answer(window, trial_, p99_us=1000.0, count=500, figures=None):
    names = getattr(window.load, "classes", ("echo",))
    latency = {name: {"count": count, "p50": p99_us / 2, "p99": p99_us} for name in names}
    figures = figures or {"late_share": 0.0 if p99_us <= 50_000 else 0.5, "counted_s": 2.0}
    record = recorded(window, trial_, planned=count, answered=count, figures=figures)
    return replace(record, sides=(replace(record.only, latency_us=latency),))


def recorded(window, trial_, **more):
    name = f"{trial_.id}-{window.key}"
    return alone(name, trial_.block, window.study, trial_.target, window.key, scenario=trial_.scenario,
                 params=window.setting, **more)  # fmt: skip


def converse(name, reply, block=0, earlier=(), detail="quick", target=TARGET):
    """Everything that the study asks for when ``reply`` answers."""
    one = trial(name, block, target.name, detail)
    study = STUDIES[SCENARIOS[name].study]
    specs = study.windows(study.brief(SCENARIOS[name], one.values, block, tuple(earlier)))
    windows, records = [], []
    try:
        window = next(specs)
        while True:
            windows.append(window)
            records.append(reply(window, one))
            window = specs.send(records[-1])
    except StopIteration:
        return windows, records


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_every_study_asks_for_windows_with_keys_of_their_own_within_its_estimate(name):
    windows, _ = converse(name, answer)
    keys = [window.key for window in windows]
    assert len(keys) == len(set(keys)) >= 2
    spent = sum(window.load.duration_s for window in windows)
    assert spent > 0
    if STUDIES[SCENARIOS[name].study].expected_s is None:
        assert spent < STUDIES[SCENARIOS[name].study].seconds(SCENARIOS[name], trial(name).values)


def test_neighbours_send_the_same_arrivals_with_shares_in_proportion():
    windows, _ = converse("neighbours", answer, detail="full")
    assert {window.arrivals for window in windows} == {"same"}
    assert windows[0].load.classes == ("json",)
    for window in windows[1:]:
        fast, other = (request.weight for request in window.load.requests)
        assert other / (fast + other) == pytest.approx(window.setting["share"] / 100)


def test_memory_is_read_after_warm_ups_of_5000_requests_after_every_part_and_after_a_rest():
    windows, _ = converse("memory", lambda window, one: answer(window, one, count=2000))
    warm = [f"warm-up-{number}" for number in range(3)]
    assert [window.key for window in windows] == [*warm, *(f"load-{number}" for number in range(8)), "rest"]
    assert all(window.memory for window in windows)
    assert windows[-1].load == Idle(10.0)


def searching(capacity):
    """A target that queues what comes beyond ``capacity``: late is who joins once the queue is 50 ms long."""

    def reply(window, trial_):
        beyond = window.setting["rate"] / capacity - 1
        late = max(0.0, 1 - 0.05 / (beyond * window.load.duration_s)) if beyond > 0 else 0.0
        figures = {"late_share": late, "counted_s": 0.75 * window.load.duration_s}
        return answer(window, trial_, p99_us=90_000.0 if late > 0.01 else 9_000.0, figures=figures)

    return reply


@pytest.mark.parametrize("capacity", [3.0, 90.0, 140.0, 2_345.0, 15_000.0])
def test_the_search_closes_in_on_the_edge_and_confirms_it(capacity):
    earlier = []
    for block in range(3):
        windows, records = converse("capacity", searching(capacity), block, earlier)
        earlier += [record for record in records if record.study == "capacity"]
    [row] = capacity_rows(earlier, lambda record: {})
    assert row.rps == pytest.approx(capacity, rel=0.15)
    assert row.low_rps <= 0.95 * row.rps
    assert row.high_rps >= 1.05 * row.rps
    assert 0.98 * row.low_rps <= capacity <= 1.02 * row.high_rps
    assert (row.below_held, row.below, row.above) == (1, 1, 1)
    confirming = {window.setting["factor"]: window.setting["rate"] for window in windows if "factor" in window.setting}
    assert confirming[0.95] == pytest.approx(confirming[1.05] * 0.95 / 1.05, rel=1e-3)
    overload = windows[-1]
    assert overload.study == "overload"
    assert overload.load.phases[0][0] == pytest.approx(3 * overload.load.phases[1][0])


def test_where_a_confirmation_contradicts_the_interval_goes_out_to_its_side():
    bisection = Bisection()
    for rate, late in ((100, 0.0), (200, 0.4), (140, 0.0), (160, 0.2), (150, 0.0), (155, 0.01)):
        bisection.learn(RateTest(rate, late, 20.0))
    rps, low, high = interval(bisection, [True], [True])
    assert low <= 0.95 * rps
    assert high > 1.1 * rps
    assert interval(bisection, [False], [False])[1] < 0.91 * rps


def test_one_wrong_answer_does_not_lead_the_search_astray():
    bisection = Bisection()
    for rate, late in ((100, 0.0), (200, 0.0), (400, 0.9), (280, 0.3), (240, 0.0), (260, 0.01), (250, 0.0)):
        bisection.learn(RateTest(rate, late, 2.0))
    before = bisection.median
    assert 230 < before < 280
    bisection.learn(RateTest(100.0, 0.03, 2.0))
    assert bisection.median == pytest.approx(before, rel=0.1)


def test_the_interval_covers_the_computed_capacity_of_a_simulated_queue():
    truth = md1_capacity(0.05, 0.005)
    assert 150 < truth < 160
    settings = Capacity(bound_ms=50, start_rps=20, overload_s=0)
    rows = [search(settings, SimulatedQueue(0.005, seed)) for seed in range(12)]
    assert sum(row.low_rps <= truth <= row.high_rps for row in rows) >= 10
    assert np.mean([row.rps for row in rows]) == pytest.approx(truth, rel=0.08)


def test_a_target_that_keeps_no_objective_ends_the_search():
    windows, _ = converse("capacity", lambda window, one: answer(window, one, p99_us=1e9))
    assert min(window.setting["rate"] for window in windows if window.setting.get("step") == "double") < 2
    died = (Failure("t", "", Reason("died", {"text": "gone"})),)
    windows, _ = converse("capacity", lambda window, one: recorded(window, one, failures=died))
    assert len(windows) <= 2


def test_a_search_that_nothing_bounds_from_above_goes_on_doubling():
    """Where the window that ended the doubling was disturbed, nothing else bounds the search from above."""
    disturbed = (Gate(Reason("foreign-cpu", {"share": 0.2, "limit": 0.03})),)

    def reply(window, trial_):
        record = searching(140.0)(window, trial_)
        disturb = window.setting.get("step") == "double" and not met_objective(record)
        return replace(record, gates=disturbed) if disturb else record

    windows, _ = converse("capacity", reply)
    rates = [window.setting["rate"] for window in windows if window.setting.get("step") == "search"]
    assert 100 < max(rates) <= 200


def test_errors_and_missing_replies_break_the_objective():
    _, records = converse("capacity", answer)
    good = records[0]
    assert met_objective(good)
    for change in ({"errors": {"timeout": 1}}, {"answered": good.only.planned - 1}, {"figures": {"late_share": 0.011}}):
        assert not met_objective(replace(good, sides=(replace(good.only, **change),)))


def test_recovery_is_the_first_quarter_second_from_which_all_are_well():
    planned = np.arange(0, 14, 0.01)
    response = np.where(planned < 11.1, 400_000.0, 2_000.0)
    assert recovered(planned, planned, response, 10.0, 50_000) == pytest.approx(1.25)
    assert recovered(planned, planned, np.full_like(planned, 90_000.0), 10.0, 50_000) is None
    late = planned > 13.5
    assert recovered(planned, planned, np.where(late, 90_000.0, 2_000.0), 10.0, 50_000) is None
    answered = planned[planned < 13.0]
    assert recovered(planned, answered, np.full_like(answered, 2_000.0), 10.0, 50_000) is None


def test_wsgi_has_no_websocket_and_declared_endpoints_count():
    assert lacking(WSGI, (), ("websocket",)) == Reason("no-websocket")
    assert lacking(TARGET, (), ("websocket",)) is None
    missing = lacking(replace(TARGET, endpoints=("json",)), ("json", "cpu"))
    assert missing == Reason("not-implemented", {"endpoint": "cpu"})


def test_plans_are_seeded_block_by_block_and_pass_over_who_cannot():
    raw = replace(TARGET, name="raw", endpoints=("json",))
    chosen = {"neighbours": (TARGET, raw), "fan-out": (TARGET, raw)}
    scenarios = [SCENARIOS["neighbours"], SCENARIOS["fan-out"]]
    blocks = plan_trials(chosen, scenarios, "quick", 7)
    assert blocks == plan_trials(chosen, scenarios, "quick", 7)
    assert [block.index for block in blocks] == sorted(block.index for block in blocks)
    assert {name for block in blocks if block.study == "fan-out" for name in block.targets} == {"t"}
    assert expected_seconds(*blocks) > sum(block.load_s for block in blocks)
    neighbours = next(block for block in blocks if block.study == "neighbours")
    more = next(b for b in plan_trials(chosen, scenarios, "full", 7) if b.study == "neighbours")
    assert len(neighbours.trials[0].values["share"]) < len(more.trials[0].values["share"])


def test_the_studies_of_the_async_profile_take_at_most_twelve_minutes():
    declarations = load_declarations(PACKAGED)
    by_name = {target.name: target for target in declarations.targets}
    scenarios = [SCENARIOS[name] for name in PROFILES["async"].studies]
    chosen = {one.name: [by_name[name] for name in one.targets if name in by_name] for one in scenarios}
    assert all(chosen.values())
    assert expected_seconds(*plan_trials(chosen, scenarios, "quick", 1)) <= 12 * 60


def test_what_a_target_cannot_do_is_not_missing():
    windows, _ = converse("connections", answer)
    cannot = recorded(windows[0], trial("connections"), failures=(Failure("t", "", Reason("lacks", {"text": "no"})),))
    died = recorded(windows[0], trial("connections"), failures=(Failure("t", "", Reason("died", {"text": "gone"})),))
    assert answered(cannot)
    assert not answered(died)


SLICE = dict.fromkeys(("started", "length", "window", "drain", "cpu", "generator_cpu", "foreign_cpu"), (1.0, 1.0))
SLICE |= {"round": (0, 0), "window_replies": (9, 9), "replies": (9, 9), "failed": (0, 0)}


@pytest.mark.parametrize(
    ("wrong", "more", "expected"),
    [
        pytest.param((0, 0), {}, True, id="sound"),
        pytest.param((0, 1), {}, False, id="a wrong reply"),
        pytest.param((0, 0), {"failures": ("lacks",)}, True, id="one side cannot"),
        pytest.param((0, 0), {"failures": ("lacks",), "gates": ("steal",)}, False, id="the other is disturbed"),
    ],
)
def test_a_window_is_answered_only_if_each_of_its_sides_is(wrong, more, expected):
    sides = Side("can", "json@1"), Side("cannot", "json@1")
    given = {
        "failures": tuple(Failure("cannot", "", Reason(code)) for code in more.get("failures", ())),
        "gates": tuple(Gate(Reason(code), "can", "") for code in more.get("gates", ())),
    }
    record = turns("w", 0, sides, Slices(side=(0, 1), wrong=wrong, **SLICE), **given)
    assert answered(record) is expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('study = "neighbors"', "'study' must be one of neighbours, fan-out"),
        ('study = "capacity"\nsettings = { bound = 3 }', "'settings' of capacity has no 'bound'; it has blocks"),
        ('study = "capacity"\nsettings = { bound_ms = -1 }', "'settings': bound_ms"),
        ('study = "latency"', "the matrix of latency needs 'rate'"),
        ('study = "latency"\nmatrix = { rate = [0] }', "'rate' takes numbers above 0"),
        ('study = "latency"\nmatrix = { rate = [1], ms = [2] }', "has no parameter 'ms'"),
        ('study = "neighbours"\nmatrix = { share = [5] }', "2 or more: the fast one first"),
        ('study = "latency"\nmatrix = { rate = [1] }\nconcurrency = [4]', "latency takes no 'concurrency'"),
        ('study = "fan-out"\nmatrix = { calls = [1] }', "fan-out needs 'concurrency'"),
        ('targets = ["a"]', "are for scenarios with a 'study'"),
        ("", "'concurrency' must name one number of connections or more"),
    ],
)
def test_faults_of_a_study_are_told(tmp_path, text, said):
    file = tmp_path / "mine.toml"
    head = 'title = "x"\nquestion = "move"\nwhy = ""\n'
    file.write_text(f'{head}{text}\n[[request]]\nendpoint = "json"\ncase = "valid"\n')
    with pytest.raises(DeclarationError, match=r"mine\.toml") as caught:
        read(file).validated(ScenarioFile)
    assert said in str(caught.value)


def test_phases_follow_each_other_with_their_own_rates():
    times = schedule("poisson", ((400.0, 5.0), (100.0, 5.0)), 3)
    assert np.all(np.diff(times) >= 0)
    assert np.count_nonzero(times < 5) == pytest.approx(2000, rel=0.1)
    assert np.count_nonzero(times >= 5) == pytest.approx(500, rel=0.2)


def test_the_computed_p99_of_a_queue_is_that_of_a_simulated_one():
    assert p99_of_md1(1.0, 0.005) == pytest.approx(0.005, rel=0.01)
    assert simulated_p99(150.0, 0.005, 4_000.0, seed=1) == pytest.approx(p99_of_md1(150.0, 0.005), rel=0.04)
    with pytest.raises(ValueError, match="utilization"):
        p99_of_md1(200.0, 0.005)
