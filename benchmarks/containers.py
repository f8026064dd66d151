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
from datetime import UTC, datetime
from pathlib import Path

from harness.config import load_declarations, select_targets
from harness.config.placement import Placement, detect
from harness.engine.engine import Engine
from harness.model import Failure, Manifest, Scenario, Target
from harness.prepare.asked import scenario_point
from harness.prepare.versus import block, versus_plan
from harness.record import Run
from harness.report.language.catalogue import ENGLISH
from harness.results.summarise import summarise
from harness.serve import JWT_SECRET, Fleet, compose
from harness.serve.guard import Guard
from harness.serve.servers import interface_of
from harness.session import Bench, measure

MARK = "@container"
BLOCK_S = 20.0
ROOT = Path(__file__).parents[1]


class Both:
    """Processes, and containers for the targets whose name says so."""

    def __init__(self, own: Fleet, contained: compose.ComposeFleet) -> None:
        self._own, self._contained = own, contained
        self.running: dict[str, object] = {}
        self.failures: dict[str, Failure] = {}

    def __enter__(self) -> Both:
        return self

    def __exit__(self, *_: object) -> None:
        self._contained.close()
        self._own.close()

    def start(self, targets: Sequence[Target]) -> None:
        self._own.start([target for target in targets if not target.name.endswith(MARK)])
        self._contained.start([target for target in targets if target.name.endswith(MARK)])
        for fleet in (self._own, self._contained):
            self.running |= fleet.running
            self.failures |= fleet.failures


def same_interpreter(found: compose.Project, container: str) -> None:
    inside = found.docker("exec", container, "python", "--version").strip()
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
    target = select_targets(declarations, [options.target], interface_of)[0]
    point = scenario_point(options.scenario, 32)
    contained = replace(target, name=target.name + MARK, reference=False)
    secret, guard = secrets.token_hex(32), Guard()
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            compose.project([target], secret, ROOT) as found,
            Engine(detect().generator) as engine,
        ):
            same_interpreter(found, found.id_of(target.name))
            placement = compose.placement_of(found, [target], detect())
            plan = versus_plan(contained, target, point, "cpu_cost", seed=1, budget_s=600.0, start_s=2.0, control=False)
            first = plan.blocks[0].windows[0]
            planned = tuple(block(index, [(first.sides, BLOCK_S)]) for index in range(options.blocks))
            scenario = Scenario(point.scenario, point.id, "real", "", point.requests, (point.concurrency,))
            now = datetime.now(UTC).isoformat(timespec="seconds")
            manifest = Manifest(
                "containers",
                "",
                now,
                "running",
                "",
                1,
                replace(plan, blocks=planned),
                (contained, target),
                (scenario,),
                {},
                {},
            )

            def fleet() -> Both:
                own = Fleet(guard, Placement(placement.server, (), ()), environment={JWT_SECRET: secret})
                return Both(own, Services(found, secret, target.name))

            run = Run.create(Path(folder) / "run", manifest)
            measure(run, Bench(engine, placement, fleet=fleet))
            summary = summarise(run.manifest, run.windows(), run.samples)
    finally:
        guard.close()
    for result in summary.contrasts:
        if result.ratio is not None:
            print(
                f"{options.target}, {point.id}, {result.metric}: in its container ÷ as a process = {result.ratio:.3f} "
                f"[{result.ci_low:.3f}, {result.ci_high:.3f}], {result.verdict}, {result.blocks} blocks"
            )
        else:
            print(f"{options.target}, {result.metric}: {result.verdict}: {ENGLISH.reasons(result.reasons)}")
    for cell in summary.cells:
        if cell.cpu_us:
            print(f"  {cell.target}: {cell.cpu_us.value:.1f} µs, {cell.throughput_rps.value:,.0f}/s")


class Services(compose.ComposeFleet):
    """The service of one target, under a name of its own."""

    def __init__(self, found: compose.Project, secret: str, service: str) -> None:
        super().__init__(found, secret)
        self._service = service

    def start(self, targets: Sequence[Target], deadline_s: float = 30.0) -> None:
        super().start([replace(target, twin_of=self._service) for target in targets], deadline_s)


if __name__ == "__main__":
    main()
