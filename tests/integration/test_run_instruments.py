"""Counts and profiles of a run: they go on after Ctrl-C, nothing twice, and are left out where nothing makes them."""

import os
import subprocess
import sys
import sysconfig
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.config.placement import detect
from harness.engine.engine import Engine
from harness.instruments.perf import PerfEvents
from harness.model import Block, Plan, Side, Window
from harness.plan.counting import INSTRUCTIONS, with_counts
from harness.plan.sampling import PROFILE, with_profiles
from harness.prepare.choose import chosen_targets
from harness.prepare.manifest import new_manifest
from harness.prepare.point import scenario_point
from harness.record import Run
from harness.session import Bench, measure
from harness.session.observe import Observer
from tests.integration.test_instructions import live
from tests.records import code_of

pytestmark = [pytest.mark.live, pytest.mark.timeout(1200), pytest.mark.usefixtures("no_process_left")]
TARGETS = ("raw-asgi-uvicorn", "flask-gunicorn-gthread")
ROOT = Path(__file__).parents[2]


class CtrlC(Observer):
    """Interrupts this process in the middle of the second window of a study."""

    def __init__(self, study):
        self.study, self.seen = study, 0

    def window_started(self, window, attempt):
        self.seen += window.study == self.study
        if self.seen == 2 and window.study == self.study:
            threading.Timer(0.1, os.kill, (os.getpid(), 2)).start()


def instruments_alone(results):
    """A run of nothing but one start in which two points are counted, and of profiles."""
    targets, _ = chosen_targets(TARGETS)
    points = tuple(scenario_point(name, None) for name in ("json", "plaintext"))
    sides = tuple(Side(target.name, point.id) for point in points for target in targets)
    turns = Block(0, TARGETS, (Window.in_turns("all", 0, sides, 0.0, 1),))
    plan = Plan("quick", 1, 0.0, 0.0, points, (), (turns,))
    plan = with_counts(with_profiles(plan, targets, points, 10.0), targets, points, 12.0)
    plan = Plan("quick", 1, 1e6, 0.0, points, (), plan.studies)
    return new_manifest(plan, targets, (), placement=detect(), command="", results=results)


@live
# A Ctrl-C that comes while vgdb starts leaves uvloop with the half-made process, of which it warns as the loop closes.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_ctrl_c_ended_goes_on_with_nothing_lost_or_twice(tmp_path):
    run = Run.create(tmp_path / "r", instruments_alone(tmp_path))
    planned = [window.id for window in run.manifest.plan.windows]
    assert len(planned) == 4
    kept = []
    with Engine(detect().generator) as engine:
        for study in (INSTRUCTIONS, PROFILE):
            with pytest.raises(KeyboardInterrupt):
                measure(run, Bench(engine, detect(), CtrlC(study), features=False))
            run = Run.open(tmp_path / "r")
            assert run.manifest.status == "interrupted"
            kept.append(run.windows())
        lacking = measure(run, Bench(engine, detect(), features=False))
    records = run.windows()
    assert [len(each) for each in kept] == [1, 3]
    assert records[:3] == kept[1]
    assert [record.id for record in records] == planned
    assert not lacking, [record.faults for record in records]
    counted = Counter((each.target, each.point) for record in records for each in record.counts)
    assert counted == {(target, point.id): 1 for target in TARGETS for point in run.manifest.plan.points}
    assert Counter(each.target for record in records for each in record.profiles) == dict.fromkeys(TARGETS, 1)
    assert all((tmp_path / "r" / "profiles" / f"{name}.speedscope.json").exists() for name in TARGETS)


@live
def test_counts_that_take_far_longer_than_planned_leave_the_plan(tmp_path, monkeypatch):
    late = list[float]()
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + sum(late))
    monkeypatch.setattr("harness.session.session.time", clock)

    class Slow(Observer):
        def window_ended(self, window, record):
            late.append(1e3)

    manifest = instruments_alone(tmp_path)
    run = Run.create(tmp_path / "r", replace(manifest, plan=replace(manifest.plan, budget_s=900.0)))
    counts = [window for window in run.manifest.plan.windows if window.study == INSTRUCTIONS]
    with Engine(detect().generator) as engine:
        lacking = measure(run, Bench(engine, detect(), Slow(), features=False))
    assert not lacking
    plan = Run.open(run.folder).manifest.plan
    assert [window for window in plan.windows if window.study == INSTRUCTIONS] == counts[:1]
    [left_out] = plan.left_out
    assert (left_out.point, left_out.reason.code) == (INSTRUCTIONS, "late-counts")
    assert left_out.reason.fields == {"left": len(counts[1].sides), "planned": sum(len(each.sides) for each in counts)}


def test_without_valgrind_and_py_spy_both_are_named_once(tmp_path):
    # An interpreter elsewhere hides the py-spy that is installed next to this one.
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.symlink_to(Path(sys.executable).resolve())
    path = os.pathsep.join([str(ROOT), sysconfig.get_paths()["purelib"]])
    words = ("-t", TARGETS[0], "-s", "json", "--budget", "15s", "--out", "r")
    done = subprocess.run(
        [str(python), "-m", "harness.cli", "run", *words],
        cwd=tmp_path,
        env={**os.environ, "PATH": str(python.parent), "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=1000,
    )
    run = Run.open(tmp_path / "r")
    assert done.returncode == code_of(run), done.stderr
    assert run.manifest.status == "finished"
    assert not any(record.profiles for record in run.windows())
    assert done.stderr.count("profiles cannot be made here: py-spy is not installed: pip install py-spy\n") == 1
    if PerfEvents.unavailable():
        missing = "instructions cannot be counted here: valgrind is not installed: apt-get install valgrind\n"
        assert done.stderr.count(missing) == 1
