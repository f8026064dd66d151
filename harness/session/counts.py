"""Sides whose instructions are counted, all at the same time."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from harness.engine.loops import new_loop
from harness.engine.spec import OnProgress
from harness.errors import NotReadyError
from harness.instruments import CountedServer, CountingFleet
from harness.model import Gate, InstructionCount, Reason, Side
from harness.session.meter import Meter
from harness.session.sender import Job, Sender, Sent
from harness.session.turns import blank

UNCOUNTED = "uncounted"


class CountSender(Sender):
    """Counts the servers of the fleet."""

    def __init__(self, fleet: CountingFleet) -> None:
        self._fleet, self._servers = fleet, dict[str, CountedServer]()

    def send(self, job: Job, meter: Meter, on_progress: OnProgress) -> Sent:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            found = runner.run(self._all(job))
        counts = {each.target: each for each in found if isinstance(each, InstructionCount)}
        answered = [(blank(side, job.points), counts.get(side.target)) for side in job.sides]
        return Sent(
            tuple(
                replace(side, planned=n, answered=n, concurrency=each.connections if each else 0)
                for side, each in answered
                for n in [each.requests if each else 0]
            ),
            gates=tuple(each for each in found if isinstance(each, Gate)),
            counts=tuple(counts.values()),
        )

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
            return Gate(Reason(UNCOUNTED, {"text": str(error)}), side.target, side.point)
