"""Injected slowdowns: what a loop costs by its own CPU clock, against what the harness says of it.

A window holds the app as it is, the app once more (the A/A control), and the app with loops that should cost so many
percent more; blocks have fresh servers each. The truth is the loop's measured CPU time over the app's own, both means
over the requests, since a machine that slows down for a while slows down both; and what the loop costs besides: the
code behind it finds its caches cold and runs slower, by a share of the loop's own time that is measured within one
process, the loop on and off in turn.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from harness.config.placement import Placement
from harness.engine.engine import Engine
from harness.model import (
    Block,
    Contrast,
    Extension,
    Manifest,
    Metric,
    Plan,
    Point,
    Scenario,
    Side,
    Target,
    WindowRecord,
)
from harness.plan import TWIN
from harness.prepare.versus import block
from harness.record import Run
from harness.results.frames import tidy
from harness.results.judge import run_values
from harness.selftest.slowed import APP, BOOK, SPELL, SPELLS, TURNS, Book
from harness.session import Bench, measure as measure_run
from harness.stats.interval import FloatArray
from harness.stats.levels import levels
from harness.stats.looks import LOOKS
from harness.stats.ratio import BlockValues

CALIBRATION_TURNS = 500
CALIBRATION_S = 1.5
SPELL_REQUESTS = 64
ECHO_SHARE, ECHO_S = 0.3, 6.0


@dataclass(frozen=True, slots=True)
class Loop:
    """What the counted loop costs, next to the app that it slows.

    Attributes:
        request_s: CPU seconds of a request of the app as it is; NaN where it gave no reply.
        turn_s: CPU seconds of one turn of the loop while serving.
        echo: what the rest of a request costs more where the loop ran, per second of the loop.
    """

    request_s: float
    turn_s: float
    echo: float

    def turns(self, share: float) -> int:
        """Turns per request that cost ``share`` of a request."""
        return round(share * self.request_s / (self.turn_s * (1 + self.echo)))


UNKNOWN = Loop(math.nan, math.nan, math.nan)
More = Callable[[Run, Extension], Extension | None]
"""The block that it gets, if that joins the run; else nothing."""


@dataclass(frozen=True, slots=True)
class Injected:
    """One slowdown over the valid blocks of an experiment.

    Attributes:
        wanted: the intended share, 0.03 for 3%; 0 for the A/A control.
        truth: the true ratio of CPU cost, slowed ÷ as it is, from the loop's own clock and its echo.
        log_ratio: the harness's ln ratio of CPU cost, one per block.
        rates: the same of throughput.
        ended_s: when each of the blocks had been measured, from the start of the first one's servers.
    """

    wanted: float
    truth: float
    log_ratio: FloatArray
    rates: FloatArray
    ended_s: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Experiment:
    """The result; ``cpu_us`` is NaN where the app gave no reply.

    Attributes:
        block_s: wall time of a block, starts of servers included.
    """

    target: str
    cpu_us: float
    block_s: float
    injected: tuple[Injected, ...]

    def blocks_in(self, budget_s: float) -> int:
        """How many blocks a verdict gets in a budget, which needs three sides: the app, its twin, and another."""
        sides = len(self.injected) + 1
        return int(budget_s / (self.block_s * 3 / sides))


def slowed(target: Target, turns: int, book: Path, name: str, spell: int = 0) -> Target:
    """The target, served through the loop; with ``spell``, in every second spell of so many requests."""
    environment = {**target.environment, APP: target.application, TURNS: str(turns), BOOK: str(book)}
    environment[SPELL] = str(spell)
    attribute = "wsgi" if target.interface == "wsgi" else "asgi"
    return replace(target, name=name, application=f"harness.selftest.slowed:{attribute}", environment=environment)


def experiment(
    target: Target,
    point: Point,
    shares: Sequence[float],
    engine: Engine,
    placement: Placement,
    *,
    blocks: int,
    window_s: float,
    seed: int,
    loop: Loop | None = None,
    more: More | None = None,
) -> Experiment:
    """Measures the target against itself and against itself slowed by each share.

    Args:
        loop: from an earlier ``calibrate``, which is otherwise done first where there are shares.
        window_s: seconds of each block in which sides take turns.
        more: may end the experiment before ``blocks`` are measured; called before every block after the first look's.
    """
    if loop is None:
        loop = calibrate(target, point, engine, placement, seeds=(seed,)) if shares else UNKNOWN
    with tempfile.TemporaryDirectory(prefix="harness-slowdown-") as name:
        folder = Path(name)
        sides = {0.0: slowed(target, 0, folder / "base.book", target.name)}
        for share in shares:
            label = f"{target.name}+{share:.0%}"
            sides[share] = slowed(target, loop.turns(share), folder / f"{share}.book", label)
        twin = replace(sides[0.0], name=target.name + TWIN, twin_of=target.name)
        served = [*sides.values(), twin]
        run = _measure(served, point, engine, placement, folder / "run", blocks, window_s, seed, more)
        frames = tidy(run.windows())
        values = run_values(run.manifest, frames, run.manifest.plan.contrasts)
        base = _cost(run.windows(), target.name)
        idle = _loop_seconds(folder / "base.book")
        began = _moment(run.manifest.created_at)
        ends = {each.block: _moment(each.started_at) + each.duration_s - began for each in frames.records}
        injected = [_injected(0.0, 1.0, values, twin.name, ends)]
        for share, side in sides.items():
            if share:
                truth = 1 + (1 + loop.echo) * (_loop_seconds(folder / f"{share}.book") - idle) / base
                injected.append(_injected(share, truth, values, side.name, ends))
        measured = len(run.manifest.plan.blocks)
        return Experiment(target.name, base * 1e6, run.manifest.duration_s / measured, tuple(injected))


def _injected(
    wanted: float, truth: float, values: Mapping[str, BlockValues], name: str, ends: Mapping[int, float]
) -> Injected:
    cost, rate = values[f"cpu_cost:{name}"], values[f"throughput:{name}"]
    return Injected(wanted, truth, cost.log_ratio, rate.log_ratio, tuple(ends[block] for block in cost.blocks))


def _moment(written: str) -> float:
    return datetime.fromisoformat(written).timestamp()


def _loop_seconds(book: Path) -> float:
    """CPU seconds of the loop per request."""
    opened = Book(book)
    try:
        requests, seconds = opened.totals()
        return seconds / max(requests, 1)
    finally:
        opened.close()


def _cost(records: Sequence[WindowRecord], target: str) -> float:
    """CPU seconds per reply in all of a target's slices, those of invalid windows too, as the books count; or NaN."""
    spent, replies = 0.0, 0.0
    for record in records:
        assert record.slices is not None
        for index, side in enumerate(record.sides):
            if side.target == target:
                cpu, count = record.slices.sums(index, "cpu", "replies")
                spent, replies = spent + cpu, replies + count
    return spent / replies if replies else math.nan


def calibrate(target: Target, point: Point, engine: Engine, placement: Placement, seeds: Sequence[int]) -> Loop:
    """The result of the middle one of the blocks, one for each seed.

    In blocks like those that are measured: an app costs more the more others ran since its last turn.
    """
    costs = []
    for seed in seeds:
        with tempfile.TemporaryDirectory(prefix="harness-calibration-") as name:
            folder = Path(name)
            sides = [
                slowed(target, 0, folder / "idle.book", target.name),
                slowed(target, 0, folder / "twin.book", "twin"),
                slowed(target, CALIBRATION_TURNS, folder / "turns.book", "calibration"),
            ]
            run = _measure(sides, point, engine, placement, folder / "run", 1, CALIBRATION_S, seed)
            loop_s = _loop_seconds(folder / "turns.book") - _loop_seconds(folder / "idle.book")
            costs.append((_cost(run.windows(), target.name), loop_s / CALIBRATION_TURNS))
    # The block with the middle ratio: a machine that slows down for a block slows down both.
    request_s, turn_s = sorted(costs, key=lambda each: each[0] / each[1])[len(costs) // 2]
    turns = round(ECHO_SHARE * request_s / turn_s)
    with tempfile.TemporaryDirectory(prefix="harness-echo-") as name:
        book = Path(name) / "book"
        side = slowed(target, turns, book, target.name, SPELL_REQUESTS)
        _measure([side], point, engine, placement, Path(name) / "run", 1, ECHO_S, seeds[0])
        return Loop(request_s, turn_s, echo(Path(f"{book}{SPELLS}").read_bytes()))


def echo(noted: bytes) -> float:
    """From what ``Spells`` noted: how much more the rest of a request costs with the loop, per second of the loop."""
    # A thread that must wait amid its note writes it behind the next one's, or reads its clocks at different times.
    rows = np.frombuffer(noted).reshape(-1, 2)
    used = np.diff(rows[np.argsort(rows[:, 0])], axis=0)
    valid = used[:, 0] > used[:, 1]
    loop, rest, on = used[valid, 1], (used[:, 0] - used[:, 1])[valid], (np.arange(len(used)) % 2)[valid]
    without, with_it = levels(on, np.log(rest))
    loop_s = np.median(loop[on == 1]) - np.median(loop[on == 0])
    return float(math.expm1(with_it - without) * math.exp(without) / loop_s)


def _measure(
    targets: Sequence[Target],
    point: Point,
    engine: Engine,
    placement: Placement,
    folder: Path,
    blocks: int,
    window_s: float,
    seed: int,
    more: More | None = None,
) -> Run:
    base, *others = [Side(target.name, point.id) for target in targets]
    metrics: tuple[Metric, ...] = ("cpu_cost", "throughput")
    contrasts = tuple(
        Contrast(f"{metric}:{side.target}", "real", metric, side, base) for side in others for metric in metrics
    )
    every: tuple[Block, ...] = tuple(block(index, [((base, *others), window_s)]) for index in range(blocks))
    planned = every[: LOOKS[0]] if more else every
    plan = Plan("selftest", seed, 1e9, 0.0, (point,), contrasts, planned)
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    scenario = Scenario(point.scenario, point.id, "real", "", point.requests, (point.concurrency,))
    manifest = Manifest("selftest", "", now, "running", "", seed, plan, tuple(targets), (scenario,), {}, {})
    run = Run.create(folder, manifest)

    def extend(run: Run, _: float) -> Extension | None:
        rest = every[len(run.manifest.plan.blocks) :]
        return more(run, Extension(rest[:1])) if more and rest else None

    measure_run(run, Bench(engine, placement, features=False), extend)
    return run
