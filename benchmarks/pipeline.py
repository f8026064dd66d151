"""How often a pipeline's gates are right: an injected slowdown must fail them, the same app twice must pass.

    python benchmarks/pipeline.py [--slowdown 0.10] [--times 20] [--budget 20s] [--limit 3%] [--target NAME]

Every trial is what a job of a pipeline does, with fresh servers and the commands themselves: ``harness versus now
before --fail-if-slower``, and ``harness check`` with a gate on the run that it left. ``--slowdown 0`` serves the same
app under both names. Nothing else may run meanwhile; 20 trials of 20 s take seven minutes.
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

from harness.declare import load_declarations, select_scenarios, select_targets
from harness.load.engine import Engine
from harness.model import Target
from harness.placement import detect
from harness.plan import expand
from harness.servers import interface_of
from harness.truth.slowdown import calibrate, slowed

HARNESS = (sys.executable, "-m", "harness.cli")
SCENARIO = "json"


def declared(target: Target) -> str:
    """The target as a ``[[target]]`` of ``targets.toml``."""
    tables = {"options": target.options, "environment": target.environment}
    lines = ["[[target]]", *(f"{key} = {json.dumps(getattr(target, key))}" for key in (
        "name", "framework", "interface", "server", "application", "workers", "threads",
    ))]  # fmt: skip
    lines.append(f"endpoints = {json.dumps(list(target.endpoints))}")
    for key, values in tables.items():
        lines.append(f"{key} = {{ {', '.join(f'{name} = {json.dumps(value)}' for name, value in values.items())} }}")
    return "\n".join(lines) + "\n"


def project(folder: Path, target: Target, slowdown: float) -> int:
    """Declares ``now`` and ``before`` in the folder; returns the loop's turns."""
    [scenario] = select_scenarios(load_declarations(), [SCENARIO])
    turns, placement = 0, detect()
    if slowdown:
        with tempfile.TemporaryDirectory() as name, Engine(placement.generator) as engine:
            cost, per_turn = calibrate(target, expand(scenario, "corner")[0], engine, placement, Path(name), 1)
        turns = round(slowdown * cost / per_turn)
    sides = [slowed(target, count, folder / f"{name}.book", name) for name, count in (("now", turns), ("before", 0))]
    (folder / "targets.toml").write_text("\n".join(map(declared, sides)))
    return turns


def trial(folder: Path, number: int, options: argparse.Namespace) -> dict[str, object]:
    """One job: exit codes of both gates, and what was measured."""
    began = time.monotonic()
    words = ["versus", "now", "before", "-s", SCENARIO, "--budget", options.budget, "--fail-if-slower", options.limit]
    words += ["--out", f"run-{number}", "--seed", str(options.seed + number), "--json", "-q"]
    words += [] if options.control else ["--no-control"]
    measured = subprocess.run([*HARNESS, *words], cwd=folder, capture_output=True, text=True, timeout=120)
    gate = f"now / before {SCENARIO} cpu < +{options.limit}"
    gated = subprocess.run(
        [*HARNESS, "check", f"run-{number}", "--gate", gate, "-q"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    if measured.returncode not in (0, 1):
        return {"versus": measured.returncode, "check": gated.returncode, "error": measured.stderr[-300:]}
    found = json.loads(measured.stdout)
    keys = ("ratio", "ci_low", "ci_high", "verdict", "blocks")
    took = time.monotonic() - began
    return {"versus": measured.returncode, "check": gated.returncode, **{k: found[k] for k in keys}, "took_s": took}


def shown(name: str, wanted: int, codes: list[int]) -> str:
    right = codes.count(wanted)
    interval = stats.binomtest(right, len(codes)).proportion_ci(0.95)
    others = {code: count for code, count in Counter(codes).items() if code != wanted}
    return f"{name}: exit code {wanted} in {right} of {len(codes)} [{interval.low:.0%}, {interval.high:.0%}]" + (
        f", others {others}" if others else ""
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slowdown", type=float, default=0.10, help="share of the app's CPU cost that is added")
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--budget", default="20s")
    parser.add_argument("--control", action=argparse.BooleanOptionalAction, default=True, help="an A/A control in each")
    parser.add_argument("--limit", default="3%")
    parser.add_argument("--target", default="fastapi-uvicorn")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    target = select_targets(load_declarations(), [options.target], interface_of)[0]
    with tempfile.TemporaryDirectory(prefix="harness-pipeline-") as name:
        turns = project(Path(name), target, options.slowdown)
        print(f"{options.target}, {options.slowdown:.0%} injected ({turns} turns), limit {options.limit}", flush=True)
        trials = []
        for number in range(options.times):
            trials.append(trial(Path(name), number, options))
            print(json.dumps(trials[-1]), flush=True)
    wanted = 1 if options.slowdown else 0
    for command in ("versus", "check"):
        print(shown(command, wanted, [int(str(each[command])) for each in trials]))


if __name__ == "__main__":
    main()
