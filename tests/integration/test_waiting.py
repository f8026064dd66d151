"""Memory of waiting requests, at real servers."""

from dataclasses import replace

import pytest

from harness.conduct import conduct
from harness.declare import load_declarations
from harness.launch import serving
from harness.observe import Silent
from harness.placement import Placement
from harness.record import Run
from harness.waiting import hold, window_id
from tests.integration.test_conduct import FakeEngine, new_run, served

pytestmark = [pytest.mark.quiet, pytest.mark.usefixtures("no_process_left")]


def test_requests_that_wait_are_counted_and_take_memory():
    targets = {target.name: target for target in load_declarations().targets}
    with serving(targets["starlette-uvicorn"]) as running:
        few, many = hold(running, 0, (20, 200))
    assert (few.planned, few.figures["connected"], few.errors) == (20, 20, {})
    assert many.figures["accepted"] == 200
    assert many.figures["held_bytes"] > many.figures["idle_bytes"] > 10_000_000
    with serving(targets["flask-gunicorn-sync"]) as running:
        (backlog,) = hold(running, 0, (20,))
    assert backlog.figures["connected"] == 20
    assert backlog.figures["accepted"] <= 1, "the kernel holds the others"


def test_a_run_holds_once_and_does_not_repeat_it(own_app, tmp_path):
    app = own_app(served())
    run = new_run(tmp_path / "r", [app], blocks=2)
    plan = run.manifest.plan
    first = replace(plan.blocks[0], held=(app.name,))
    run.update(replace(run.manifest, plan=replace(plan, blocks=(first, *plan.blocks[1:]))))
    conduct(run, FakeEngine(), Placement((), (), ()), Silent())
    again = Run.open(run.folder)
    assert [window.id for window in again.windows()] == [window_id(0, app.name, count) for count in (100, 1000)]
    assert all(window.errors == {"ended": window.planned} for window in again.windows()), "it answers at once"
    conduct(again, FakeEngine(), Placement((), (), ()), Silent())
    assert len(again.windows()) == 2
