"""How often gates are right in a pipeline: an injected slowdown must fail them, the same app twice must pass.

    python benchmarks/pipeline.py [measure|check] [--folder DIR] [--slowdown 0.10] [--times 20] [--budget 25s]

Every trial is what a job of a pipeline does. ``harness versus slowed before --fail-if-slower`` lets an app with a
counted loop in every request take turns with the app as it is, and with its own twin as the A/A control; then ``harness
check`` holds a gate against either pair of the run. ``measure`` and ``check`` do one half each on a saved folder, since
only measuring needs the machine to itself.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from scipy import stats

from harness.config import load_declarations
from harness.config.placement import detect
from harness.engine.engine import Engine
from harness.model import Target
from harness.plan import TWIN, expand
from harness.prepare.select import select_scenarios, select_targets
from harness.selftest.slowdown import calibrate, slowed
from harness.selftest.slowed import Book

HARNESS = (sys.executable, "-m", "harness.cli")
SCENARIO = "json"
CALIBRATIONS = 3
SIMPLE = ("name", "framework", "interface", "server", "application", "workers", "threads")
JOBS = {"slowed / before": 1, f"slowed{TWIN} / slowed": 0}
"""Pair → the exit code that is right."""


def declared(target: Target) -> str:
    """The target as a ``[[target]]`` of ``targets.toml``."""
    lines = ["[[target]]", *(f"{key} = {json.dumps(getattr(target, key))}" for key in SIMPLE)]
    lines.append(f"endpoints = {json.dumps(list(target.endpoints))}")
    for key, values in (("options", target.options), ("environment", target.environment)):
        lines.append(f"{key} = {{ {', '.join(f'{name} = {json.dumps(value)}' for name, value in values.items())} }}")
    return "\n".join(lines) + "\n"


def project(folder: Path, target: Target, slowdown: float) -> None:
    """Declares both sides in the folder, with as many turns of the loop as the slowdown takes here and now."""
    [scenario] = select_scenarios(load_declarations(), [SCENARIO])
    placement = detect()
    with Engine(placement.generator) as engine:
        loop = calibrate(target, expand(scenario, "corner")[0], engine, placement, range(CALIBRATIONS))
    turns = {"before": 0, "slowed": loop.turns(slowdown)}
    sides = [slowed(target, count, folder / f"{name}.book", name) for name, count in turns.items()]
    (folder / "targets.toml").write_text("\n".join(map(declared, sides)))
    print(
        f"{target.name}: {loop.request_s * 1e6:.0f} µs a request, {slowdown:.0%} more by {turns['slowed']} turns",
        flush=True,
    )


def measure(folder: Path, options: argparse.Namespace) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "targets.toml").exists():
        target = select_targets(load_declarations(), [options.target])[0]
        project(folder, target, options.slowdown)
    first = len(list(folder.glob("run-*")))
    for number in range(first, first + options.times):
        began, before = time.monotonic(), burnt(folder)
        name = f"run-{number:02d}"
        words = ["versus", "slowed", "before", "-s", SCENARIO, "--budget", options.budget, "--seed", str(number)]
        words += ["--fail-if-slower", options.limit, "--out", name, "-q"]
        done = subprocess.run([*HARNESS, *words], cwd=folder, capture_output=True, text=True, timeout=120)
        took = time.monotonic() - began
        line = (done.stdout or done.stderr).partition("\n")[0]
        print(f"{name}: exit code {done.returncode} in {took:.1f} s{truth(folder, name, before)}: {line}", flush=True)


def burnt(folder: Path) -> tuple[int, float]:
    """Requests that the loop slowed so far, and its CPU seconds for all of them."""
    book = Book(folder / "slowed.book")
    try:
        return book.totals()
    finally:
        book.close()


def truth(folder: Path, name: str, before: tuple[int, float]) -> str:
    """What was really injected: the loop's own CPU time over that of the app as it is."""
    file = folder / name / "summary.json"
    if not file.exists():
        return ""
    cells = {cell["target"]: cell for cell in json.loads(file.read_text())["cells"]}
    requests, seconds = (after - ago for after, ago in zip(burnt(folder), before, strict=True))
    if not cells["before"]["cpu_us"] or not requests:
        return ""
    return f", {seconds / requests * 1e6 / cells['before']['cpu_us']['value']:.1%} injected"


def check(folder: Path, options: argparse.Namespace) -> None:
    codes: dict[str, list[int]] = {pair: [] for pair in JOBS}
    for run in sorted(folder.glob("run-*/")):
        for pair in JOBS:
            words = [*HARNESS, "check", run.name, "--gate", f"{pair} {SCENARIO} cpu < +{options.limit}"]
            done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=60)
            codes[pair].append(done.returncode)
            line = (done.stdout or done.stderr).partition("\n")[0]
            print(f"{run.name}: exit code {done.returncode}: {line}", flush=True)
    for pair, wanted in JOBS.items():
        print(shown(pair, wanted, codes[pair]))


def shown(name: str, wanted: int, codes: list[int]) -> str:
    right = codes.count(wanted)
    interval = stats.binomtest(right, len(codes)).proportion_ci(0.95)
    others = {code: count for code, count in Counter(codes).items() if code != wanted}
    text = f"{name}: exit code {wanted} in {right} of {len(codes)} [{interval.low:.0%}, {interval.high:.0%}]"
    return text + (f", others {others}" if others else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("half", nargs="?", choices=("measure", "check"), help="default: both")
    parser.add_argument("--folder", type=Path, help="folder of the runs; default: a temporary one")
    parser.add_argument("--slowdown", type=float, default=0.10, help="share of the app's CPU cost that is added")
    parser.add_argument("--times", type=int, default=20, help="runs to add to those in the folder")
    parser.add_argument("--budget", default="25s")
    parser.add_argument("--limit", default="3%")
    parser.add_argument("--target", default="fastapi-uvicorn")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="harness-pipeline-") as name:
        folder = (options.folder or Path(name)).absolute()
        for half, act in (("measure", measure), ("check", check)):
            if options.half in (None, half):
                act(folder, options)


if __name__ == "__main__":
    main()
