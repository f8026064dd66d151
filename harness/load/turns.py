"""A closed loop in turns: a set of connections that each send their next request when a reply came, until a moment."""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.load.checks import ReplyCheck
from harness.load.client import Connection
from harness.load.mix import endless
from harness.load.peer import Traffic, resolve
from harness.load.spec import Address, WireRequest
from harness.load.sweep import Sweeper

PAUSE_S = 0.01
"""How long a connection waits after a request without a reply, so that a dead server is not hammered."""

WRONG_REPLY = frozenset({"wrong-status", "wrong-type", "wrong-body"})


@dataclass(slots=True)
class Turn:
    """What one turn yielded; moments are of ``time.perf_counter``.

    Attributes:
        service: seconds of every right reply, in order of completion; ``ends``: when each was complete.
        errors: kind → count; ``examples``: kind → the first one in words; ``failures``: when each happened.
        unfinished: requests given up by ``ClosedLoop.abandon``.
    """

    started: float
    stopped: float
    ended: float = 0.0
    service: array[float] = field(default_factory=lambda: array("d"))
    ends: array[float] = field(default_factory=lambda: array("d"))
    errors: dict[str, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)
    failures: array[float] = field(default_factory=lambda: array("d"))
    unfinished: int = 0

    @property
    def replies(self) -> int:
        return len(self.service)

    @property
    def wrong(self) -> int:
        return sum(count for kind, count in self.errors.items() if kind in WRONG_REPLY)

    @property
    def failed(self) -> int:
        return sum(self.errors.values()) - self.wrong


class ClosedLoop:
    """``connections`` requests in flight during a turn, none between turns; connections stay open."""

    def __init__(
        self,
        address: Address,
        requests: Sequence[WireRequest],
        connections: int,
        timeout_s: float,
        seed: int,
        share: int = 0,
        shares: int = 1,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.traffic = Traffic()
        self.checks = [ReplyCheck(request) for request in requests]
        self._next = endless(requests, self.checks, seed, share, shares).__next__
        peer = resolve(address)
        self._connections = [Connection(self._loop, peer, self, self.traffic) for _ in range(connections)]
        self._sweeper = Sweeper(self._loop, self._connections, timeout_s)
        self._busy = 0
        self._stop = 0.0
        self._turn = Turn(0.0, 0.0)
        self._done: asyncio.Future[None] = self._loop.create_future()

    async def turn(self, length_s: float, stagger_s: float = 0.0, phase: float = 0.0) -> Turn:
        """Send for ``length_s`` seconds and wait for what is in flight then, at most the time-out.

        Args:
            stagger_s: time over which the first sends are spread evenly.
            phase: where in a gap between two of them the first one falls, from 0 to 1.
        """
        started = time.perf_counter()
        turn = self._turn = Turn(started, started + length_s)
        self._stop = turn.stopped
        self._service_time, self._end = turn.service.append, turn.ends.append
        self._busy = len(self._connections)
        self._done = self._loop.create_future()
        for number, connection in enumerate(self._connections):
            if stagger_s:
                later = stagger_s * (number + phase) / len(self._connections)
                self._loop.call_later(later, self._resume, connection)
            else:
                connection.send(self._next(), time.perf_counter())
        self._sweeper.start()
        try:
            await self._done
        finally:
            self._sweeper.stop()
            self._stop = 0.0
        turn.ended = time.perf_counter()
        return turn

    def stop(self) -> None:
        """End the sending part of the turn now."""
        now = time.perf_counter()
        if now < self._stop:
            self._stop = self._turn.stopped = now

    def abandon(self) -> None:
        """End the turn at once; requests in flight are neither right nor failed."""
        self._turn.unfinished += sum(connection.check is not None for connection in self._connections)
        self.close()
        self._busy = 1
        self._rest()

    def replies_so_far(self) -> int:
        return len(self._turn.service)

    def latest_s(self) -> float:
        return self._turn.service[-1] if self._turn.service else 0.0

    def close(self) -> None:
        for connection in self._connections:
            connection.close()

    def right(self, connection: Connection, moment: float) -> None:
        self._service_time(moment - connection.sent)
        self._end(moment)
        if moment < self._stop:
            connection.send(self._next(), moment)
        else:
            self._rest()

    def failed(self, connection: Connection, kind: str, detail: str) -> None:
        turn = self._turn
        turn.errors[kind] = turn.errors.get(kind, 0) + 1
        turn.examples.setdefault(kind, detail)
        now = time.perf_counter()
        turn.failures.append(now)
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
