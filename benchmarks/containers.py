"""What a container costs: the same target as a process and as a service of docker-compose.yml, in alternating slices.

    python benchmarks/containers.py [--target NAME] [--scenario json] [--blocks 8]

Needs a Docker engine that this machine's kernel serves, and the interpreter of the image (``python --version`` is
compared): otherwise the interpreters would be what differs. Nothing else may run meanwhile.
"""

from __future__ import annotations

import argparse
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harness.config import load_declarations
from harness.config.placement import Placement, detect
from harness.engine.engine import Engine
from harness.model import Target
from harness.prepare.point import scenario_point
from harness.prepare.select import select_targets
from harness.prepare.versus import block, versus_manifest, versus_plan
from harness.record import Run
from harness.report.language.catalogue import ENGLISH
from harness.results.summarise import summarise
from harness.serve import JWT_SECRET, READY_S, Fleet, Servers, compose
from harness.serve.guard import Guard
from harness.session import Bench, measure

MARK = "@container"
BLOCK_S = 20.0
ROOT = Path(__file__).parents[1]


class Both(Servers):
    """The target as a process, and as a service where its name says so."""

    def __init__(self, own: Fleet, contained: compose.ComposeFleet, service: str) -> None:
        super().__init__()
        self._own, self._contained, self._service = own, contained, service

    def start(self, targets: Sequence[Target], deadline_s: float = READY_S) -> None:
        inside = [replace(target, twin_of=self._service) for target in targets if target.name.endswith(MARK)]
        self._own.start([target for target in targets if not target.name.endswith(MARK)], deadline_s)
        self._contained.start(inside, deadline_s)
        for servers in (self._own, self._contained):
            self.running |= servers.running
            self.failures |= servers.failures

    def close(self) -> None:
        super().close()
        self._contained.close()
        self._own.close()


def same_interpreter(project: compose.Project, container: str) -> None:
    inside = project.docker("exec", container, "python", "--version").strip()
    here = subprocess.run([sys.executable, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if inside != here:
        sys.exit(f"the image has {inside}, this is {here}: run it with the image's version")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", default="fastapi-uvicorn")
    parser.add_argument("--scenario", default="json")
    parser.add_argument("--blocks", type=int, default=8)
    options = parser.parse_args()
    declarations = load_declarations()
    target = select_targets(declarations, [options.target])[0]
    point = scenario_point(options.scenario, 32)
    contained = replace(target, name=target.name + MARK, reference=False)
    plan = versus_plan((contained, target), point, "cpu_cost", seed=1, budget_s=600.0, start_s=2.0)
    groups = [(window.sides, BLOCK_S) for window in plan.windows]
    plan = replace(plan, blocks=tuple(block(index, groups) for index in range(options.blocks)))
    secret, guard = secrets.token_hex(32), Guard()
    try:
        project = compose.project([target], secret, ROOT)
        same_interpreter(project, project.id_of(target.name))
        placement = compose.placement_of(project, [target], detect())

        def fleet() -> Both:
            own = Fleet(guard, Placement(placement.server, (), ()), environment={JWT_SECRET: secret})
            return Both(own, compose.ComposeFleet(project, secret), target.name)

        with tempfile.TemporaryDirectory() as folder, Engine(placement.generator) as engine:
            manifest = versus_manifest(plan, (contained, target), placement, command="", results=Path(folder))
            run = Run.create(Path(folder) / "run", manifest)
            measure(run, Bench(engine, placement, fleet=fleet, features=False))
            summary = summarise(run.manifest, run.windows(), run.samples)
    finally:
        guard.close()
    for result in summary.contrasts:
        if result.ratio is None:
            print(f"{options.target}, {result.metric}: {result.verdict}: {ENGLISH.reasons(result.reasons)}")
            continue
        ends = [f"{end:.3f}" if end is not None else "–" for end in (result.ci_low, result.ci_high)]
        print(
            f"{options.target}, {point.id}, {result.metric}: in its container ÷ as a process = {result.ratio:.3f} "
            f"[{', '.join(ends)}], {result.verdict}, {result.blocks} blocks"
        )
    for cell in summary.cells:
        if cell.cpu_us:
            rate = f"{cell.throughput_rps.value:,.0f}/s" if cell.throughput_rps else "throughput not measurable"
            print(f"  {cell.target}: {cell.cpu_us.value:.1f} µs, {rate}")


if __name__ == "__main__":
    main()
