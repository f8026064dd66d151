"""The orchestrator with real servers and a load generator that only pretends: what is recorded when things go wrong."""

import os
import signal
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from harness.config.placement import Placement
from harness.engine.spec import SideOutcome, SlicesResult
from harness.errors import EngineError, NotReadyError, RecordError, UsageError
from harness.model import (
    Block,
    Extension,
    Manifest,
    PlannedRequest,
    Reason,
    Scenario,
    Side,
    Slices,
    Window,
    final_attempts,
)
from harness.plan import make_plan, with_twin
from harness.plan.profiles import Profile
from harness.prepare.plan import remaining
from harness.record import Run
from harness.serve import READY_S, Fleet, environment
from harness.serve.guard import Guard
from harness.session import Bench, measure
from tests.conftest import NoRoom, asgi_app

pytestmark = [pytest.mark.live, pytest.mark.usefixtures("no_process_left")]
PLACEMENT = Placement((), (), ())
JSON = Scenario("json", "JSON", "pick", "", (PlannedRequest("json", "valid"),), (2,))


def served(json_body='{"message": "Hello, World!"}'):
    """An app that answers /json, and /plaintext wrongly."""
    return asgi_app(body=f"b'{json_body}'")


class FakeEngine:
    """Answers at once with one slice per side; ``act`` may do harm first, given the number of the call and the spec."""

    def __init__(self, act=lambda call, spec: None):
        self.act, self.calls, self.specs = act, 0, []

    def run_slices(self, spec, on_progress=None):
        self.calls += 1
        self.specs.append(spec)
        self.act(self.calls, spec)
        n = len(spec.sides)
        ones, sides = (0,) * n, tuple(range(n))
        slices = Slices(
            ones, sides, *((0.1,) * n for _ in range(4)), (20,) * n, (20,) * n, ones, ones,
            (0.1,) * n, (0.02,) * n, (0.0,) * n,
        )  # fmt: skip
        service = np.full(20, 0.11e6 * 2 / 20)
        outcomes = (SideOutcome(service),) * n
        return SlicesResult(0.2 * n, slices, outcomes, 0.02)


def new_run(folder, targets, scenarios=(JSON,), blocks=2):
    profile = Profile("test", 60, blocks, 1, "full")
    plan = make_plan(targets, scenarios, [], profile, seed=1)
    now = datetime.now(UTC).isoformat()
    manifest = Manifest("r", "", now, "running", "harness run", 1, plan, tuple(targets), tuple(scenarios), {}, {})
    return Run.create(folder, manifest)


def test_every_window_of_every_block_is_recorded(own_app, tmp_path):
    run = new_run(tmp_path / "r", with_twin([own_app(served())]))
    engine = FakeEngine()
    lacking = measure(run, Bench(engine, PLACEMENT))
    records = run.windows()
    assert not lacking
    assert {record.block for record in records} == {0, 1}
    assert [side.target for side in records[0].sides] == ["own_app", "own_app~again"]
    assert set(records[0].startup_s) == {"own_app", "own_app~again"}
    assert all(size > 1_000_000 for size in records[0].rss_bytes.values())
    assert run.samples(records[0])[1].shape == (20,)
    assert Run.open(run.folder).manifest.status == "finished"
    ports = [{side.address.port for side in spec.sides} for spec in engine.specs]
    assert len(ports[0] | ports[1]) == 4, "every block starts its servers afresh"


def test_who_starts_first_differs_from_block_to_block_and_not_from_run_to_run(own_app, tmp_path):
    targets = with_twin([own_app(served())])
    started: list[list[str]] = []

    class Noted(Fleet):
        def start(self, targets, deadline_s=READY_S):
            started.append([target.name for target in targets])
            super().start(targets, deadline_s)

    run = new_run(tmp_path / "r", targets, blocks=4)
    guard = Guard()
    try:
        measure(run, Bench(FakeEngine(), PLACEMENT, fleet=lambda: Noted(guard)))
    finally:
        guard.close()
    assert [names[0] for names in started] == ["own_app", "own_app", "own_app~again", "own_app~again"]
    assert all(sorted(names) == ["own_app", "own_app~again"] for names in started)


def test_a_wrong_reply_is_found_before_any_load(own_app, tmp_path):
    good, bad = own_app(served(), module="good"), own_app(served('{"message": "Hello, Wor1d!"}'), module="bad")
    run = new_run(tmp_path / "r", [good, bad], blocks=1)
    engine = FakeEngine()
    lacking = measure(run, Bench(engine, PLACEMENT))
    assert lacking
    assert [side.target for side in engine.specs[0].sides] == ["good"]
    failure = run.windows()[0].failures[0]
    assert (failure.target, failure.reason.code) == ("bad", "wrong-reply")
    assert "message is 'Hello, Wor1d!' instead of 'Hello, World!'" in failure.reason.text


def test_a_server_that_dies_under_load_is_recorded_and_the_run_goes_on(own_app, tmp_path):
    good, bad = own_app(served(), module="good"), own_app(served(), module="bad")

    def kill_second_side(call, spec):
        if call == 1:
            bad_side = next(side for side in spec.sides if side.target == "bad")
            os.killpg(bad_side.root_pid, signal.SIGKILL)
            os.waitid(os.P_PID, bad_side.root_pid, os.WEXITED | os.WNOWAIT)

    run = new_run(tmp_path / "r", [good, bad], (JSON, replace(JSON, name="json-again")), blocks=2)
    engine = FakeEngine(kill_second_side)
    lacking = measure(run, Bench(engine, PLACEMENT))
    records = run.windows()
    assert lacking == 2
    assert [f.reason.code for record in records for f in record.failures] == ["died", "died"]
    assert records[0].failures[0].reason == Reason("died", {"exit_code": "-9"})
    assert [len(set(record.slices.side)) for record in records] == [2, 1, 2, 2], "the next block starts it afresh"
    assert all(len(record.sides) == 2 for record in records)


def test_one_that_does_not_start_is_a_failure_of_its_windows(own_app, tmp_path):
    good, bad = own_app(served(), module="good"), own_app("1/0\n", module="bad")
    run = new_run(tmp_path / "r", [good, bad], blocks=1)
    lacking = measure(run, Bench(FakeEngine(), PLACEMENT))
    failure = run.windows()[0].failures[0]
    assert lacking == 1
    assert (failure.target, failure.reason.code, failure.point) == ("bad", "exited", "json@2")
    assert any("ZeroDivisionError" in line for line in failure.log)


def test_no_target_at_all_is_an_error(own_app, tmp_path):
    run = new_run(tmp_path / "r", [own_app("1/0\n")])
    with pytest.raises(NotReadyError, match="ZeroDivisionError"):
        measure(run, Bench(FakeEngine(), PLACEMENT))
    assert Run.open(run.folder).manifest.status == "interrupted"


@pytest.mark.parametrize("error", [KeyboardInterrupt, EngineError("the generator ended")])
def test_an_interrupted_run_goes_on_where_it_was(own_app, tmp_path, error):
    def interrupt(call, spec):
        if call == 3:
            raise error

    run = new_run(tmp_path / "r", with_twin([own_app(served())]), (JSON, replace(JSON, name="json-again")))
    with pytest.raises(type(error) if isinstance(error, Exception) else error):
        measure(run, Bench(FakeEngine(interrupt), PLACEMENT))
    assert Run.open(run.folder).manifest.status == "interrupted"
    assert len(run.windows()) == 2
    engine = FakeEngine()
    again = Run.open(run.folder)
    assert not measure(again, Bench(engine, PLACEMENT))
    assert engine.calls == 2
    assert len({record.id for record in again.windows()}) == 4
    assert Run.open(run.folder).manifest.status == "finished"


def test_a_window_whose_next_try_was_cut_off_is_tried_again(own_app, tmp_path):
    class Starved(FakeEngine):
        def run_slices(self, spec, on_progress=None):
            return replace(super().run_slices(spec), generator_wait=1.0)

    def interrupt(call, spec):
        if call == 2:
            raise KeyboardInterrupt

    run = new_run(tmp_path / "r", [own_app(served())], blocks=1)
    with pytest.raises(KeyboardInterrupt):
        measure(run, Bench(Starved(interrupt), PLACEMENT))
    [first] = run.windows()
    assert "generator-starved" in {gate.reason.code for gate in first.gates}
    again = Run.open(run.folder)
    assert remaining(again.manifest.plan, again).windows == again.manifest.plan.windows
    assert not measure(again, Bench(FakeEngine(), PLACEMENT))
    assert [record.attempt for record in again.windows()[:2]] == [0, 1]
    assert final_attempts(again.windows())[0].attempt > 0
    assert not remaining(again.manifest.plan, again).windows


def test_what_is_added_joins_the_plan_before_it_is_measured(own_app, tmp_path):
    targets = with_twin([own_app(served())])
    run = new_run(tmp_path / "r", targets, blocks=1)
    point = replace(run.manifest.plan.points[0], id="json-more@2")
    sides = tuple(Side(target.name, point.id) for target in targets)
    blocks = tuple(Block(n, ("own_app", "own_app~again"), (Window(f"b{n}-more", n, sides, 1.0, 1.0),)) for n in (1, 2))

    def once(run, left_s):
        assert 0 < left_s <= 60
        return None if len(run.manifest.plan.blocks) > 1 else Extension(blocks, (point,))

    def interrupt(call, spec):
        if call == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure(run, Bench(FakeEngine(interrupt), PLACEMENT), once)
    again = Run.open(run.folder)
    assert [p.id for p in again.manifest.plan.points] == ["json@2", "json-more@2"]
    assert len(again.windows()) == 2
    engine = FakeEngine()
    assert not measure(again, Bench(engine, PLACEMENT), once)
    assert [side.point for spec in engine.specs for side in spec.sides] == ["json-more@2"] * 2
    assert again.windows()[-1].id == "b2-more"


def test_a_disk_that_takes_no_more_ends_the_run_with_a_clear_error(own_app, tmp_path):
    run = new_run(tmp_path / "r", [own_app(served())])
    lines = run.folder / "windows.jsonl"
    disk = NoRoom()
    engine = FakeEngine(lambda call, spec: call == 2 and disk.begin(lines.stat().st_size + 10))
    with pytest.raises(RecordError, match="could not be saved: File too large") as caught, disk:
        measure(run, Bench(engine, PLACEMENT))
    assert "--resume" in caught.value.hint
    assert len(Run.open(run.folder).windows()) == 1


def test_the_last_attempt_counts(own_app, tmp_path):
    run = new_run(tmp_path / "r", [own_app(served())], blocks=1)
    measure(run, Bench(FakeEngine(), PLACEMENT))
    first = run.windows()[0]
    run.append(replace(first, attempt=1, duration_s=9.0), {})
    assert [record.duration_s for record in final_attempts(run.windows())] == [9.0]


def test_a_run_does_not_go_on_with_other_versions(own_app, tmp_path):
    run = new_run(tmp_path / "r", [own_app(served())], blocks=2)

    def interrupt(call, spec):
        if call == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure(run, Bench(FakeEngine(interrupt), PLACEMENT))
    run.update(replace(run.manifest, versions={**environment.versions(), "starlette": "0.1"}))
    with pytest.raises(UsageError, match=r"began with other versions: starlette 0\.1 → \d"):
        measure(Run.open(run.folder), Bench(FakeEngine(), PLACEMENT))
    run.update(replace(run.manifest, versions=environment.versions()))
    assert not measure(Run.open(run.folder), Bench(FakeEngine(), PLACEMENT))


def test_servers_of_a_block_that_nobody_asked_for_yet_start_early_and_are_ended(own_app, tmp_path):
    run = new_run(tmp_path / "r", with_twin([own_app(served())]), blocks=1)
    [window] = run.manifest.plan.windows
    more = Block.of(1, [replace(window, id="b01-more", block=1)])

    def once(run, left_s):
        return None if len(run.manifest.plan.blocks) > 1 else Extension((more,))

    engine = FakeEngine()
    assert not measure(run, Bench(engine, PLACEMENT, features=False, overlap=True), once)
    first, second = run.windows()
    assert (first.block, second.block) == (0, 1)
    assert not first.startup_s, "they start all at once, which takes longer"
    ports = {side.address.port for spec in engine.specs for side in spec.sides}
    assert len(ports) == 4
