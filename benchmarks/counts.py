"""Instructions per request of the sample run's targets and points: saved once, and counted again on another machine.

    python benchmarks/counts.py save   [FILE] [-t TARGET]…
    python benchmarks/counts.py repeat [FILE] [-t TARGET]…

``repeat`` prints how far each count is from the saved one, which versions and binaries differ, and how long counting
took against its plan. The same binaries should give the same counts; docs/instructions.md says how far they were off.
Ctrl-C ends a count with what there is.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.config.placement import Placement, detect
from harness.engine.engine import Engine
from harness.model import Block, Manifest, Plan, Side, Window, side_faults
from harness.plan import serves
from harness.plan.counting import with_counts
from harness.prepare.choose import chosen_targets
from harness.prepare.manifest import new_manifest
from harness.record import Run
from harness.report.language.catalogue import ENGLISH
from harness.results.instructions import counts_of
from harness.serve.environment import cpu_name, versions
from harness.session import Bench, measure

FILE = Path(__file__).with_suffix(".json")
SAMPLE = Path(__file__).parent.parent / "results" / "sample"
PLENTY_S = 3600.0
EXTENSIONS = ("httptools", "pydantic-core", "uvloop")


def counting(patterns: Sequence[str], placement: Placement) -> Manifest:
    """A run of one start of each of the sample's targets, at its points where nothing waits, and of nothing else."""
    sample = Run.open(SAMPLE).manifest
    targets, _ = chosen_targets(list(patterns) or [target.name for target in sample.targets if not target.twin_of])
    points = tuple(point for point in sample.plan.points if not point.wait_s)
    sides = tuple(Side(target.name, point.id) for point in points for target in targets if serves(target, point))
    turns = Block(0, tuple(target.name for target in targets), (Window.in_turns("all", 0, sides, 0.0, 1),))
    plan = with_counts(Plan("counts", sample.seed, 0.0, 0.0, points, (), (turns,)), targets, points, PLENTY_S)
    blocks = tuple(block for block in plan.blocks if block.study and block.index == 0)
    plan = replace(plan, blocks=blocks, estimate_s=sum(block.load_s for block in blocks), budget_s=PLENTY_S)
    return new_manifest(plan, targets, sample.scenarios, placement=placement, command="", results=SAMPLE.parent)


def counted(patterns: Sequence[str]) -> dict[str, float]:
    """``target point`` → instructions per request."""
    placement = detect()
    manifest = counting(patterns, placement)
    with tempfile.TemporaryDirectory() as folder, Engine(placement.generator) as engine:
        run, began = Run.create(Path(folder) / "run", manifest), time.monotonic()
        try:
            measure(run, Bench(engine, placement, features=False))
        except KeyboardInterrupt:
            print("interrupted: what was counted so far follows", file=sys.stderr)
        took, records = time.monotonic() - began, run.windows()
    for side, fault in (each for record in records for each in side_faults(record).items()):
        print(f"{side.target} {side.point}: {ENGLISH.reason(fault.reason)}", file=sys.stderr)
    targets = len({each.target for record in records for each in record.counts})
    points = len({each.point for record in records for each in record.counts})
    print(f"{targets} targets at {points} points: planned {manifest.plan.estimate_s:.0f} s, took {took:.0f} s")
    counts = counts_of(records).items()
    return {f"{side.target} {side.point}": round(starts[0].per_request, 1) for side, starts in counts}


def circumstances() -> dict[str, Any]:
    """Where this is: what counts depend on, versions and binaries (by half of their SHA-256), and what they do not."""
    binaries = {"python": Path(sys.executable).resolve()}
    binaries |= {name: Path(_mapped(name)) for name in ("libc.so", "libpython")}
    for name in EXTENSIONS:
        for file in importlib.metadata.files(name) or ():
            if file.suffix == ".so":
                binaries[f"{name}/{file.name}"] = Path(str(file.locate()))
    valgrind = subprocess.run(["valgrind", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    return {
        "machine": cpu_name(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "versions": {**versions(), "python": platform.python_version(), "valgrind": valgrind},
        "binaries": {name: _hash(path) for name, path in binaries.items() if path.is_file()},
    }


def _mapped(name: str) -> str:
    """The file that this process has mapped under this name, whatever its version; empty where it has none."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    return next((line.split()[-1] for line in lines if f"/{name}" in line), "")


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:32]


def save(file: Path, patterns: Sequence[str]) -> None:
    """Replaces what the file holds; with patterns, the counts of their targets alone."""
    others = json.loads(file.read_text())["counts"] if patterns and file.exists() else {}
    file.write_text(json.dumps({**circumstances(), "counts": {**others, **counted(patterns)}}, indent=1) + "\n")
    print(f"saved to {file}")


def repeat(file: Path, patterns: Sequence[str]) -> None:
    saved, here = json.loads(file.read_text()), circumstances()
    for kind in ("versions", "binaries"):
        names = sorted({*saved[kind], *here[kind]})
        differing = [name for name in names if saved[kind].get(name) != here[kind].get(name)]
        print(f"{kind} that differ: {', '.join(differing) or 'none'}")
    deviations = []
    for side, count in counted(patterns).items():
        if before := saved["counts"].get(side):
            deviations.append(count / before - 1)
            print(f"{side:52} {before / 1e3:10,.2f} {count / 1e3:10,.2f} thousand {deviations[-1]:+9.3%}")
    if deviations:
        sizes = sorted(map(abs, deviations))
        print(f"deviation of {len(sizes)} counts: median {statistics.median(sizes):.3%}, largest {sizes[-1]:.3%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("save", "repeat"))
    parser.add_argument("file", nargs="?", type=Path, default=FILE)
    parser.add_argument("-t", "--target", action="append", default=[])
    options = parser.parse_args()
    if options.what == "save":
        save(options.file, options.target)
    else:
        repeat(options.file, options.target)


if __name__ == "__main__":
    main()
