"""How often ``harness versus --against`` finds a slowdown in the last commit, and calls a change of comments different.

    python benchmarks/against.py [--metric cpu_cost] [--share 0.05] [--repeats 10] [--budget 40s] [--limit 2%]

A Starlette app in a repository of its own, whose last commit adds turns of a loop, or a comment. A first comparison,
with many turns, shows what one costs. Each line: the verdict, the ratio with its 99% interval, exit code, and time.
With ``--beside 0.1`` another program uses a tenth of the server's CPU meanwhile; with ``--period 4`` in one spell every
four seconds instead of fifty every second.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.config.placement import detect

CALIBRATION_TURNS = 3_000
SPELLS = """
import os, sys, time
cpu, share, period = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
os.sched_setaffinity(0, {cpu})
while True:
    began, used = time.monotonic(), time.process_time()
    while time.process_time() - used < share * period:
        pass
    time.sleep(max(0.0, began + period - time.monotonic()))
"""
APP = """
from itertools import repeat

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route


async def index(request):
    {change}
    return JSONResponse({{"items": [{{"id": number, "name": f"item {{number}}"}} for number in range(20)]}})


app = Starlette(routes=[Route("/", index)])
"""


def git(folder: Path, *words: str) -> None:
    named = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@example.org")
    subprocess.run(["git", "-C", str(folder), *named, *words], check=True)


def commit(folder: Path, change: str) -> None:
    (folder / "web.py").write_text(APP.format(change=change))
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", change)


def repository(folder: Path, change: str) -> Path:
    """A first commit, and one with the change."""
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / "requirements.txt").write_text("starlette\nuvicorn\n")
    (folder / ".gitignore").write_text("results/\n")
    commit(folder, "pass")
    commit(folder, change)
    return folder


def compared(folder: Path, options: argparse.Namespace) -> tuple[int, dict[str, Any]]:
    words = ["versus", "web:app@uvicorn", "--against", "HEAD~1", "--path", "/", "--metric", options.metric]
    words += ["--budget", options.budget, "--fail-if-slower", options.limit, "--json", "--quiet"]
    done = subprocess.run([sys.executable, "-m", "harness.cli", *words], cwd=folder, stdout=subprocess.PIPE, text=True)
    return done.returncode, json.loads(done.stdout) if done.stdout else {}


@contextmanager
def busy_program(share: float, period_s: float) -> Iterator[None]:
    """Another program that uses so much of the server's CPU, by its own clock, in one spell of each period."""
    if not share:
        yield
        return
    words = [str(detect().server[0]), str(share), str(period_s)]
    other = subprocess.Popen([sys.executable, "-c", SPELLS, *words])
    try:
        yield
    finally:
        other.kill()
        other.wait()


def tried(name: str, folder: Path, options: argparse.Namespace) -> None:
    verdicts, times = Counter[str](), list[float]()
    for number in range(1, options.repeats + 1):
        began = time.monotonic()
        code, result = compared(folder, options)
        took = time.monotonic() - began
        times.append(took)
        verdict = result.get("verdict", "none")
        verdicts[f"{verdict}, exit code {code}"] += 1
        ends = [f"{result[key]:.4f}" if result.get(key) else "–" for key in ("ratio", "ci_low", "ci_high")]
        print(
            f"{name} {number:2d}: {verdict}, {ends[0]} [{ends[1]}, {ends[2]}], exit code {code}, {took:.0f} s",
            flush=True,
        )
    counts = "; ".join(f"{count} × {each}" for each, count in verdicts.most_common())
    print(f"{name}: {counts}; {min(times):.0f} to {max(times):.0f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--metric", choices=("cpu_cost", "throughput", "instructions"), default="cpu_cost")
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--budget", default="40s")
    parser.add_argument("--limit", default="2%")
    parser.add_argument("--beside", type=float, default=0.0, help="share of the CPU that another program uses")
    parser.add_argument("--period", type=float, default=0.02, help="seconds between the beginnings of its spells")
    parser.add_argument("--turns", type=int, default=0, help="of the loop; 0: calibrated by a first comparison")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        turns = options.turns
        if not turns:
            code, result = compared(repository(Path(made) / "calibration", turns_of(CALIBRATION_TURNS)), options)
            if not result.get("ratio"):
                raise SystemExit(f"the calibration gave no number, exit code {code}")
            turns = round(options.share * CALIBRATION_TURNS / (result["ratio"] - 1))
            print(f"{CALIBRATION_TURNS} turns: {result['ratio']:.3f}; {turns} are {options.share:.1%}", flush=True)
        with busy_program(options.beside, options.period):
            tried(f"{options.share:.1%} slower", repository(Path(made) / "slower", turns_of(turns)), options)
            tried("a comment", repository(Path(made) / "comment", "pass  # a comment"), options)


def turns_of(count: int) -> str:
    # Every turn costs the same: past 256, those of a range make a number each.
    return f"for _ in repeat(None, {count}): pass"


if __name__ == "__main__":
    main()
