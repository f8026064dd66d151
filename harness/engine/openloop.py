"""An open loop: requests leave when an absolute schedule says so, whatever the replies do.

Shortly before each send the loop stops sleeping and polls: timers come about a millisecond late, polling serves
replies just as well, and a send is then some tens of microseconds late.
"""

from __future__ import annotations

import asyncio
import time
from array import array
from collections import deque

from harness.engine.checks import ReplyCheck, endless
from harness.engine.client import Connection, Pool
from harness.engine.extra import OpenExtra
from harness.engine.loops import attend, begin_at, no_collections, unless_stopped
from harness.engine.pacing import pieces, shared
from harness.engine.spec import LoadSpec, OnProgress
from harness.engine.tally import GeneratorUse, Samples, Tally, load_result
from harness.model.load import LoadResult

POLL_S = 0.0012
TICK_S = 0.001
"""uvloop's timers count whole milliseconds."""

LEAD_S = 0.05


class OpenLoop:
    """Sends a schedule; a request with no free connection waits, past the cap it is dropped and counted."""

    def __init__(self, spec: LoadSpec) -> None:
        assert spec.rate is not None
        self._loop = asyncio.get_running_loop()
        self._spec = spec
        phases = spec.phases or ((spec.rate, spec.duration_s),)
        self._pieces = shared(pieces(spec.arrivals, phases, spec.seed), spec.share, spec.shares)
        self._piece = next(self._pieces, [])
        self._index = self.planned = 0
        self._whole = False
        self.checks = [ReplyCheck(request) for request in spec.requests]
        self._numbers = {check: number for number, check in enumerate(self.checks)}
        self._next = endless(self.checks, spec.seed, spec.share, spec.shares).__next__
        self._pool = Pool(spec.address, spec.connections, self, spec.timeout_s)
        self.traffic, self.close = self._pool.traffic, self._pool.close
        # The last one freed is used first, so that no more are opened than the load needs.
        self._free = self._pool.connections[::-1]
        self._waiting: deque[tuple[float, ReplyCheck]] = deque()
        # planned: requests whose time has come.
        self._open = self.dropped = self.waited = 0
        self._area = self._area_at = self.origin = self.ended = 0.0
        self._done: asyncio.Future[None] = self._loop.create_future()
        self.tally = Tally()
        self.response, self.lateness = Samples(), Samples()
        self.request: array[int] = array("i")

    async def run(self, stop: asyncio.Event) -> None:
        """Send the whole schedule and then for requests in flight, at most the time-out."""
        start = self._spec.start_at
        self.origin = self._area_at = time.perf_counter() + LEAD_S if start is None else start
        await begin_at(self.origin - POLL_S, stop)
        if stop.is_set():
            return
        self._tick()
        await self._pool.wait(self._done)
        self.ended = time.perf_counter()

    def stop(self) -> None:
        """Plan nothing more."""
        if not self._whole:
            self._whole = True
            self._over()

    def fold(self) -> None:
        """Move times past the first ``keep`` into histograms, while requests are being planned."""
        if not self._whole:
            keep = self._spec.keep
            self.tally.fold(self.origin, keep, self.response, self.lateness, self.traffic.handshakes)
            del self.request[keep:]

    def abandon(self) -> None:
        """End now; requests in flight or waiting are neither answered nor failed."""
        if self._done.done():
            return
        self.tally.give_up([*self._pool.in_flight(), *(planned for planned, _ in self._waiting)])
        self._open = 0
        self._waiting.clear()
        self.close()
        self._finish()

    @property
    def in_flight_mean(self) -> float:
        elapsed = self.ended - self.origin
        return self._area / elapsed if elapsed > 0 else 0.0

    def _tick(self) -> None:
        if self._whole:
            return
        piece, index, origin = self._piece, self._index, self.origin
        while True:
            if index >= len(piece):
                piece, index = self._piece, self._index = next(self._pieces, []), 0
                if not piece:
                    self._whole = True
                    self._over()
                    return
            now = time.perf_counter()
            moment = origin + piece[index]
            if moment > now:
                break
            index += 1
            self.planned += 1
            self._dispatch(moment, now)
        self._index = index
        ticks = int((moment - now - POLL_S) / TICK_S)
        if ticks > 0:
            self._loop.call_later(ticks * TICK_S, self._tick)
        else:
            self._loop.call_soon(self._tick)

    def _dispatch(self, planned: float, now: float) -> None:
        self.lateness.append(now - planned)
        check = self._next()
        if self._open >= self._spec.in_flight_cap:
            self.dropped += 1
            return
        self._area += self._open * (now - self._area_at) + (now - planned)
        self._area_at = now
        self._open += 1
        if self._free:
            connection = self._free.pop()
            connection.planned, connection.number = planned, self._numbers[check]
            connection.send(check, now)
        else:
            self.waited += 1
            self._waiting.append((planned, check))

    def right(self, connection: Connection, moment: float) -> None:
        self.tally.ends.append(moment)
        self.tally.service.append(moment - connection.sent)
        self.response.append(moment - connection.planned)
        self.request.append(connection.number)
        self._ended(connection, moment)

    def failed(self, connection: Connection, kind: str, detail: str) -> None:
        moment = time.perf_counter()
        self.tally.fail(kind, detail, moment)
        self._ended(connection, moment)

    def _ended(self, connection: Connection, moment: float) -> None:
        self._area += self._open * (moment - self._area_at)
        self._area_at = moment
        self._open -= 1
        if self._waiting:
            connection.planned, check = self._waiting.popleft()
            connection.number = self._numbers[check]
            connection.send(check, moment)
        else:
            self._free.append(connection)
            if self._open == 0 and self._whole:
                self._finish()

    def _over(self) -> None:
        if self._open == 0:
            self._finish()
        else:
            self._loop.call_later(self._spec.timeout_s + 0.5, self.abandon)

    def _finish(self) -> None:
        if not self._done.done():
            self._done.set_result(None)


async def run_open(spec: LoadSpec, on_progress: OnProgress, stop: asyncio.Event) -> LoadResult:
    """Run a ``LoadSpec`` with a rate."""
    loop = OpenLoop(spec)
    extra = OpenExtra(spec)
    await unless_stopped(extra.open(), stop)
    use = GeneratorUse()
    try:
        with no_collections():
            await attend(loop.run(stop), loop, on_progress, stop)
    finally:
        loop.close()
        counts = await extra.close()
    shares = use.shares()
    elapsed = max(loop.ended - loop.origin, 0.0)
    return load_result(
        spec,
        loop.tally,
        loop.origin,
        min(spec.duration_s, elapsed) if stop.is_set() else spec.duration_s,
        elapsed,
        loop.traffic,
        loop.checks,
        request=loop.request,
        rate_rps=spec.rate,
        seed=spec.seed,
        planned=loop.planned,
        dropped=loop.dropped,
        waited=loop.waited,
        response_time_us=loop.response.latencies(),
        lateness_us=loop.lateness.latencies(),
        in_flight_mean=loop.in_flight_mean,
        counts=counts,
        **shares,
    )
