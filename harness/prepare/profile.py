"""Targets profiled one after the other, each freshly started."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harness.config.placement import Placement
from harness.engine.engine import Engine
from harness.errors import writing
from harness.instruments import sample
from harness.model import CpuProfile, Point, Reason, Target
from harness.serve import serving_all
from harness.serve.services import Services


def fewer_workers(targets: Sequence[Target], placement: Placement) -> list[Reason]:
    """A note for each target that is sampled with fewer workers than it has."""
    pairs = [(target, _with_cpu_per_worker(target, placement).workers) for target in targets]
    return [
        Reason("fewer-workers", {"target": target.name, "workers": target.workers, "sampled": workers})
        for target, workers in pairs
        if workers < target.workers
    ]


def profiles(
    targets: Sequence[Target], point: Point, placement: Placement, around: Services, folder: Path, seconds: int
) -> list[CpuProfile]:
    """Args:
        folder: is made, and holds a flame graph and a speedscope file of each target.
        seconds: how long each target is sampled.

    Raises:
        RecordError: the folder cannot be made.
        NotReadyError: a target cannot be started or sampled.
    """
    with writing(folder, "choose another --out"):
        folder.mkdir(parents=True, exist_ok=True)
    results = []
    with Engine(placement.generator) as engine:
        for target in (_with_cpu_per_worker(target, placement) for target in targets):
            around.restore()
            with serving_all([target], placement, around.environment) as fleet:
                running = fleet.running[target.name]
                results.append(sample(running, point, engine, folder, seconds, placement.generator, flame_graph=True))
    return results


def _with_cpu_per_worker(target: Target, placement: Placement) -> Target:
    """The target with a CPU for each worker: those that take turns on one are sampled while they wait for it."""
    cpus = len(placement.many if target.per_cpu else placement.server)
    return replace(target, workers=min(target.workers, cpus or target.workers))
