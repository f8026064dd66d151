"""An open loop: requests leave when an absolute schedule says so, whatever the replies do.

Shortly before each send the loop stops sleeping and polls: timers come about a millisecond late, polling serves
replies just as well, and a send is then some tens of microseconds late.
"""

from __future__ import annotations

import asyncio
import time
from array import array
from collections import deque
from collections.abc import Callable

import numpy as np

from harness.load.beside import open_beside
from harness.load.checks import ReplyCheck
from harness.load.client import Connection
from harness.load.loops import attend, begin_at, no_collections
from harness.load.mix import endless
from harness.load.pacing import phased_schedule
from harness.load.peer import Traffic, resolve
from harness.load.spec import LoadMeasurement, LoadSpec, Progress
from harness.load.sweep import Sweeper
from harness.load.tally import WINDOW_S, floats, statuses, windows
from harness.sampling import waited_for_cpu
from harness.units import US

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
        whole = phased_schedule(spec.arrivals, phases, spec.seed)
        self._planned: list[float] = whole[spec.share :: spec.shares].tolist()
        self._planned_count = len(self._planned)
        self._index = 0
        self.traffic = Traffic()
        self.checks = [ReplyCheck(request) for request in spec.requests]
        self._numbers = {check: number for number, check in enumerate(self.checks)}
        self._next = endless(spec.requests, self.checks, spec.seed, spec.share, spec.shares).__next__
        peer = resolve(spec.address)
        self._connections = [Connection(self._loop, peer, self, self.traffic) for _ in range(spec.connections)]
        self._sweeper = Sweeper(self._loop, self._connections, spec.timeout_s)
        # The last one freed is used first, so that no more are opened than the load needs.
        self._free = self._connections[::-1]
        self._waiting: deque[tuple[float, ReplyCheck]] = deque()
        self._open = self.dropped = self.waited = self.unfinished = 0
        self._area = self._area_at = self.origin = self.ended = 0.0
        self._done: asyncio.Future[None] = self._loop.create_future()
        self.sent, self.service, self.response, self.lateness = array("d"), array("d"), array("d"), array("d")
        self.request: array[int] = array("i")
        self.failures: array[float] = array("d")
        self.errors: dict[str, int] = {}
        self.examples: dict[str, str] = {}

    async def run(self) -> None:
        """Send the whole schedule and wait for what is in flight then, at most the time-out."""
        start = self._spec.start_at
        self.origin = self._area_at = time.perf_counter() + LEAD_S if start is None else start
        await begin_at(self.origin - POLL_S)
        self._sweeper.start()
        self._tick()
        try:
            await self._done
        finally:
            self._sweeper.stop()
        self.ended = time.perf_counter()

    def stop(self) -> None:
        """Plan nothing more."""
        if self._index < self._planned_count:
            self._planned_count = self._index
            self._over()

    def abandon(self) -> None:
        """End now; requests in flight or waiting are neither answered nor failed."""
        self.unfinished += self._open
        self._open = 0
        self._waiting.clear()
        self.close()
        self._finish()

    def replies_so_far(self) -> int:
        return len(self.service)

    def latest_s(self) -> float:
        return self.service[-1] if self.service else 0.0

    def close(self) -> None:
        for connection in self._connections:
            connection.close()

    @property
    def planned(self) -> int:
        """Requests whose time has come."""
        return self._index

    @property
    def in_flight_mean(self) -> float:
        elapsed = self.ended - self.origin
        return self._area / elapsed if elapsed > 0 else 0.0

    def _tick(self) -> None:
        planned, index, origin = self._planned, self._index, self.origin
        while index < self._planned_count:
            now = time.perf_counter()
            moment = origin + planned[index]
            if moment > now:
                break
            index += 1
            self._index = index
            self._dispatch(moment, now)
        if index >= self._planned_count:
            self._over()
            return
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
        sent = connection.sent
        self.sent.append(sent)
        self.service.append(moment - sent)
        self.response.append(moment - connection.planned)
        self.request.append(connection.number)
        self._ended(connection, moment)

    def failed(self, connection: Connection, kind: str, detail: str) -> None:
        moment = time.perf_counter()
        self.errors[kind] = self.errors.get(kind, 0) + 1
        self.examples.setdefault(kind, detail)
        self.failures.append(moment)
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
            if self._open == 0 and self._index >= self._planned_count:
                self._finish()

    def _over(self) -> None:
        if self._open == 0:
            self._finish()
        else:
            self._loop.call_later(self._spec.timeout_s + 0.5, self._give_up)

    def _give_up(self) -> None:
        if not self._done.done():
            self.abandon()

    def _finish(self) -> None:
        if not self._done.done():
            self._done.set_result(None)


async def run_open(spec: LoadSpec, on_progress: Callable[[Progress], None], stop: asyncio.Event) -> LoadMeasurement:
    """Run a ``LoadSpec`` with a rate."""
    loop = OpenLoop(spec)
    beside = await open_beside(spec)
    cpu, waited = time.process_time(), waited_for_cpu()
    begun = time.perf_counter()
    try:
        with no_collections():
            await attend(loop.run(), loop, on_progress, stop)
    finally:
        loop.close()
        counts = await beside.close()
    took = time.perf_counter() - begun
    cpu_share, wait_share = (time.process_time() - cpu) / took, (waited_for_cpu() - waited) / took
    elapsed = max(loop.ended - loop.origin, 0.0)
    duration = min(spec.duration_s, elapsed) if stop.is_set() else spec.duration_s
    service, sent = floats(loop.service), floats(loop.sent) - loop.origin
    ends = sent + service
    return LoadMeasurement(
        duration_s=duration,
        elapsed_s=elapsed,
        planned=loop.planned,
        answered=len(service),
        failed=sum(loop.errors.values()),
        dropped=loop.dropped,
        unfinished=loop.unfinished,
        waited=loop.waited,
        in_time=int(np.count_nonzero(ends <= duration)),
        sent_s=sent,
        service_time_us=service * US,
        response_time_us=floats(loop.response) * US,
        lateness_us=floats(loop.lateness) * US,
        in_flight_mean=loop.in_flight_mean,
        window_s=WINDOW_S,
        windows=windows(ends, duration),
        failed_windows=windows(floats(loop.failures) - loop.origin, duration),
        status=statuses(loop.traffic, loop.checks),
        errors=dict(loop.errors),
        examples=dict(loop.examples),
        generator_cpu=cpu_share,
        connects=loop.traffic.connects,
        reconnects=loop.traffic.reconnects,
        retries=loop.traffic.retries,
        surplus=loop.traffic.surplus,
        generator_wait=wait_share,
        request=np.array(loop.request, dtype=np.int32),
        counts=counts,
    )
