"""How often instructions find a slowdown of 0.5%, call the same app different, and how much fresh starts differ.

    python benchmarks/instructions.py found  [TARGET] [--busy] [--share 0.005] [--repeats 20]
    python benchmarks/instructions.py same   [TARGET] [--busy] [--repeats 40]
    python benchmarks/instructions.py starts [TARGET…] [--busy] [--starts 3] [-c 1] [-s json]

``found`` and ``same`` call ``harness versus --metric instructions``; the target is served through a loop, without turns
on the other side. A first comparison, with many turns, shows what one costs. Each line: the verdict, the ratio with its
99% interval, the exit code, and the wall time of the command. ``--busy`` runs a busy loop on each CPU meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from itertools import combinations
from pathlib import Path
from typing import Any

from harness.config.placement import detect
from harness.engine.engine import Engine
from harness.model import Plan, Point, Scenario, Side, Target, side_faults
from harness.plan.counting import counting_block
from harness.prepare.choose import chosen_target
from harness.prepare.manifest import new_manifest
from harness.prepare.point import scenario_point
from harness.prepare.versus import REQUESTS
from harness.record import Run
from harness.report.language.catalogue import ENGLISH
from harness.results.instructions import counts_of
from harness.selftest.slowdown import slowed
from harness.serve.services import needs_of, services
from harness.session import Bench, measure

CALIBRATION_TURNS, UNLIMITED_S = 20_000, 1e9
BUSY = """
import os, sys
os.sched_setaffinity(0, {int(sys.argv[1])})
parent = os.getppid()
while os.getppid() == parent:
    for _ in range(1_000_000):
        pass
"""
REFERENCE = (
    "fastapi-uvicorn", "starlette-uvicorn", "flask-gunicorn-gthread", "django-gunicorn-gthread", "fastapi-granian",
    "tornado-native",
)  # fmt: skip


@contextmanager
def busy() -> Iterator[None]:
    loops = [subprocess.Popen([sys.executable, "-c", BUSY, str(cpu)]) for cpu in os.sched_getaffinity(0)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def written(target: Target, turns: int, name: str, folder: Path) -> str:
    """The target with turns of the loop, as it is spelled out on the command line."""
    served = slowed(target, turns, folder / f"{name}.book", name)
    environment = {f"env.{key}": value for key, value in served.environment.items()}
    settings = {"name": name, "interface": target.interface, "workers": target.workers, "threads": target.threads}
    options = {**settings, "endpoints": "*", **target.options, **environment}
    return ",".join([f"{served.application}@{served.server}", *(f"{key}={value}" for key, value in options.items())])


def compared(target: Target, turns: int, scenario: str, folder: Path) -> tuple[int, dict[str, Any]]:
    sides = [written(target, turns, "slowed", folder), written(target, 0, "as-it-is", folder)]
    words = ["versus", *sides, "-s", scenario, "--metric", "instructions", "--json", "--quiet"]
    done = subprocess.run([sys.executable, "-m", "harness.cli", *words], cwd=folder, stdout=subprocess.PIPE, text=True)
    return done.returncode, json.loads(done.stdout) if done.stdout else {}


def repeated(target: Target, share: float, repeats: int, scenario: str, folder: Path) -> None:
    turns, truth = 0, 1.0
    if share:
        code, result = compared(target, CALIBRATION_TURNS, scenario, folder)
        if not result.get("ratio"):
            raise SystemExit(f"the calibration gave no number, exit code {code}")
        turn = (result["ratio"] - 1) / CALIBRATION_TURNS
        turns = round(share / turn)
        truth = 1 + turns * turn
        print(f"{CALIBRATION_TURNS} turns: {result['ratio']:.3f}; {turns} are {truth - 1:.3%}", flush=True)
    verdicts, times, distinct = Counter[str](), list[float](), 0
    for number in range(1, repeats + 1):
        began = time.monotonic()
        code, result = compared(target, turns, scenario, folder)
        times.append(time.monotonic() - began)
        ratio, low, high = (result.get(key) or float("nan") for key in ("ratio", "ci_low", "ci_high"))
        verdicts[verdict := result.get("verdict", "none")] += 1
        distinct += low > 1 or high < 1
        print(
            f"{number:3d}  {verdict}, {ratio:.5f} [{low:.5f}, {high:.5f}], truth {truth:.5f}, exit code {code}, "
            f"{result.get('blocks')} starts, {times[-1]:.1f} s",
            flush=True,
        )
    counts = ", ".join(f"{count} × {verdict}" for verdict, count in verdicts.most_common())
    print(
        f"different in {distinct} of {repeats}: {counts}; {min(times):.1f} to {max(times):.1f} s, "
        f"median {statistics.median(times):.1f} s"
    )


def spread_of_starts(targets: Sequence[Target], point: Point, starts: int, folder: Path) -> None:
    """Counts so many starts of the targets, all at once, as a comparison does, and shows what varies between starts."""
    placement, counted = detect(), dict[str, list[float]]()
    scenario = Scenario(point.scenario, point.id, "real", "", point.requests, (point.concurrency,))
    with (
        Engine(placement.generator) as engine,
        services(needs_of(request.endpoint for request in point.requests)) as around,
    ):
        sides = [Side(target.name, point.id) for target in targets]
        blocks = tuple(counting_block(index, 0, [sides], REQUESTS) for index in range(starts + 1))
        plan = Plan("instructions", 0, UNLIMITED_S, 0.0, (point,), (), blocks)
        run = Run.create(
            folder / "starts",
            new_manifest(plan, targets, (scenario,), placement=placement, command="", results=folder),
        )
        measure(run, Bench(engine, placement, services=around, features=False))
    for record in run.windows():
        for side, fault in side_faults(record).items():
            raise SystemExit(f"{side.target}: {ENGLISH.reason(fault.reason)}")
    for side, counts in counts_of(run.windows()).items():
        # The first start may write bytecode that the others read.
        later = list(counts.values())[1:]
        values = counted[side.target] = [each.per_request for each in later]
        mean = statistics.mean(values)
        sd = statistics.stdev(values) / mean if len(values) > 1 else float("nan")
        collections = statistics.mean(each.collections for each in later)
        print(
            f"{side.target:28} {side.point:20} {mean / 1e3:9.2f} thousand, sd {sd:.3%} of {len(values)}; "
            f"collections of garbage {collections / 1e3:.2f} thousand",
            flush=True,
        )
    ratios = {}
    for (a, ours), (b, theirs) in combinations(counted.items(), 2):
        each = [one / other for one, other in zip(ours, theirs, strict=True)]
        ratios[f"{a} / {b}"] = statistics.stdev(each) / statistics.mean(each) if len(each) > 1 else float("nan")
    for pair, sd in sorted(ratios.items(), key=lambda item: item[1]):
        print(f"{pair:56} sd {sd:.3%}")
    if ratios:
        print(f"ratios: median sd {statistics.median(ratios.values()):.3%}, largest {max(ratios.values()):.3%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("found", "same", "starts"))
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--share", type=float, default=0.005)
    parser.add_argument("--repeats", type=int, default=0)
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("-c", "--concurrency", type=int, default=1)
    parser.add_argument("-s", "--scenario", default="json")
    parser.add_argument("--busy", action="store_true", help="run a busy loop on each CPU meanwhile")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, busy() if options.busy else nullcontext():
        if options.what == "starts":
            targets = [chosen_target(each) for each in options.targets or REFERENCE]
            spread_of_starts(targets, scenario_point(options.scenario, options.concurrency), options.starts, Path(name))
        else:
            share, repeats = (options.share, 20) if options.what == "found" else (0.0, 40)
            for each in options.targets or ("starlette-uvicorn",):
                repeated(chosen_target(each), share, options.repeats or repeats, options.scenario, Path(name))


if __name__ == "__main__":
    main()
