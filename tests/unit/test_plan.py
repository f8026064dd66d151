from dataclasses import replace

import pytest

from harness.config import ContrastIn, load_declarations
from harness.errors import UsageError
from harness.model import Ladder, PlannedRequest, Reason, Rung, Scenario, Target
from harness.model.units import format_duration
from harness.plan import TWIN, expand, make_plan, serves, with_twin
from harness.plan.profiles import PROFILES, Profile, default_targets
from harness.plan.timing import slice_length
from harness.report.plan import plan_lines


def target(name, **values):
    fixed = {"framework": name, "interface": "asgi", "server": "uvicorn", "application": "a:b", "endpoints": ("*",)}
    return Target(name=name, **{**fixed, **values})


def scenario(name="json", **values):
    fixed = {"title": name, "question": "pick", "why": "", "requests": (PlannedRequest("json", "valid"),)}
    return Scenario(name=name, **{"concurrency": (32,), **fixed, **values})


SLEEP = scenario(
    "io-sleep",
    question="move",
    requests=(PlannedRequest("io-sleep", "", {"ms": "{ms}"}),),
    concurrency=(1, 64),
    matrix={"ms": (0, 5, 20)},
    quick={"ms": (5, 20), "concurrency": (64,)},
    wait_ms="{ms}",
)
TEST = Profile("test", 100, 5, 2, "full")


def test_a_scenario_expands_to_every_combination():
    points = expand(SLEEP, "full")
    assert [p.id for p in points][:3] == ["io-sleep[ms=0]@1", "io-sleep[ms=0]@64", "io-sleep[ms=5]@1"]
    assert len(points) == 6
    assert points[-1].requests[0].params == {"ms": 20}
    assert points[-1].wait_s == 0.02
    assert [p.id for p in expand(SLEEP, "quick")] == ["io-sleep[ms=5]@64", "io-sleep[ms=20]@64"]
    assert [p.id for p in expand(SLEEP, "corner")] == ["io-sleep[ms=20]@64"]


def test_a_case_is_filled_in():
    faulty = scenario(requests=(PlannedRequest("orders", "{size}-bad"),), matrix={"size": ("S", "M")})
    assert [p.requests[0].case for p in expand(faulty, "full")] == ["S-bad", "M-bad"]


def test_an_unknown_parameter_is_refused():
    faulty = scenario(requests=(PlannedRequest("orders", "{sise}-bad"),), matrix={"size": ("S",)})
    with pytest.raises(UsageError, match="sise"):
        expand(faulty, "full")


def test_slices_hold_enough_replies():
    points = {p.id: p for p in expand(SLEEP, "full")}
    assert slice_length(points["io-sleep[ms=0]@64"]) == 0.05
    assert slice_length(replace(points["io-sleep[ms=20]@1"], concurrency=2)) == pytest.approx(0.03 + 20 * 0.02)
    assert slice_length(points["io-sleep[ms=20]@1"]) == 0.15
    assert slice_length(points["io-sleep[ms=5]@64"]) == 0.15


def test_what_a_target_lacks_is_not_planned():
    point = expand(scenario(), "full")[0]
    assert serves(target("a"), point)
    assert serves(target("a", endpoints=()), point)
    assert not serves(target("a", endpoints=("plaintext",)), point)
    assert not serves(target("a", lacks={"json": "no"}), point)
    assert not serves(target("a", lacks={point.scenario: "no"}), point)


def test_the_plan_is_seeded_and_within_its_budget():
    targets = with_twin([target("a", reference=True), target("b", reference=True)])
    make = lambda seed: make_plan(targets, [scenario(), SLEEP], [], TEST, seed=seed)  # noqa: E731
    assert make(1) == make(1)
    orders = [[[w.id for w in b.windows] for b in make(seed).blocks] for seed in range(5)]
    assert any(order != orders[0] for order in orders)
    plan = make(1)
    assert plan.estimate_s <= 100
    assert len(plan.blocks) == 5
    assert plan.blocks[0].targets == ("a", "b", f"a{TWIN}")


def test_scenarios_of_a_group_share_a_slot_and_are_contrasted():
    raw = scenario("raw", question="validate", group="orders")
    checked = scenario("checked", question="validate", group="orders", against="raw")
    plan = make_plan(with_twin([target("a")]), [raw, checked], [], TEST, seed=1)
    assert len(plan.blocks[0].windows) == 1
    validate = [c for c in plan.contrasts if c.question == "validate"]
    assert {(c.a.target, c.a.point, c.b.point, c.metric) for c in validate} == {
        ("a", "checked@32", "raw@32", "cpu_cost"),
        ("a", "checked@32", "raw@32", "throughput"),
    }
    control = [c for c in plan.contrasts if c.question == "real"]
    assert {(c.a.target, c.b.target) for c in control} == {(f"a{TWIN}", "a")}


def test_references_are_contrasted_where_the_question_is_which_to_pick():
    targets = [target("a", reference=True), target("b", reference=True), target("c")]
    declared = [ContrastIn(question="move", a="c", b="a", scenarios=["io-*"], metrics=["throughput"])]
    plan = make_plan(targets, [scenario(), SLEEP], declared, TEST, seed=1)
    pick = [c for c in plan.contrasts if c.question == "pick"]
    assert {(c.a.target, c.b.target, c.a.point) for c in pick} == {("a", "b", "json@32")}
    move = [c for c in plan.contrasts if c.question == "move"]
    assert {c.metric for c in move} == {"throughput"}
    assert {c.a.point.partition("[")[0] for c in move} == {"io-sleep"}
    assert len({c.id for c in plan.contrasts}) == len(plan.contrasts)


def test_a_budget_that_is_too_short_says_what_would_do():
    with pytest.raises(UsageError, match="too short") as caught:
        make_plan([target("a")], [scenario(), SLEEP], [], TEST, seed=1, budget_s=5)
    assert "--budget" in caught.value.hint


def test_nothing_to_measure_is_an_error():
    with pytest.raises(UsageError, match="none of the chosen targets serves"):
        make_plan([target("a", endpoints=("plaintext",))], [scenario()], [], TEST, seed=1)


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_fits_its_budget(name):
    declarations, profile = load_declarations(), PROFILES[name]
    targets = default_targets(profile, [target for target in declarations.targets if target.default])
    in_turns = [s for s in declarations.scenarios if not s.study]
    scenarios = [s for s in in_turns if profile.scenarios == ("*",) or s.name in ("json", "io-sleep")]
    plan = make_plan(
        with_twin(targets), scenarios, declarations.contrasts, profile, seed=3, ladders=declarations.ladders
    )
    assert plan.estimate_s <= profile.budget_s
    assert len(plan.blocks) >= min(5, profile.blocks)


def test_more_budget_means_more_rounds():
    short = make_plan([target("a")], [scenario()], [], TEST, seed=1)
    long = make_plan([target("a")], [scenario()], [], replace(TEST, budget_s=200), seed=1)
    assert long.blocks[0].windows[0].budget_s > short.blocks[0].windows[0].budget_s


def test_a_quick_run_gives_its_rounds_to_what_instructions_do_not_answer():
    quick = replace(TEST, detail="quick")

    def seconds(profile):
        plan = make_plan([target("a")], [scenario(), RAW, CHECKED, SLEEP], [], profile, seed=1)
        return {window.key: window.seconds for window in plan.blocks[0].windows}

    counted, clocks = seconds(quick), seconds(replace(quick, instruments=False))
    assert counted["orders[size=M]@32"] < clocks["orders[size=M]@32"]
    for key in ("json@32", "io-sleep[ms=5]@64", "io-sleep[ms=20]@64"):
        assert counted[key] > clocks[key], key


def test_the_plan_says_what_each_part_costs_and_answers():
    plan = make_plan(with_twin([target("a"), target("b")]), [RAW, CHECKED], [], TEST, seed=1)
    lines = list(plan_lines(plan))
    for key in ("orders[size=S]@32", "orders[size=M]@32"):
        (line,) = [line for line in lines if line.startswith(f"  {key}")]
        total = sum(window.budget_s for block in plan.blocks for window in block.windows if window.key == key)
        assert f" {format_duration(total)}  What does validation cost?" in line


def layered(*places, name="x"):
    return Ladder(name, name.upper(), "framework", tuple(Rung(f"{t} {s}", t, s) for t, s in places))


RAW = scenario("raw", question="validate", group="orders", matrix={"size": ("S", "M")}, quick={"size": ("M",)})
CHECKED = scenario(
    "checked", question="validate", group="orders", against="raw", matrix={"size": ("S", "M")}, quick={"size": ("M",)}
)
LADDER = layered(("floor", "json"), ("a", "json"), ("a", "raw"), ("a", "checked"))


def test_a_ladder_across_slots_gets_a_slot_of_its_own():
    targets = [target("a"), target("floor", endpoints=("json",))]
    plan = make_plan(targets, [scenario(), RAW, CHECKED], [], TEST, seed=1, ladders=[LADDER])
    (own,) = [window for window in plan.blocks[0].windows if "ladder" in window.id]
    assert [side.id for side in own.sides] == ["floor|json@32", "a|json@32", "a|raw[size=S]@32", "a|checked[size=S]@32"]
    steps = [(c.a.id, c.b.id) for c in plan.contrasts if c.question == "ladder"]
    assert ("a|json@32", "floor|json@32") in steps
    assert ("a|raw[size=S]@32", "a|json@32") in steps
    assert ("a|checked[size=S]@32", "floor|json@32") in steps, "the top against the bottom"
    assert [rung.point for rung in plan.ladders[0].rungs] == [side.point for side in own.sides]


def test_quick_details_climb_in_the_slots_that_there_are():
    targets = [target("a"), target("floor", endpoints=("json",))]
    quick = replace(TEST, detail="quick")
    plan = make_plan(targets, [scenario(), RAW, CHECKED], [], quick, seed=1, ladders=[LADDER])
    assert not [window for window in plan.blocks[0].windows if "ladder" in window.id]
    assert [rung.point for rung in plan.ladders[0].rungs][-1] == "checked[size=M]@32"
    assert [(c.a.id, c.b.id) for c in plan.contrasts if c.question == "ladder"] == [("a|json@32", "floor|json@32")]


def test_rungs_that_a_run_lacks_say_why():
    lacking = layered(("gone", "json"), ("b", "raw"), ("a", "items"), ("b", "json"), ("a", "json"))
    targets = [target("a"), target("b", endpoints=("json",))]
    raw = replace(RAW, requests=(PlannedRequest("orders", ""),))
    (ladder,) = make_plan(targets, [scenario(), raw], [], TEST, seed=1, ladders=[lacking]).ladders
    assert [rung.reason for rung in ladder.rungs] == [
        Reason("no-target", {"target": "gone"}),
        Reason("not-served", {"target": "b", "scenario": "raw"}),
        Reason("no-point", {"scenario": "items"}),
        None,
        None,
    ]


def test_a_ladder_without_its_top_target_or_with_one_rung_is_left_out():
    targets = [target("a"), target("b")]
    ladders = [layered(("a", "json"), ("gone", "json")), layered(("gone", "json"), ("a", "json"))]
    assert make_plan(targets, [scenario()], [], TEST, seed=1, ladders=ladders).ladders == ()


def test_waiting_requests_are_held_where_there_are_waits_and_time():
    targets = with_twin([target("a"), target("b", endpoints=("json",))])
    holding = replace(TEST, waiting_blocks=2)
    plan = make_plan(targets, [scenario(), SLEEP], [], holding, seed=1)
    assert [block.targets for block in plan.studies] == [("a",), ("a",)]
    assert [block.study for block in plan.blocks] == ["waiting", "", "waiting", "", "", "", ""]
    assert plan.estimate_s <= plan.budget_s
    assert not make_plan(targets, [scenario()], [], holding, seed=1).studies
    assert not make_plan(targets, [scenario(), SLEEP], [], holding, seed=1, measure_waiting=False).studies
    once = replace(holding, blocks=1, min_rounds=1)
    fitting = [plan for budget in range(1, 60) if (plan := fitted(targets, once, budget))]
    assert (len(fitting[0].studies), len(fitting[-1].studies)) == (0, 1)


def fitted(targets, profile, budget_s):
    try:
        return make_plan(targets, [SLEEP], [], profile, seed=1, budget_s=budget_s)
    except UsageError:
        return None


def test_variants_are_measured_where_the_profile_says():
    targets = with_twin([target("a"), target("b", variant=True)])
    profile = replace(TEST, variants=("json",))
    plan = make_plan(targets, [scenario(), SLEEP], [], profile, seed=1)
    sides = {side.id for window in plan.blocks[0].windows for side in window.sides}
    assert "b|json@32" in sides
    assert not any(side.startswith("b|io-sleep") for side in sides)
    assert make_plan(targets, [scenario(), SLEEP], [], TEST, seed=1).blocks[0].targets == ("a", f"a{TWIN}")
