"""Injected slowdowns: what a loop costs by its own CPU clock, against what the harness says of it.

A slot holds the app as it is, the app once more (the A/A control), and the app with loops that should cost so many
percent more; blocks have fresh servers each. The truth is the loop's measured CPU time over the app's own.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from harness.analyse.frames import tidy
from harness.analyse.interval import FloatArray
from harness.analyse.looks import LOOKS
from harness.analyse.ratio import BlockValues, absolute_values, contrast_values
from harness.conduct import Engine, conduct
from harness.model import Block, Contrast, Extension, Manifest, Metric, Plan, Point, Scenario, Side, Target
from harness.observe import Observer, Silent
from harness.placement import Placement
from harness.plan import TWIN
from harness.plan.timing import slice_length
from harness.record import Run
from harness.truth.slowed import APP, BOOK, TURNS, Book
from harness.versus import block

CALIBRATION_TURNS = 500
CALIBRATION_S = 1.0
Settled = Callable[[Sequence[FloatArray]], bool]
"""Whether the contrasts of CPU cost, one array of block values each, need no more blocks."""


@dataclass(frozen=True, slots=True)
class Injected:
    """One slowdown over the valid blocks of an experiment.

    Attributes:
        wanted: the share that was aimed at, 0.03 for 3%; 0 for the A/A control.
        truth: the true ratio of CPU cost, slowed ÷ as it is, from the loop's own clock.
        log_ratio: the harness's ln ratio of CPU cost, one per block.
        rates: the same of throughput.
    """

    wanted: float
    truth: float
    log_ratio: FloatArray
    rates: FloatArray


@dataclass(frozen=True, slots=True)
class Experiment:
    """What was found; ``cpu_us`` is NaN where no block was valid."""

    target: str
    cpu_us: float
    block_s: float
    injected: tuple[Injected, ...]


def slowed(target: Target, turns: int, book: Path, name: str) -> Target:
    """The target, served through the loop."""
    environment = {**target.environment, APP: target.application, TURNS: str(turns), BOOK: str(book)}
    attribute = "wsgi" if target.interface == "wsgi" else "asgi"
    return replace(target, name=name, application=f"harness.truth.slowed:{attribute}", environment=environment)


def experiment(
    target: Target,
    point: Point,
    shares: Sequence[float],
    engine: Engine,
    placement: Placement,
    *,
    blocks: int,
    slot_s: float,
    seed: int,
    observer: Observer | None = None,
    settled: Settled | None = None,
) -> Experiment:
    """Measures the target against itself and against itself slowed by each share.

    Args:
        slot_s: seconds of each block in which sides take turns.
        settled: ends the experiment before ``blocks`` are measured; asked after every block from the fifth on.
    """
    with tempfile.TemporaryDirectory(prefix="harness-slowdown-") as name:
        folder = Path(name)
        cost, per_turn = calibrate(target, point, engine, placement, folder, seed)
        sides = {0.0: slowed(target, 0, folder / "base.book", target.name)}
        for share in shares:
            turns, label = round(share * cost / per_turn), f"{target.name}+{share:.0%}"
            sides[share] = slowed(target, turns, folder / f"{share}.book", label)
        twin = replace(sides[0.0], name=target.name + TWIN, twin_of=target.name)
        served = [*sides.values(), twin]
        run = _measure(served, point, engine, placement, folder / "run", blocks, slot_s, seed, observer, settled)
        frames = tidy(run.slots())
        contrasts = run.manifest.plan.contrasts
        values = contrast_values(frames.slices, contrasts, (point,))
        costs = absolute_values(frames.slices, (point,), "cpu_cost").get(Side(target.name, point.id))
        base = math.nan if costs is None else float(np.mean(costs))
        idle = _burnt(folder / "base.book")
        found = [Injected(0.0, 1.0, *_both(values, twin.name))]
        for share, side in sides.items():
            if share:
                truth = 1 + (_burnt(folder / f"{share}.book") - idle) * 1e6 / base
                found.append(Injected(share, truth, *_both(values, side.name)))
        measured = len(run.manifest.plan.blocks)
        return Experiment(target.name, base, run.manifest.duration_s / measured, tuple(found))


def _both(values: Mapping[str, BlockValues], name: str) -> tuple[FloatArray, FloatArray]:
    return values[f"cpu_cost:{name}"].log_ratio, values[f"throughput:{name}"].log_ratio


def _burnt(book: Path) -> float:
    """CPU seconds of the loop per request."""
    opened = Book(book)
    try:
        requests, seconds = opened.totals()
        return seconds / max(requests, 1)
    finally:
        opened.close()


def calibrate(
    target: Target, point: Point, engine: Engine, placement: Placement, folder: Path, seed: int
) -> tuple[float, float]:
    """CPU seconds of a request of the app as it is, and of one turn of the loop while serving."""
    sides = [
        slowed(target, 0, folder / "idle.book", target.name),
        slowed(target, CALIBRATION_TURNS, folder / "turns.book", "calibration"),
    ]
    run = _measure(sides, point, engine, placement, folder / "calibration", 1, CALIBRATION_S, seed, None)
    # Also from a slot that a busy machine made invalid: how many turns there are is no result.
    slices = run.slots()[-1].slices
    rows = zip(slices.side, slices.cpu, slices.replies, strict=True)
    cost = float(np.median([cpu / replies for side, cpu, replies in rows if side == 0 and replies]))
    per_turn = (_burnt(folder / "turns.book") - _burnt(folder / "idle.book")) / CALIBRATION_TURNS
    return cost, per_turn


def _measure(
    targets: Sequence[Target],
    point: Point,
    engine: Engine,
    placement: Placement,
    folder: Path,
    blocks: int,
    slot_s: float,
    seed: int,
    observer: Observer | None,
    settled: Settled | None = None,
) -> Run:
    base, *others = [Side(target.name, point.id) for target in targets]
    metrics: tuple[Metric, ...] = ("cpu_cost", "throughput")
    contrasts = tuple(
        Contrast(f"{metric}:{side.target}", "real", metric, side, base) for side in others for metric in metrics
    )
    every: tuple[Block, ...] = tuple(
        block(index, (base, *others), slice_length(point), slot_s) for index in range(blocks)
    )
    planned = every[: LOOKS[0]] if settled else every
    plan = Plan("selftest", seed, 1e9, 0.0, (point,), contrasts, planned)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    scenario = Scenario(point.scenario, point.id, "real", "", point.requests, (point.concurrency,))
    manifest = Manifest("selftest", "", now, "running", "", seed, plan, tuple(targets), (scenario,), {}, {})
    run = Run.create(folder, manifest)

    def more(run: Run, _: float) -> Extension | None:
        measured = len(run.manifest.plan.blocks)
        if settled is None or measured == len(every):
            return None
        values = contrast_values(tidy(run.slots()).slices, contrasts, (point,))
        costs = [values[c.id].log_ratio for c in contrasts if c.metric == "cpu_cost"]
        return None if settled(costs) else Extension((every[measured],))

    conduct(run, engine, placement, observer or Silent(), more)
    return run
