"""Which targets a run samples, and how the report shows where their CPU time goes."""

import dataclasses

import pytest

from harness.config import load_declarations
from harness.model import CpuProfile, Gate, Reason, WindowRecord
from harness.plan import make_plan, with_twin
from harness.plan.sampling import PROFILE, with_profiles
from harness.report.blocks import Fold, Plots, Table
from harness.report.numbers import plain
from harness.report.sections.profile import where_time_goes
from harness.report.view import View
from harness.results.profile import FRAMEWORKS, layer_of, profile_results
from tests.unit.summaries import TARGETS, manifest, summary
from tests.unit.test_plan import TEST, scenario, target

SITE = "/venv/lib/python3.11/site-packages"
ROUTE, DUMP, SERVE, LOADS = (
    ("app", f"{SITE}/starlette/routing.py"),
    ("dump", f"{SITE}/pydantic/main.py"),
    ("run", f"{SITE}/uvicorn/server.py"),
    ("loads", "/usr/lib/python3.11/json/__init__.py"),
)


def profile(name, stacks, **changes):
    values = {"cpu_us": 999.0, "in_python": 0.8, "waited": 0.0, "folder": "/srv", "replies": 100, "duration_s": 2.0}
    return CpuProfile(target=name, point="json@32", stacks=stacks, **{**values, **changes})


def record(*profiles, gates=()):
    return WindowRecord("p", 0, 0, PROFILE, "wire", "", 1.0, (), gates=gates, profiles=profiles)


FAST = profile("fast", (((SERVE,), 100), ((SERVE, ROUTE), 200), ((SERVE, ROUTE, DUMP), 100)))
SLOW = profile("slow", (((LOADS,), 300), ((("index", "/srv/shop.py"),), 100)), waited=0.5)


def test_layers_add_up_to_the_cost_that_the_run_measured():
    found = summary()
    costs = {cell.target: cell.cpu_us.value for cell in found.cells if cell.point == "json@32" and cell.cpu_us}
    fast, slow = profile_results(TARGETS, found.cells, [record(FAST.innermost()), record(SLOW.innermost())])
    assert fast.cpu_us == costs["fast"]
    shares = {"server": 0.2, "framework": 0.4, "validation": 0.2, "outside": 0.2}
    assert fast.layers == pytest.approx({name: part * fast.cpu_us for name, part in shares.items()})
    assert slow.layers == pytest.approx(
        {"interpreter": 0.6 * slow.cpu_us, "app": 0.2 * slow.cpu_us, "outside": 0.2 * slow.cpu_us}
    )
    assert fast.samples == 400


def test_what_could_not_be_sampled_is_not_shown():
    gate = Gate(Reason("unsampled", {"text": "why"}), "fast", "json@32")
    assert profile_results(TARGETS, (), [record(FAST, gates=(gate,))]) == ()


@pytest.mark.parametrize(
    ("package", "framework", "layer"),
    [
        ("starlette", "fastapi", "framework"),
        ("starlette", "flask", "library"),
        ("tornado", "tornado", "framework"),
        ("quart", "quart", "framework"),
        ("pydantic_core", "fastapi", "validation"),
        ("httptools", "fastapi", "server"),
        ("jinja2", "flask", "library"),
        ("ninja", "django-ninja", "framework"),
        ("django", "django-rest", "framework"),
        ("shop.py", "flask", "app"),
        ("apps/flask_app/app.py", "flask", "app"),
        ("standard library", "flask", "interpreter"),
        ("outside Python", "flask", "outside"),
        ("calls too brief to read", "flask", "brief"),
    ],
)
def test_every_package_belongs_to_a_layer(package, framework, layer):
    assert layer_of(package, framework) == layer


def test_the_packages_of_every_framework_are_known():
    declared = {target.framework for target in load_declarations().targets}
    assert declared - set(FRAMEWORKS) == {"raw"}


def section(*records):
    found = summary()
    found = dataclasses.replace(found, profiles=profile_results(TARGETS, found.cells, records))
    return where_time_goes(View(manifest(), found)), found


def test_the_section_draws_lists_and_tells_what_differs():
    (_, plots, said, table), found = section(record(FAST), record(SLOW))
    assert isinstance(plots, Plots)
    lines, layers, packages, note = plots.inside
    assert plain(lines.items[0]).startswith(View(manifest(), found).name("fast") + ": ")
    assert "Largest part: framework" in plain(lines.items[0])
    assert isinstance(layers, Fold)
    [table_of_layers] = layers.blocks
    entry = table_of_layers.rows[0].entries[0]
    assert (entry.path, entry.value) == ("profiles.0.layers.server", found.profiles[0].layers["server"])
    assert {row.head for row in packages.blocks[0].rows} >= {"starlette", "pydantic", "uvicorn", "shop.py"}
    assert "other programs had its CPUs for 0.5 s" in note.said
    assert "comes from" in said.said
    assert isinstance(table, Table)
    assert table.rows[0].head == "standard library"


def test_without_samples_there_is_no_section():
    assert section()[0] == ()


def planned(budget_s):
    targets = [target(f"t{number}", reference=number == 7) for number in range(8)]
    plan = make_plan(with_twin(targets), [scenario("orders-validated"), scenario("z")], [], TEST, seed=1, budget_s=900)
    return plan, with_profiles(plan, targets, plan.points, budget_s)


def test_every_target_is_sampled_once_at_one_point_within_the_budget():
    before, plan = planned(60.0)
    [block] = [block for block in plan.blocks if block.study == PROFILE]
    assert block.load_s <= 60
    assert plan.estimate_s == pytest.approx(before.estimate_s + block.load_s)
    assert sorted(block.targets) == [f"t{number}" for number in range(8)]
    assert {side.point.partition("@")[0] for window in block.windows for side in window.sides} == {"orders-validated"}


def test_workers_that_share_a_cpu_are_not_sampled():
    targets = [target("two", workers=2), target("each", workers=2, per_cpu=True), target("one")]
    plan = make_plan(with_twin(targets), [scenario("z")], [], TEST, seed=1, budget_s=900)
    [block] = [block for block in with_profiles(plan, targets, plan.points, 60.0).blocks if block.study == PROFILE]
    assert sorted(block.targets) == ["each", "one"]


def test_with_less_time_the_references_are_kept():
    [block] = [block for block in planned(12.0)[1].blocks if block.study == PROFILE]
    assert 0 < len(block.targets) < 8
    assert block.targets[0] == "t7"
    assert planned(2.0)[0] == planned(2.0)[1]
