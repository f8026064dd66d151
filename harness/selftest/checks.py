"""The known truth, checked on this machine; the result is saved so that later reports can say what it resolves."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
from scipy import stats

from harness.config import load_declarations
from harness.config.placement import Placement, confine, detect
from harness.engine.engine import Engine
from harness.engine.spec import SlicesSpec
from harness.engine.wire import side_spec
from harness.errors import writing
from harness.model import PlannedRequest, Point, Target
from harness.model.units import significant
from harness.plan import expand
from harness.selftest.queue_checks import Check, check_lindley, check_md1, check_missing, check_stall, check_throttled
from harness.selftest.slowdown import Experiment, experiment
from harness.serve import environment, serving_all
from harness.stats.estimate import DIFFERENT
from harness.stats.interval import FloatArray
from harness.stats.looks import ALPHA, LOOKS
from harness.stats.verdict import Decision, decide

SHARES = (0.03, 0.1)
BLOCKS = 8
WINDOW_S = 1.6
MARGIN = 0.02
POWER = 0.9
SERVICE_S = 0.001
MD1_SERVICE_S = 0.004
WAIT_MS = 50
CONCURRENCY = 20
WAIT_TOLERANCE = 0.05


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


def check_machine(say: Callable[[str], None]) -> tuple[list[Check], Resolution]:
    """Every check, and what this machine can resolve; ``say`` gets each result as it comes."""
    placement = detect()
    targets = {target.name: target for target in load_declarations().targets}
    checks: list[Check] = []

    def add(more: list[Check]) -> None:
        checks.extend(more)
        for check in more:
            say("  " + line(check))

    with Engine(placement.generator) as engine:
        for title, stage in _stages(engine, placement, targets):
            say(title)
            add(stage())
        say("injected slowdowns, in blocks with fresh servers")
        measured = slowdowns(engine, placement, targets["fastapi-uvicorn"])
        add(truth_checks(measured))
        say("A/A with a competing process on the server's CPU in half of the blocks")
        add(competing(engine, placement, targets["fastapi-uvicorn"]))
    return checks, resolution_of(measured)


def document(checks: list[Check], resolution: Resolution) -> dict[str, object]:
    """What is saved, and printed as JSON."""
    return {
        "schema": 1,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": environment.describe(detect()),
        "resolution": {**asdict(resolution), "sentence": resolution.sentence()},
        "checks": [{**asdict(check), "passed": check.passed} for check in checks],
    }


def save(value: Mapping[str, object], folder: Path) -> None:
    """Raises ``RecordError`` if the folder cannot be written."""
    file = folder / environment.SELFTEST
    with writing(file):
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(value, indent=1) + "\n", "utf-8")


def line(check: Check) -> str:
    """One check as a line of text."""
    sign = "ok    " if check.passed else "FAILED"
    return f"{sign} {check.what}: {check.measured:.4g}, expected {check.expected:.4g} ± {check.tolerance:.2g}"


def slowdowns(engine: Engine, placement: Placement, target: Target) -> Experiment:
    point = _json_point()
    return experiment(target, point, SHARES, engine, placement, blocks=BLOCKS, window_s=WINDOW_S, seed=1)


def truth_checks(result: Experiment) -> list[Check]:
    """Each injected slowdown against its truth, within three standard errors and half a percent."""
    checks = []
    for each in result.injected:
        if len(each.log_ratio) < 2:
            checks.append(Check(f"valid blocks at {each.wanted:+.0%}", len(each.log_ratio), BLOCKS, BLOCKS / 2))
            continue
        error = float(np.std(each.log_ratio, ddof=1) / np.sqrt(len(each.log_ratio)))
        ratio = float(np.exp(np.mean(each.log_ratio)))
        name = "A/A, ratio of CPU cost" if not each.wanted else f"slowed by {each.wanted:.0%}, ratio of CPU cost"
        checks.append(Check(name, ratio, each.truth, 3 * error + 0.005))
    return checks


def resolution_of(result: Experiment) -> Resolution:
    spreads = [float(np.std(each.log_ratio, ddof=1)) for each in result.injected if len(each.log_ratio) > 2]
    sd = max(spreads, default=float("inf"))
    in_20_s, in_40_s = (resolvable(sd, result.blocks_in(budget)) for budget in (20, 40))
    return Resolution(result.target, sd, in_20_s, in_40_s)


def competing(engine: Engine, placement: Placement, target: Target) -> list[Check]:
    """Half of the blocks with a spinner on the server's CPU: A/A must not be called different."""
    if not placement.server:
        return []
    point = _json_point()
    quiet = experiment(target, point, (), engine, placement, blocks=BLOCKS // 2, window_s=WINDOW_S, seed=2)
    with spinner(placement.server[0]):
        busy = experiment(target, point, (), engine, placement, blocks=BLOCKS // 2, window_s=WINDOW_S, seed=3)
    values = np.concatenate([result.injected[0].log_ratio for result in (quiet, busy)])
    verdict = sequential_verdict(values, MARGIN, len(values)).verdict if len(values) else "undecided"
    wrong = verdict in DIFFERENT
    return [Check("A/A next to a competing process called different", float(wrong), 0, 0)]


def check_waits(targets: Sequence[Target], engine: Engine, placement: Placement, seconds: float) -> list[Check]:
    """Item 4 of the known truth, on real apps: 2 sync workers, an event loop, and one that is blocked.

    Args:
        targets: a sync WSGI target, which gets 2 workers, and an async one.
        seconds: to spend on each of the three.
    """
    sync, asynchronous = replace(targets[0], workers=2), targets[1]
    sleep, blocking = (_waiting_point(name) for name in ("io-sleep", "io-blocking"))
    cases = (
        ("2 sync workers, waits of 50 ms, replies/s", sync, sleep, 40.0),
        ("event loop at concurrency 20, waits of 50 ms, replies/s", asynchronous, sleep, 400.0),
        ("event loop blocked for 50 ms, replies/s", asynchronous, blocking, 20.0),
    )
    checks = []
    with serving_all([sync, asynchronous], placement) as fleet:
        for what, target, point, expected in cases:
            side = replace(side_spec(point, fleet.running[target.name]), slice_s=seconds)
            slices = engine.run_slices(SlicesSpec((side,), 1, seconds, min_rounds=1, warmup_rounds=0)).slices
            rate = float(np.sum(slices.window_replies) / np.sum(slices.window))
            checks.append(Check(what, rate, expected, WAIT_TOLERANCE * expected))
    return checks


def resolvable(sd: float, blocks: int) -> float:
    """The smallest ratio − 1 that so many blocks of a spread ``sd`` show with a power of 90%."""
    if blocks < 2:
        return math.inf
    freedom = blocks - 1
    steps = float(stats.t.ppf(1 - ALPHA / 2, freedom) + stats.t.ppf(POWER, freedom))
    return math.expm1(steps * sd / math.sqrt(blocks))


def sequential_verdict(values: FloatArray, margin: float, budget_blocks: int) -> Decision:
    """The verdict of blocks that come one after another: at the first look that decides, or where the budget ends."""
    last = min(budget_blocks, len(values), LOOKS[-1])
    for blocks in [look for look in LOOKS if look < last] + [last]:
        decision = decide(values[:blocks], margin)
        if decision.verdict != "undecided" or blocks == last:
            return decision
    raise ValueError("no blocks")


@contextmanager
def spinner(cpu: int) -> Iterator[None]:
    """A process that uses all it gets of a CPU."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"], stdin=subprocess.DEVNULL) as process:
        try:
            confine(process.pid, (cpu,))
            yield
        finally:
            process.kill()


def _json_point() -> Point:
    scenario = next(s for s in load_declarations().scenarios if s.name == "json")
    return expand(scenario, "full")[0]


def _waiting_point(endpoint: str) -> Point:
    request = PlannedRequest(endpoint, "", {"ms": WAIT_MS})
    return Point(f"{endpoint}@{CONCURRENCY}", endpoint, {"ms": WAIT_MS}, CONCURRENCY, (request,), WAIT_MS / 1e3)


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
