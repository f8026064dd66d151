"""What the clients of streaming protocols share: tasks, one per connection, that tally into one place.

Their rates are those of events and messages, far below plain requests, so that clarity comes before speed here.
"""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import Awaitable, Callable

import numpy as np

from harness.load.beside import allow_files
from harness.load.loops import attend, no_collections
from harness.load.spec import Address, LoadMeasurement, Progress
from harness.load.tally import WINDOW_S, floats, windows
from harness.units import US

PAUSE_S = 0.05
EARLY_S = 0.001
"""By so much a timer of the event loop may fire early: what was cut then at the load's end must not begin anew."""


class StreamFault(Exception):
    """Why a stream ended wrongly; ``kind`` is one of the kinds of error that are counted."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


class StreamTally:
    """Outcomes and samples of all connections of one load."""

    def __init__(self, duration_s: float) -> None:
        self.started = time.perf_counter()
        self.stop_at = self.started + duration_s
        self.duration_s = duration_s
        self.planned = self.unfinished = self.connects = 0
        self.sent, self.service, self.failures = array("d"), array("d"), array("d")
        self.series: dict[str, array[float]] = {}
        self.errors: dict[str, int] = {}
        self.examples: dict[str, str] = {}
        self.status: dict[int, int] = {}

    def begin(self) -> None:
        """Starts the clock anew: what had to be made ready is no part of the load."""
        self.started = time.perf_counter()
        self.stop_at = self.started + self.duration_s

    def sending(self) -> bool:
        return time.perf_counter() < self.stop_at - EARLY_S

    def left(self) -> float:
        """Seconds of sending that are left."""
        return max(0.0, self.stop_at - time.perf_counter())

    def answered(self, sent: float, moment: float) -> None:
        self.sent.append(sent - self.started)
        self.service.append(moment - sent)

    def note(self, series: str, seconds: float) -> None:
        self.series.setdefault(series, array("d")).append(seconds)

    def fail(self, kind: str, detail: str, count: int = 1) -> None:
        if count:
            self.errors[kind] = self.errors.get(kind, 0) + count
            self.examples.setdefault(kind, detail)
            self.failures.extend([time.perf_counter() - self.started] * count)

    def measurement(self, generator_cpu: float, interrupted: bool) -> LoadMeasurement:
        elapsed = time.perf_counter() - self.started
        duration = min(self.stop_at - self.started, elapsed) if interrupted else self.duration_s
        service, sent = floats(self.service), floats(self.sent)
        return LoadMeasurement(
            duration_s=duration,
            elapsed_s=elapsed,
            planned=self.planned,
            answered=len(service),
            failed=sum(self.errors.values()),
            dropped=0,
            unfinished=self.unfinished,
            waited=0,
            in_time=int(np.count_nonzero(sent + service <= duration)),
            sent_s=sent,
            service_time_us=service * US,
            response_time_us=None,
            lateness_us=None,
            in_flight_mean=None,
            window_s=WINDOW_S,
            windows=windows(sent + service, duration),
            failed_windows=windows(floats(self.failures), duration),
            status=dict(self.status),
            errors=dict(self.errors),
            examples=dict(self.examples),
            generator_cpu=generator_cpu,
            connects=self.connects,
            series={name: floats(values) * US for name, values in self.series.items()},
        )


async def connect(address: Address, timeout_s: float) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a connection.

    Raises:
        StreamFault: ``refused``, ``timeout`` or ``unreachable``.
    """
    try:
        async with asyncio.timeout(timeout_s):
            if address.path:
                return await asyncio.open_unix_connection(address.path)
            return await asyncio.open_connection(address.host, address.port)
    except TimeoutError:
        raise StreamFault("timeout", "no connection within the time-out") from None
    except (ConnectionRefusedError, FileNotFoundError) as error:
        raise StreamFault("refused", str(error)) from None
    except OSError as error:
        raise StreamFault("unreachable", str(error)) from None


async def read_some(reader: asyncio.StreamReader, timeout_s: float) -> bytes:
    """The next bytes, ``b""`` at the end.

    Raises:
        StreamFault: ``timeout`` or ``reset``.
    """
    try:
        async with asyncio.timeout(timeout_s):
            return await reader.read(65536)
    except TimeoutError:
        raise StreamFault("timeout", f"nothing for {timeout_s:g} s") from None
    except OSError as error:
        raise StreamFault("reset", str(error)) from None


async def close(writer: asyncio.StreamWriter) -> None:
    """Close a connection, whatever state it is in."""
    writer.close()
    try:
        await writer.wait_closed()
    except OSError:
        pass


async def run_streams(
    tally: StreamTally,
    connections: int,
    one: Callable[[], Awaitable[None]],
    on_progress: Callable[[Progress], None],
    stop: asyncio.Event,
) -> LoadMeasurement:
    """Run ``one`` over and over on so many connections until the tally's time is up."""

    async def repeat() -> None:
        while tally.sending():
            try:
                await one()
            except StreamFault:
                await asyncio.sleep(min(PAUSE_S, tally.left()))

    async def all_of_them() -> None:
        await asyncio.gather(*(asyncio.ensure_future(repeat()) for _ in range(connections)), return_exceptions=False)

    allow_files(connections)
    with no_collections():
        tally.begin()
        cpu = time.process_time()
        load = _Streams(tally, asyncio.ensure_future(all_of_them()))
        await attend(load.finished(), load, on_progress, stop)
    elapsed = time.perf_counter() - tally.started
    return tally.measurement((time.process_time() - cpu) / elapsed, stop.is_set())


class _Streams:
    def __init__(self, tally: StreamTally, task: asyncio.Future[None]) -> None:
        self._tally, self._task = tally, task

    async def finished(self) -> None:
        try:
            await self._task
        except asyncio.CancelledError:
            if not self._task.cancelled():
                raise

    def stop(self) -> None:
        self._tally.stop_at = min(self._tally.stop_at, time.perf_counter())

    def abandon(self) -> None:
        self._task.cancel()

    def replies_so_far(self) -> int:
        return len(self._tally.service)

    def latest_s(self) -> float:
        return self._tally.service[-1] if self._tally.service else 0.0
