"""A worker of a real pre-forking server that is killed while a study measures it."""

import os
import signal
from dataclasses import replace

import psutil
import pytest

from harness.config.placement import Placement
from harness.engine.engine import Engine
from harness.model import Block, Reason, Trial
from harness.serve import Fleet
from harness.serve.guard import Guard
from harness.session import Bench, measure
from tests.integration.test_conduct import JSON, new_run
from tests.targets import ALL

pytestmark = [pytest.mark.live, pytest.mark.usefixtures("no_process_left")]


class Killing(Engine):
    """Kills the first worker of the fleet's one server once it has answered for a while."""

    fleet: Fleet
    killed = False

    def run_load(self, spec, on_progress=None):
        def progressed(progress):
            if progress.replies > 50 and not self.killed:
                [running] = self.fleet.running.values()
                self.killed = True
                os.kill(psutil.Process(running.pid).children()[0].pid, signal.SIGKILL)

        return super().run_load(spec, progressed)


def test_the_window_does_not_count_since_a_dead_worker_takes_its_cpu_time_with_it(tmp_path):
    target = replace(ALL["flask-gunicorn-gthread"], workers=2)
    run = new_run(tmp_path / "r", [target], (replace(JSON, settings={"window_s": 2.0}),))
    trial = Trial("b00-latency", 0, "latency", "json", target.name, {"rate": (200, 201)}, 5.0)
    block = Block(0, (target.name,), trials=(trial,), study="latency")
    run.update(replace(run.manifest, plan=replace(run.manifest.plan, blocks=(block,))))
    guard = Guard()
    try:
        with Killing() as engine:
            engine.fleet = Fleet(guard)
            measure(run, Bench(engine, Placement((), (), ()), fleet=lambda: engine.fleet))
    finally:
        guard.close()
    hit = next(record for record in run.windows() if record.only.point == "200-rps")
    after = [record for record in run.windows() if record.only.point == "201-rps"][-1]
    assert engine.killed
    assert any(gate.reason == Reason("process-ended", {"count": 1}) for gate in hit.gates)
    assert "cpu_s" not in hit.only.figures
    assert not any(gate.reason.code == "process-ended" for gate in after.gates), "its master started another"
    assert after.only.figures["cpu_s"] > 0
