"""``harness selftest``: the known truth, on this machine."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial

import numpy as np
from rich.console import Console

from harness import environment
from harness.commands.selftest_file import keep
from harness.declare import load_declarations
from harness.load.engine import Engine
from harness.model import Point, Target
from harness.placement import Placement, detect
from harness.plan import expand
from harness.truth.queue_checks import (
    Check,
    check_lindley,
    check_md1,
    check_missing,
    check_stall,
    check_throttled,
)
from harness.truth.resolution import resolvable, sequential_verdict
from harness.truth.slowdown import Experiment, experiment
from harness.truth.waits import check_waits
from harness.units import significant

SHARES = (0.03, 0.1)
BLOCKS = 8
SLOT_S = 1.6
MARGIN = 0.02
SERVICE_S = 0.001
MD1_SERVICE_S = 0.004


@dataclass(frozen=True, slots=True)
class Resolution:
    """The smallest differences in CPU cost that a budget shows with a power of 90%."""

    target: str
    block_sd: float
    in_20_s: float
    in_40_s: float

    def sentence(self) -> str:
        shown, finest = significant(self.in_20_s * 100), significant(self.in_40_s * 100)
        return f"{self.target}: {shown}% in 20 s; below {finest}% undecided in 40 s"


def run(as_json: bool, quiet: bool) -> int:
    """Runs every check, prints them as they come, keeps them beside the results; returns the exit code."""
    errors = Console(stderr=True, quiet=quiet)
    placement = detect()
    targets = {target.name: target for target in load_declarations().targets}
    checks: list[Check] = []
    with Engine(placement.generator) as engine:
        for title, stage in _stages(engine, placement, targets):
            errors.print(title, markup=False, highlight=False)
            found = stage()
            checks += found
            for check in found:
                errors.print("  " + line(check), markup=False, highlight=False, soft_wrap=True)
        errors.print("injected slowdowns, in blocks with fresh servers", markup=False)
        found_experiment = slowdowns(engine, placement, targets["fastapi-uvicorn"])
        checks += truth_checks(found_experiment)
        resolution = resolution_of(found_experiment)
        errors.print("A/A with a competing process on the server's CPU in half of the blocks", markup=False)
        checks += competing(engine, placement, targets["fastapi-uvicorn"])
    document = {
        "schema": 1,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": environment.describe(placement),
        "resolution": {**asdict(resolution), "sentence": resolution.sentence()},
        "checks": [{**asdict(check), "passed": check.passed} for check in checks],
    }
    keep(document)
    if as_json:
        sys.stdout.write(json.dumps(document, indent=1) + "\n")
    else:
        out = Console(file=sys.stdout, highlight=False)
        for check in checks:
            out.print(line(check), markup=False, soft_wrap=True)
        out.print(f"This machine resolves, in CPU cost, {resolution.sentence()}.", markup=False, soft_wrap=True)
    return 0 if all(check.passed for check in checks) else 1


def line(check: Check) -> str:
    """One check as a line of text."""
    sign = "ok    " if check.passed else "FAILED"
    return f"{sign} {check.what}: {check.measured:.4g}, expected {check.expected:.4g} ± {check.tolerance:.2g}"


def slowdowns(engine: Engine, placement: Placement, target: Target) -> Experiment:
    point = _json_point()
    return experiment(target, point, SHARES, engine, placement, blocks=BLOCKS, slot_s=SLOT_S, seed=1)


def truth_checks(found: Experiment) -> list[Check]:
    """Each injected slowdown against its truth, within three standard errors and half a percent."""
    checks = []
    for each in found.injected:
        if len(each.log_ratio) < 2:
            checks.append(Check(f"valid blocks at {each.wanted:+.0%}", len(each.log_ratio), BLOCKS, BLOCKS / 2))
            continue
        error = float(np.std(each.log_ratio, ddof=1) / np.sqrt(len(each.log_ratio)))
        ratio = float(np.exp(np.mean(each.log_ratio)))
        name = "A/A, ratio of CPU cost" if not each.wanted else f"slowed by {each.wanted:.0%}, ratio of CPU cost"
        checks.append(Check(name, ratio, each.truth, 3 * error + 0.005))
    return checks


def resolution_of(found: Experiment) -> Resolution:
    spreads = [float(np.std(each.log_ratio, ddof=1)) for each in found.injected if len(each.log_ratio) > 2]
    sd = max(spreads, default=float("inf"))
    in_20_s, in_40_s = (resolvable(sd, found.blocks_in(budget)) for budget in (20, 40))
    return Resolution(found.target, sd, in_20_s, in_40_s)


def competing(engine: Engine, placement: Placement, target: Target) -> list[Check]:
    """Item 7: half of the blocks beside a spinner on the server's CPU. A/A must not be called different."""
    if not placement.server:
        return []
    point = _json_point()
    quiet = experiment(target, point, (), engine, placement, blocks=BLOCKS // 2, slot_s=SLOT_S, seed=2)
    with spinner(placement.server[0]):
        busy = experiment(target, point, (), engine, placement, blocks=BLOCKS // 2, slot_s=SLOT_S, seed=3)
    values = np.concatenate([found.injected[0].log_ratio for found in (quiet, busy)])
    verdict = sequential_verdict(values, MARGIN, len(values)).verdict if len(values) else "undecided"
    wrong = verdict in ("different", "different-size-open")
    return [Check("A/A beside a competing process called different", float(wrong), 0, 0)]


@contextmanager
def spinner(cpu: int) -> Iterator[None]:
    """A process that uses all it gets of a CPU."""
    process = multiprocessing.get_context("spawn").Process(target=_spin, args=(cpu,), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


def _spin(cpu: int) -> None:
    os.sched_setaffinity(0, {cpu})
    while True:
        pass


def _json_point() -> Point:
    scenario = next(s for s in load_declarations().scenarios if s.name == "json")
    return expand(scenario, "full")[0]


def _stages(
    engine: Engine, placement: Placement, targets: Mapping[str, Target]
) -> Iterator[tuple[str, Callable[[], list[Check]]]]:
    """Title and work of every stage of exact checks, in order."""
    cpus = placement.server
    yield "queue: Lindley's recursion", partial(check_lindley, engine, SERVICE_S, 0.7, 6, 1, cpus)
    for rho in (0.5, 0.7, 0.8):
        yield f"queue: M/D/1 at ρ = {rho}", partial(check_md1, engine, MD1_SERVICE_S, rho, 15, 1, cpus)
    yield "a stall of 1 s in 20 s", partial(check_stall, engine, SERVICE_S, 200, 20, 1.0, cpus)
    yield "sabotage: 404s", partial(check_missing, engine, 1)
    yield "sabotage: a throttled generator", partial(check_throttled, engine, 3)
    waiting = [targets["flask-gunicorn-sync"], targets["fastapi-uvicorn"]]
    yield "waits of 50 ms", partial(check_waits, waiting, engine, placement, 3)
