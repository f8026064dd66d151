"""A closed loop: a set of connections that each send the next request after a reply, in turns or for one load."""

from __future__ import annotations

import asyncio
import math
import sys
import time
from dataclasses import dataclass

from harness.engine.checks import ReplyCheck, endless
from harness.engine.client import Connection, Pool
from harness.engine.loops import attend, begin_at, no_collections
from harness.engine.spec import LoadSpec, OnProgress, SideSpec
from harness.engine.tally import GeneratorUse, Tally, load_result
from harness.model.load import LoadResult

PAUSE_S = 0.01
"""How long a connection waits after a request without a reply, so that a dead server is not hammered."""

WRONG_REPLY = frozenset({"wrong-status", "wrong-type", "wrong-body"})


@dataclass(slots=True)
class Turn(Tally):
    """What one turn yielded: requests were sent from ``started`` to ``stopped``, the last ended at ``ended``.

    Attributes:
        cpu, generator_cpu, foreign_cpu: of a slice, as in ``Slices``; ``gone``: processes of its server that ended.
    """

    started: float = 0.0
    stopped: float = 0.0
    ended: float = 0.0
    cpu: float = math.nan
    generator_cpu: float = 0.0
    foreign_cpu: float = 0.0
    gone: tuple[int, ...] = ()

    @property
    def wrong(self) -> int:
        return sum(count for kind, count in self.errors.items() if kind in WRONG_REPLY)

    @property
    def failed(self) -> int:
        return self.errors.total() - self.wrong


class ClosedLoop:
    """``connections`` requests in flight during a turn, none between turns; connections stay open."""

    def __init__(self, spec: LoadSpec | SideSpec, seed: int, share: int = 0, shares: int = 1) -> None:
        self._loop = asyncio.get_running_loop()
        self.checks = [ReplyCheck(request) for request in spec.requests]
        self._next = endless(self.checks, seed, share, shares).__next__
        self._pool = Pool(spec.address, spec.connections, self, spec.timeout_s)
        self.traffic, self.close = self._pool.traffic, self._pool.close
        self._busy = 0
        self._stop = 0.0
        self.keep = sys.maxsize
        self.tally = Turn()
        self._done: asyncio.Future[None] = self._loop.create_future()

    async def turn(self, length_s: float, stagger_s: float = 0.0, phase: float = 0.0) -> Turn:
        """Send for ``length_s`` seconds, then wait for requests in flight, at most the time-out.

        Args:
            stagger_s: time over which the first sends are spread evenly.
            phase: when the first one is sent, as a share of the gap between two of them, from 0 to 1.
        """
        started = time.perf_counter()
        turn = self.tally = Turn(started=started, stopped=started + length_s)
        self._stop = turn.stopped
        self._service_time, self._end = turn.service.append, turn.ends.append
        self._busy = len(self._pool.connections)
        self._done = self._loop.create_future()
        for number, connection in enumerate(self._pool.connections):
            if stagger_s:
                later = stagger_s * (number + phase) / self._busy
                self._loop.call_later(later, self._resume, connection)
            else:
                connection.send(self._next(), time.perf_counter())
        try:
            await self._pool.wait(self._done)
        finally:
            self._stop = 0.0
        turn.ended = time.perf_counter()
        return turn

    def stop(self) -> None:
        """End the sending part of the turn now."""
        now = time.perf_counter()
        if now < self._stop:
            self._stop = self.tally.stopped = now

    def fold(self) -> None:
        """Move times past the first ``keep`` into histograms, while the turn is being sent."""
        if time.perf_counter() < self._stop:
            self.tally.fold(self.tally.started, self.keep, self.traffic.handshakes)

    def abandon(self) -> None:
        """End the turn at once; requests in flight are neither right nor failed."""
        self.tally.give_up(self._pool.in_flight())
        self.close()
        self._busy = 1
        self._rest()

    def right(self, connection: Connection, moment: float) -> None:
        self._service_time(moment - connection.sent)
        self._end(moment)
        if moment < self._stop:
            connection.send(self._next(), moment)
        else:
            self._rest()

    def failed(self, connection: Connection, kind: str, detail: str) -> None:
        now = time.perf_counter()
        self.tally.fail(kind, detail, now)
        if kind in WRONG_REPLY and now < self._stop:
            connection.send(self._next(), now)
        elif now + PAUSE_S < self._stop:
            self._loop.call_later(PAUSE_S, self._resume, connection)
        else:
            self._rest()

    def _resume(self, connection: Connection) -> None:
        now = time.perf_counter()
        if now < self._stop:
            connection.send(self._next(), now)
        else:
            self._rest()

    def _rest(self) -> None:
        self._busy -= 1
        if self._busy <= 0 and not self._done.done():
            self._done.set_result(None)


async def run_closed(spec: LoadSpec, on_progress: OnProgress, stop: asyncio.Event) -> LoadResult:
    """Run a ``LoadSpec`` without a rate."""
    loop = ClosedLoop(spec, spec.seed, spec.share, spec.shares)
    loop.keep = spec.keep
    await begin_at(spec.start_at, stop)
    use = GeneratorUse()
    try:
        if not stop.is_set():
            with no_collections():
                await attend(loop.turn(spec.duration_s), loop, on_progress, stop)
    finally:
        loop.close()
    turn = loop.tally
    elapsed = turn.ended - turn.started
    return load_result(
        spec,
        turn,
        turn.started,
        turn.stopped - turn.started,
        elapsed,
        loop.traffic,
        loop.checks,
        seed=spec.seed,
        planned=turn.replies + turn.errors.total() + turn.unfinished,
        **use.shares(elapsed),
    )
