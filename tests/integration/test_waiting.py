"""Memory of waiting requests, at real servers."""

from dataclasses import replace

import pytest

from harness.config.placement import Placement
from harness.model import Block, PlannedRequest, Side, Trial, Window
from harness.record import Run
from harness.serve import serving
from harness.session import Bench, measure
from harness.session.meter import Meter
from harness.session.sender import Job
from harness.session.waiting import WaitingSender
from harness.studies.study import WaitingRequests, WindowSpec
from tests.integration.test_conduct import FakeEngine, new_run, served
from tests.targets import ALL

pytestmark = [pytest.mark.live, pytest.mark.usefixtures("no_process_left")]
PLACEMENT = Placement((), (), ())
SLEEP = PlannedRequest("io-sleep", "", {"ms": 10_000})


def waiting(running, counts):
    """What each of the counts came to, one after the other."""
    sender, side = WaitingSender(), Side(running.target.name, "")
    servers = {running.target.name: running}
    meter = Meter(servers, PLACEMENT, ())
    try:
        for count in counts:
            spec = WindowSpec(str(count), "waiting", {}, WaitingRequests(SLEEP, count))
            window = Window("w", 0, (side,), 0.0, 0.0, "waiting")
            [result] = sender.send(Job(window, (side,), {}, servers, 0.0, 1, spec), meter, print).sides
            yield result
    finally:
        sender.close()


def test_requests_that_wait_are_counted_and_take_memory():
    with serving(ALL["starlette-uvicorn"]) as running:
        few, many = waiting(running, (20, 200))
    assert (few.planned, few.figures["connected"], few.errors) == (20, 20, {})
    assert many.figures["accepted"] == 200
    assert many.figures["held_bytes"] > many.figures["idle_bytes"] > 10_000_000
    with serving(ALL["flask-gunicorn-sync"]) as running:
        (backlog,) = waiting(running, (20,))
    assert backlog.figures["connected"] == 20
    assert backlog.figures["accepted"] <= 1, "the kernel holds the others"


def test_a_run_holds_once_and_does_not_repeat_it(own_app, tmp_path):
    app = own_app(served())
    run = new_run(tmp_path / "r", [app], blocks=2)
    plan = run.manifest.plan
    trial = Trial("b00-waiting-own_app", 0, "waiting", "", app.name, {"requests": (100, 1000)}, 1.0)
    first = Block(0, (app.name,), trials=(trial,), study="waiting")
    run.update(replace(run.manifest, plan=replace(plan, blocks=(first, *plan.blocks))))
    measure(run, Bench(FakeEngine(), PLACEMENT))
    again = Run.open(run.folder)
    windows = [record for record in again.windows() if record.study]
    assert [window.id for window in windows] == ["b00-waiting-own_app-100", "b00-waiting-own_app-1000"]
    assert all(window.only.errors == {"ended": window.only.planned} for window in windows), "it answers at once"
    measure(again, Bench(FakeEngine(), PLACEMENT))
    assert len(again.windows()) == len(Run.open(run.folder).windows()) == 4
