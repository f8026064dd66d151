"""How often verdicts are right: injected slowdowns, A/A, wrk one after the other, and a competing process.

    python benchmarks/verdicts.py slowdown [--target NAME] [--blocks 40] [--slot 2.5]   detection and coverage
    python benchmarks/verdicts.py direct   [--target NAME] [--share 0.03]... [--repeats 10] [--budget 40]...
    python benchmarks/verdicts.py wrk      [--target NAME] [--share 0.03] [--repeats 10] [--budget 40]
    python benchmarks/verdicts.py control  [--blocks 5]         A/A of every full target in several scenarios
    python benchmarks/verdicts.py spinner  [--target NAME]      a competing process in half of the blocks

``slowdown`` measures more blocks than a budget holds and then draws sequences of blocks from them, without replacement;
``direct`` lives through every budget in full. Nothing else may run meanwhile.
"""

from __future__ import annotations

import argparse
import math
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
from scipy import stats

from harness.config import load_declarations
from harness.config.placement import Placement, detect
from harness.engine.engine import Engine
from harness.model import Extension, Manifest, Point, Target
from harness.plan import TWIN, expand, make_plan
from harness.plan.profiles import Profile
from harness.prepare.select import select_scenarios, select_targets
from harness.record import Run
from harness.results.frames import tidy
from harness.results.judge import control_ids, judge_run, run_values
from harness.selftest.checks import sequential_verdict, spinner
from harness.selftest.slowdown import Experiment, Loop, calibrate, experiment, slowed
from harness.serve import Fleet
from harness.serve.guard import Guard
from harness.session import Bench, measure
from harness.stats.interval import FloatArray, t_interval
from harness.stats.looks import LOOKS, last_look
from harness.stats.verdict import Decision

DIFFERENT = ("different", "different-size-open", "small")
MARGIN = 0.02
DRAWS = 400
SHARES = (0.02, 0.03, 0.05, 0.10)
CONCURRENCY = 32
CALIBRATIONS = 3
RECENT = 5


@dataclass(frozen=True, slots=True)
class Detection:
    """Verdicts over many sequences of blocks.

    Attributes:
        called_different: share of the sequences in which the contrast was called different, of whatever size.
        covered: share of the sequences whose last interval contains the truth.
        blocks: mean number of blocks until the verdict.
    """

    called_different: float
    covered: float
    blocks: float


def detection(
    values: FloatArray, truth: float, *, margin: float, budget_blocks: int, draws: int, seed: int
) -> Detection:
    """Detection rate and coverage, over random orders of measured blocks (drawn without replacement).

    Args:
        values: ln ratios of more blocks than one budget holds.
        truth: the true ratio.
    """
    rng = np.random.default_rng(seed)
    verdicts = [sequential_verdict(rng.permutation(values), margin, budget_blocks) for _ in range(draws)]
    return tally(verdicts, truth)


def tally(verdicts: Sequence[Decision], truth: float) -> Detection:
    different = [decision.verdict in DIFFERENT for decision in verdicts]
    covered = [
        decision.low is not None and decision.high is not None and decision.low <= math.log(truth) <= decision.high
        for decision in verdicts
    ]
    blocks = [decision.blocks for decision in verdicts]
    return Detection(float(np.mean(different)), float(np.mean(covered)), float(np.mean(blocks)))


def target_of(name: str) -> Target:
    return select_targets(load_declarations(), [name])[0]


def json_point() -> Point:
    return expand(select_scenarios(load_declarations(), ["json"])[0], "full")[0]


def calibrated(name: str, placement: Placement) -> Loop:
    with Engine(placement.generator) as engine:
        return calibrate(target_of(name), json_point(), engine, placement, range(CALIBRATIONS))


def show(data: Experiment, seed: int) -> None:
    print(f"{data.target}: {data.cpu_us:.1f} µs of CPU per request, {len(data.injected[0].log_ratio)} valid blocks")
    for each in data.injected:
        values = each.log_ratio
        spread = float(np.std(values, ddof=1))
        line = f"  {each.wanted:4.0%}  truth {each.truth:.4f}  mean {math.exp(values.mean()):.4f}  sd {spread:.4f}"
        for budget in (20, 40):
            blocks = min(LOOKS[-1], data.blocks_in(budget), len(values) // 2)
            rate = detection(values, each.truth, margin=MARGIN, budget_blocks=blocks, draws=DRAWS, seed=seed)
            word = "called different" if not each.wanted else "found"
            line += f" | {budget} s, ≤{blocks} blocks: {word} {rate.called_different:.1%}, covered {rate.covered:.1%}"
        print(line, flush=True)


def slowdown(options: argparse.Namespace) -> None:
    placement = detect()
    with Engine(placement.generator) as engine:
        for name in options.target:
            data = experiment(
                target_of(name), json_point(), SHARES, engine, placement,
                blocks=options.blocks, window_s=options.slot * (len(SHARES) + 2) / 3, seed=options.seed,
            )  # fmt: skip
            show(data, options.seed)


def until_decided(run: Run, block: Extension, *, budget_s: float) -> Extension | None:
    """Another block until the slowdown is decided at a look, as ``harness versus`` ends, or the budget is spent."""
    spent_s = time.time() - datetime.fromisoformat(run.manifest.created_at).timestamp()
    if spent_s + spent_s / len(run.manifest.plan.blocks) > budget_s:
        return None
    slowed = run.manifest.plan.contrasts[:1]
    [values] = run_values(run.manifest, tidy(run.windows()), slowed).values()
    looked = values.log_ratio[: last_look(len(values.log_ratio))]
    decided = len(looked) > 0 and sequential_verdict(looked, MARGIN, len(looked)).verdict != "undecided"
    return None if decided else block


def direct(options: argparse.Namespace) -> None:
    """Verdict after verdict, each from servers and blocks of its own: the app, the app again, and the app slowed.

    Budgets are wall time, server starts included; the loop's calibration, once for each target, is not. The turns of a
    try are those that would have cost its share in the target's last tries, by the loop's own clock.
    """
    placement = detect()
    loops = {name: [calibrated(name, placement)] for name in options.target}
    calls: dict[tuple[str, float, float], list[tuple[str, bool]]] = {}
    for number, share, name in product(range(options.repeats), options.share or SHARES, options.target):
        recent = sorted(loops[name][-RECENT:], key=lambda each: each.turn_s)
        loop = recent[len(recent) // 2]
        with Engine(placement.generator) as engine:
            data = experiment(
                target_of(name), json_point(), (share,), engine, placement, blocks=LOOKS[-1], window_s=options.slot,
                seed=options.seed + number, loop=loop, more=partial(until_decided, budget_s=max(options.budget)),
            )  # fmt: skip
        # After turns for a share of ``wanted`` cost another one: a turn costs so much more or less.
        loops[name] += [
            replace(loop, turn_s=loop.turn_s * (each.truth - 1) / each.wanted) for each in data.injected if each.wanted
        ]
        for each in data.injected:
            line = f"  {number + 1:2d} {name} {each.wanted:.0%}: truth {each.truth:.4f}"
            for budget in options.budget:
                most = sum(end <= budget for end in each.ended_s)
                verdict = sequential_verdict(each.log_ratio, MARGIN, most)
                covers = bool(tally([verdict], each.truth).covered)
                calls.setdefault((name, each.wanted, budget), []).append((verdict.verdict, covers))
                line += f" | {budget:g} s: {verdict.verdict}, {math.exp(verdict.mean or 0):.4f}"
                line += f" {'' if covers else 'not '}covering, {verdict.blocks} blocks"
                line += f" in {each.ended_s[verdict.blocks - 1]:.0f} s" if verdict.blocks else ""
            spread = float(np.std(each.log_ratio, ddof=1)) if len(each.log_ratio) > 1 else math.nan
            print(f"{line}, sd {spread:.4f}", flush=True)
    for (name, wanted, budget), made in calls.items():
        hits, covered = sum(word in DIFFERENT for word, _ in made), sum(covers for _, covers in made)
        word = "found" if wanted else "called different"
        print(f"{name}, {wanted:.0%}, {budget:g} s: {word} {hits} of {len(made)}, covered {covered}")


@contextmanager
def both_up(target: Target, turns: int, placement: Placement) -> Iterator[dict[str, int]]:
    """The app as it is and slowed by so many turns of the loop, up side by side; name → port."""
    guard = Guard()
    try:
        with (
            tempfile.TemporaryDirectory() as name,
            Fleet(guard, Placement(placement.server, (), ())) as fleet,
        ):
            books = Path(name)
            fleet.start([slowed(target, n, books / f"{side}.book", side) for side, n in (("a", 0), ("b", turns))])
            yield {side: running.bind.port for side, running in fleet.running.items()}
    finally:
        guard.close()


def wrk_rate(port: int, seconds: float, placement: Placement) -> float:
    pin = ["taskset", "-c", ",".join(map(str, placement.generator))] if placement.generator else []
    command = [*pin, "wrk", "-t1", f"-c{CONCURRENCY}", f"-d{seconds:g}s", f"http://127.0.0.1:{port}/json"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", printed)
    assert rate, printed
    return float(rate[1])


def wrk(options: argparse.Namespace) -> None:
    """The same time, one side after the other, and Welch's t test at 1% over windows of 2 s."""
    if not shutil.which("wrk"):
        sys.exit("wrk is not installed (Debian: apt-get install wrk)")
    placement, windows = detect(), max(3, int(options.budget[0] / 4))
    for name in options.target:
        loop = calibrated(name, placement)
        for share in (0.0, *(options.share or (0.03,))):
            called = 0
            for _ in range(options.repeats):
                with both_up(target_of(name), loop.turns(share), placement) as ports:
                    rates = {
                        side: [wrk_rate(port, 2, placement) for _ in range(windows)] for side, port in ports.items()
                    }
                called += bool(stats.ttest_ind(rates["a"], rates["b"], equal_var=False).pvalue < 0.01)
            what = "A/A called different" if not share else f"{share:.0%} called different"
            print(f"wrk, one after the other, {name}: {what} in {called} of {options.repeats}", flush=True)


def control(options: argparse.Namespace) -> None:
    """Every full target against itself, in every scenario of the quick profile, in one run."""
    declarations, placement = load_declarations(), detect()
    scenarios = select_scenarios(declarations, ["json", "plaintext", "items", "orders-*"])
    chosen = [target for target in declarations.targets if target.endpoints == ("*",)]
    twins = [replace(t, name=t.name + TWIN, twin_of=t.name, reference=False) for t in chosen]
    profile = Profile("control", 1e9, options.blocks, 3, "quick")
    targets = [side for pair in zip(chosen, twins, strict=True) for side in pair]
    plan = make_plan(targets, scenarios, [], profile, seed=options.seed, budget_s=options.budget[0])
    manifest = Manifest(
        "control", "", "2026-01-01T00:00:00", "running", "", options.seed, plan, tuple(targets), scenarios, {}, {}
    )
    with tempfile.TemporaryDirectory() as folder, Engine(placement.generator) as engine:
        run = Run.create(Path(folder) / "run", manifest)
        measure(run, Bench(engine, placement))
        judged = judge_run(manifest, tidy(run.windows()))
        ids = [key for key in control_ids(manifest, plan.contrasts) if len(judged.values[key].log_ratio) >= 3]
        each = {key: t_interval(judged.values[key].log_ratio, 0.05) for key in ids}
        covered = sum(bool(interval.low <= 0 <= interval.high) for interval in each.values())
        alone = sum(float(interval.p_value) < 0.01 for interval in each.values())
        different = sum(judged.decisions[key].verdict in DIFFERENT for key in ids)
        print(
            f"A/A over {len(ids)} contrasts ({len(chosen)} targets, {len(plan.points)} points, {options.blocks} "
            f"blocks): {different} called different, {alone} with p < 1% by themselves; 95% intervals cover 1 in "
            f"{covered / len(ids):.1%}"
        )
        for metric in ("cpu_cost", "throughput"):
            spreads = [float(np.std(judged.values[k].log_ratio, ddof=1)) for k in ids if k.startswith(metric)]
            print(
                f"  {metric}: sd of block values, median {statistics.median(spreads):.4f}, largest {max(spreads):.4f}"
            )


def competing(options: argparse.Namespace) -> None:
    """A/A, half of the blocks with a spinner on the server's CPU; and wrk, first side quiet, second with it."""
    placement = detect()
    for name in options.target:
        with Engine(placement.generator) as engine:
            quiet = experiment(
                target_of(name), json_point(), (), engine, placement, blocks=6, window_s=options.slot, seed=1
            )
            with spinner(placement.server[0]):
                busy = experiment(
                    target_of(name), json_point(), (), engine, placement, blocks=6, window_s=options.slot, seed=2
                )
        values = np.concatenate([quiet.injected[0].log_ratio, busy.injected[0].log_ratio])
        decision = sequential_verdict(values, MARGIN, len(values)) if len(values) else None
        excluded = 12 - len(values)
        print(f"{name}, ours: {decision.verdict if decision else 'not measurable'}, {excluded} of 12 blocks excluded")
        with both_up(target_of(name), 0, placement) as ports:
            first = [wrk_rate(ports["a"], 2, placement) for _ in range(4)]
            with spinner(placement.server[0]):
                second = [wrk_rate(ports["b"], 2, placement) for _ in range(4)]
        ratio = statistics.mean(second) / statistics.mean(first)
        p_value = stats.ttest_ind(first, second, equal_var=False).pvalue
        print(f"{name}, wrk one after the other: ratio {ratio:.2f}, p = {p_value:.1g}")


MODES = {"slowdown": slowdown, "direct": direct, "wrk": wrk, "control": control, "spinner": competing}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=MODES)
    parser.add_argument("--target", action="append", help="repeatable; default: FastAPI, Flask and Django")
    parser.add_argument("--blocks", type=int, default=40)
    parser.add_argument("--slot", type=float, default=2.5, help="seconds of turns in a block of three sides")
    parser.add_argument("--share", type=float, action="append", help="0.03 for 3%%; repeatable")
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--budget", type=float, action="append", help="seconds; repeatable with direct; default: 40")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    options.target = options.target or ["fastapi-uvicorn", "flask-gunicorn-gthread", "django-gunicorn-gthread"]
    options.budget = options.budget or [40.0]
    MODES[options.mode](options)


if __name__ == "__main__":
    main()
