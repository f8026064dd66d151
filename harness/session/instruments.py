"""Sides whose instructions are counted, all at the same time, and sides whose servers are sampled under load."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from harness.engine.engine import Engine
from harness.engine.loops import new_loop
from harness.engine.spec import OnProgress
from harness.errors import NotReadyError
from harness.instruments import CountedServer, CountingFleet, sample
from harness.model import CpuProfile, Gate, InstructionCount, Point, Reason, Side, SideResult, WindowRecord
from harness.plan.sampling import PROFILE
from harness.session.meter import Meter
from harness.session.sender import Job, Sender, SendResult
from harness.session.turns import blank

FOLDER = "profiles"
"""Of the run's, for speedscope files."""
UNCOUNTED = "uncounted"
UNSAMPLED = "unsampled"


class CountSender(Sender):
    """Counts the servers of the fleet."""

    def __init__(self, fleet: CountingFleet) -> None:
        self._fleet, self._servers = fleet, dict[str, CountedServer]()

    def send(self, job: Job, meter: Meter, on_progress: OnProgress) -> SendResult:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            results = runner.run(self._all(job))
        counts = {each.target: each for each in results if isinstance(each, InstructionCount)}
        sides = []
        for side in job.sides:
            count = counts.get(side.target)
            answered = _answered(side, job.points, count.requests if count else 0)
            sides.append(replace(answered, concurrency=count.connections if count else 0))
        gates = tuple(each for each in results if isinstance(each, Gate))
        return SendResult(tuple(sides), gates=gates, counts=tuple(counts.values()))

    async def _all(self, job: Job) -> list[InstructionCount | Gate]:
        return await asyncio.gather(*(self._one(job, side) for side in job.sides))

    async def _one(self, job: Job, side: Side) -> InstructionCount | Gate:
        point, window = job.points[side.point], job.window
        connections = window.connections or point.concurrency
        if side.target not in self._servers:
            self._servers[side.target] = CountedServer(job.servers[side.target], self._fleet)
        try:
            return await self._servers[side.target].count(point, connections, window.min_rounds, job.seed)
        except NotReadyError as error:
            return _failed(side, UNCOUNTED, error)


class SampleSender(Sender):
    """Samples one server while the engine loads it.

    Args:
        folder: the run's; ``cpus``: where py-spy runs.
    """

    def __init__(self, wire: Engine, folder: Path, cpus: tuple[int, ...]) -> None:
        self._wire, self._folder, self._cpus = wire, folder / FOLDER, cpus

    def send(self, job: Job, meter: Meter, on_progress: OnProgress) -> SendResult:
        [side] = job.sides
        running, point = job.servers[side.target], job.points[side.point]
        self._folder.mkdir(exist_ok=True)
        try:
            profile = sample(running, point, self._wire, self._folder, round(job.seconds), self._cpus)
        except NotReadyError as error:
            return SendResult((blank(side, job.points),), gates=(_failed(side, UNSAMPLED, error),))
        return SendResult((_answered(side, job.points, profile.replies),), profiles=(profile.innermost(),))


def recorded(profile: CpuProfile, points: Mapping[str, Point]) -> WindowRecord:
    """A profile that was made outside the run's plan, as the run keeps it; it takes no time of the run's."""
    side = _answered(Side(profile.target, profile.point), points, profile.replies)
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    name = f"{PROFILE}-{profile.target}"
    return WindowRecord(name, 0, 0, PROFILE, "wire", now, 0.0, (side,), profiles=(profile.innermost(),))


def _answered(side: Side, points: Mapping[str, Point], requests: int) -> SideResult:
    return replace(blank(side, points), planned=requests, answered=requests)


def _failed(side: Side, code: str, error: NotReadyError) -> Gate:
    return Gate(Reason(code, {"text": str(error)}), side.target, side.point)
