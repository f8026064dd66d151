"""Targets profiled one after the other, each freshly started."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.config.placement import Placement
from harness.engine.engine import Engine
from harness.errors import RecordError
from harness.instruments import sample
from harness.model import CpuProfile, Point, Target
from harness.serve import serving_all
from harness.serve.services import Services


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
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordError(f"{folder} cannot be written: {error.strerror}", hint="choose another --out") from None
    found = []
    with Engine(placement.generator) as engine:
        for target in targets:
            around.restore()
            with serving_all([target], placement, around.environment) as fleet:
                running = fleet.running[target.name]
                found.append(sample(running, point, engine, folder, seconds, placement.generator, flame_graph=True))
    return found
