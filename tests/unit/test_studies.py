"""Studies as conversations: what they ask for, given the answers, without servers or time."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from harness.analyse.capacity import capacity_row, interval
from harness.analyse.windows import Group
from harness.bisection import Bisection, Tried
from harness.declare import PACKAGED, load_declarations, read_scenario
from harness.declare.study_settings import Capacity
from harness.errors import DeclarationError
from harness.load.pacing import phased_schedule, poisson_schedule
from harness.model import Failure, Manifest, Plan, Target, Trial
from harness.objective import held
from harness.record import Run
from harness.studies.ask import Brief, lacking
from harness.studies.capacity import recovered
from harness.studies.measure import unmeasured
from harness.studies.planning import plan_trials, trials_seconds, values_of
from harness.studies.registry import STUDIES
from harness.studies.trials import incomplete, replay, window_id
from harness.truth.capacity import SimulatedQueue, md1_capacity, p99_of_md1, search, simulated_p99

TARGET = Target("t", "own", "asgi", "uvicorn", "own:app")
WSGI = replace(TARGET, name="w", interface="wsgi")
SCENARIOS = {scenario.name: scenario for scenario in load_declarations(PACKAGED).scenarios if scenario.study}


def trial(name, block=0, target="t", detail="quick"):
    scenario = SCENARIOS[name]
    return Trial(f"b{block:02d}-{name}-{target}", block, scenario.study, name, target, values_of(scenario, detail), 1.0)


def answer(ask, trial_, p99_us=1000.0, count=500, **changes):
    record = unmeasured(ask, window_id(trial_, ask), trial_.block, trial_.target, Failure("", "", "", ""))
    names = getattr(ask.load, "classes", ("echo",))
    latency = {name: {"count": count, "p50": p99_us / 2, "p99": p99_us} for name in names}
    changes.setdefault("figures", {"late_share": 0.0 if p99_us <= 50_000 else 0.5, "counted_s": 2.0})
    return replace(record, failures=(), planned=count, answered=count, latency_us=latency, **changes)


def converse(name, reply, block=0, earlier=(), detail="quick", target=TARGET):
    """Everything that the study asks for when ``reply`` answers."""
    one = trial(name, block, target.name, detail)
    asking = STUDIES[SCENARIOS[name].study].asks(Brief(one, SCENARIOS[name], target, tuple(earlier)))
    asks, records = [], []
    try:
        ask = next(asking)
        while True:
            asks.append(ask)
            records.append(reply(ask, one))
            ask = asking.send(records[-1])
    except StopIteration:
        return asks, records


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_every_study_asks_for_windows_with_keys_of_their_own_within_its_estimate(name):
    asks, _ = converse(name, answer)
    keys = [ask.key for ask in asks]
    assert len(keys) == len(set(keys)) >= 2
    spent = sum(ask.load.duration_s for ask in asks)
    assert spent > 0
    if name != "capacity":
        assert spent < STUDIES[SCENARIOS[name].study].seconds(SCENARIOS[name], trial(name).values, TARGET)


def test_neighbours_send_the_same_arrivals_with_shares_in_proportion():
    asks, _ = converse("neighbours", answer, detail="full")
    assert {ask.arrivals for ask in asks} == {"same"}
    assert asks[0].load.classes == ("json",)
    for ask in asks[1:]:
        fast, other = (request.weight for request in ask.load.requests)
        assert other / (fast + other) == pytest.approx(ask.setting["share"] / 100)


def searching(capacity):
    """A target that queues what comes beyond ``capacity``: late is who joins once the queue is 50 ms long."""

    def reply(ask, trial_):
        beyond = ask.setting["rate"] / capacity - 1
        late = max(0.0, 1 - 0.05 / (beyond * ask.load.duration_s)) if beyond > 0 else 0.0
        figures = {"late_share": late, "counted_s": 0.75 * ask.load.duration_s}
        return answer(ask, trial_, p99_us=90_000.0 if late > 0.01 else 9_000.0, figures=figures)

    return reply


@pytest.mark.parametrize("capacity", [3.0, 90.0, 140.0, 2_345.0, 15_000.0])
def test_the_search_closes_in_on_the_edge_and_confirms_it(capacity):
    earlier = []
    for block in range(3):
        asks, records = converse("capacity", searching(capacity), block, earlier)
        earlier += [record for record in records if record.study == "capacity"]
    row = capacity_row(Group("t", "capacity", "", tuple(earlier), "ok", ""), earlier)
    assert row.rps == pytest.approx(capacity, rel=0.15)
    assert row.low_rps <= 0.95 * row.rps
    assert row.high_rps >= 1.05 * row.rps
    assert 0.98 * row.low_rps <= capacity <= 1.02 * row.high_rps
    assert (row.below_held, row.below, row.above) == (1, 1, 1)
    confirming = {ask.setting["factor"]: ask.setting["rate"] for ask in asks if "factor" in ask.setting}
    assert confirming[0.95] == pytest.approx(confirming[1.05] * 0.95 / 1.05, rel=1e-3)
    overload = asks[-1]
    assert overload.study == "overload"
    assert overload.load.phases[0][0] == pytest.approx(3 * overload.load.phases[1][0])


def test_where_a_confirmation_contradicts_the_interval_goes_out_to_its_side():
    bisection = Bisection()
    for rate, late in ((100, 0.0), (200, 0.4), (140, 0.0), (160, 0.2), (150, 0.0), (155, 0.01)):
        bisection.learn(Tried(rate, late, 20.0))
    rps, low, high = interval(bisection, [True], [True])
    assert low <= 0.95 * rps
    assert high > 1.1 * rps
    assert interval(bisection, [False], [False])[1] < 0.91 * rps


def test_one_wrong_answer_does_not_lead_the_search_astray():
    bisection = Bisection()
    for rate, late in ((100, 0.0), (200, 0.0), (400, 0.9), (280, 0.3), (240, 0.0), (260, 0.01), (250, 0.0)):
        bisection.learn(Tried(rate, late, 2.0))
    before = bisection.median
    assert 230 < before < 280
    bisection.learn(Tried(100.0, 0.03, 2.0))
    assert bisection.median == pytest.approx(before, rel=0.1)


def test_the_interval_covers_the_computed_capacity_of_a_simulated_queue():
    truth = md1_capacity(0.05, 0.005)
    assert 150 < truth < 160
    settings = Capacity(bound_ms=50, start_rps=20, overload_s=0)
    rows = [search(settings, SimulatedQueue(0.005, seed)) for seed in range(12)]
    assert sum(row.low_rps <= truth <= row.high_rps for row in rows) >= 10
    assert np.mean([row.rps for row in rows]) == pytest.approx(truth, rel=0.08)


def test_a_target_that_keeps_no_objective_ends_the_search():
    asks, _ = converse("capacity", lambda ask, one: answer(ask, one, p99_us=1e9))
    assert min(ask.setting["rate"] for ask in asks if ask.setting.get("step") == "double") < 2
    asks, _ = converse("capacity", lambda ask, one: unmeasured(ask, "x", 0, "t", Failure("t", "", "died", "gone")))
    assert len(asks) <= 2


def test_errors_and_missing_replies_break_the_objective():
    _, records = converse("capacity", answer)
    good = records[0]
    assert held(good)
    assert not held(replace(good, errors={"timeout": 1}))
    assert not held(replace(good, answered=good.planned - 1))
    assert not held(replace(good, figures={"late_share": 0.011}))


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
    assert lacking(WSGI, ("websocket",)) == "WSGI has no WebSocket"
    assert lacking(TARGET, ("websocket",)) == ""
    assert "does not implement cpu" in lacking(replace(TARGET, endpoints=("json",)), ("json", "cpu"))


def test_plans_are_seeded_block_by_block_and_pass_over_who_cannot():
    raw = replace(TARGET, name="raw", endpoints=("json",))
    chosen = {"neighbours": (TARGET, raw), "fan-out": (TARGET, raw)}
    scenarios = [SCENARIOS["neighbours"], SCENARIOS["fan-out"]]
    trials = plan_trials(chosen, scenarios, "quick", 7)
    assert trials == plan_trials(chosen, scenarios, "quick", 7)
    assert [one.block for one in trials] == sorted(one.block for one in trials)
    assert {one.target for one in trials if one.study == "fan-out"} == {"t"}
    assert trials_seconds(trials) > sum(one.budget_s for one in trials)
    assert trials[0].values != plan_trials(chosen, scenarios, "full", 7)[0].values or trials[0].study == "fan-out"


def test_the_shipped_studies_take_at_most_twelve_minutes():
    declarations = load_declarations(PACKAGED)
    by_name = {target.name: target for target in declarations.targets}
    chosen = {
        scenario.name: [by_name[name] for name in scenario.targets if name in by_name]
        for scenario in SCENARIOS.values()
    }
    assert all(chosen.values())
    assert trials_seconds(plan_trials(chosen, list(SCENARIOS.values()), "quick", 1)) <= 12 * 60


def test_a_resumed_run_reads_what_is_done_and_asks_for_the_rest(tmp_path):
    scenario, one = SCENARIOS["capacity"], trial("capacity")
    plan = Plan("quick", 1, 0, 0, (), (), (), trials=(one,))
    now = datetime.now(UTC).isoformat()
    run = Run.create(tmp_path / "r", Manifest("r", "", now, "running", "", 1, plan, (TARGET,), (scenario,), {}, {}))
    reply, asked = searching(700.0), []

    def take(ask):
        if len(asked) == 4:
            return None
        asked.append(ask.key)
        return run.append_window(reply(ask, one), {})

    replay(run, one, scenario, TARGET, take)
    first, asked = asked, []
    replay(Run.open(run.folder), one, scenario, TARGET, take)
    whole, _ = converse("capacity", searching(700.0))
    assert [*first, *asked] == [ask.key for ask in whole][: len(first) + len(asked)]
    assert not set(first) & set(asked)


def test_what_a_target_cannot_do_is_not_missing():
    asks, _ = converse("connections", answer)
    cannot = unmeasured(asks[0], "a", 0, "t", Failure("t", "", "cannot", "no"))
    died = unmeasured(asks[0], "b", 0, "t", Failure("t", "", "died", "gone"))
    assert incomplete([cannot]) == 0
    assert incomplete([cannot, died]) == 1
    assert incomplete([died, replace(died, attempt=1, failures=())]) == 0


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
        ('targets = ["a"]', "are for scenarios with a 'study'"),
    ],
)
def test_faults_of_a_study_are_told(tmp_path, text, said):
    file = tmp_path / "mine.toml"
    head = 'title = "x"\nquestion = "move"\nwhy = ""\nconcurrency = [1]\n'
    file.write_text(f'{head}{text}\n[[request]]\nendpoint = "json"\ncase = "valid"\n')
    with pytest.raises(DeclarationError, match=r"mine\.toml") as caught:
        read_scenario(file)
    assert said in str(caught.value)


def test_phases_follow_each_other_with_their_own_rates():
    times = phased_schedule("poisson", ((400.0, 5.0), (100.0, 5.0)), 3)
    assert np.all(np.diff(times) >= 0)
    assert np.count_nonzero(times < 5) == pytest.approx(2000, rel=0.1)
    assert np.count_nonzero(times >= 5) == pytest.approx(500, rel=0.2)
    assert np.array_equal(phased_schedule("poisson", ((50.0, 2.0),), 9), poisson_schedule(50.0, 2.0, 9))


def test_the_computed_p99_of_a_queue_is_that_of_a_simulated_one():
    assert p99_of_md1(1.0, 0.005) == pytest.approx(0.005, rel=0.01)
    assert simulated_p99(150.0, 0.005, 4_000.0, seed=1) == pytest.approx(p99_of_md1(150.0, 0.005), rel=0.04)
    with pytest.raises(ValueError, match="utilization"):
        p99_of_md1(200.0, 0.005)
