"""What the clients of streaming protocols share: tasks, one per connection, that tally into one place.

Their rates are those of events and messages, far below plain requests, so that clarity comes before speed here.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from harness.engine.client import Traffic, kind_of, words_of
from harness.engine.loops import attend, begin_at, no_collections
from harness.engine.replies import ReplyError
from harness.engine.samples import Samples
from harness.engine.spec import Address, EventsSpec, Progress, WebSocketSpec
from harness.engine.tally import GeneratorUse, Tally, load_result
from harness.model.load import LoadResult
from harness.model.units import EARLY_S

PAUSE_S = 0.05


class StreamTally(Tally):
    """What came of all connections of one load; the clock starts with ``begin``."""

    def __init__(self, duration_s: float, timeout_s: float) -> None:
        super().__init__()
        self.duration_s, self.timeout_s = duration_s, timeout_s
        self.started = self.stop_at = 0.0
        self.planned = 0
        self.series: dict[str, Samples] = {}
        self.counts: Counter[str] = Counter()
        self.traffic = Traffic()

    def begin(self) -> None:
        self.started = time.perf_counter()
        self.stop_at = self.started + self.duration_s

    def sending(self) -> bool:
        """What was cut at the load's end by a timer that fired early must not begin anew."""
        return time.perf_counter() < self.stop_at - EARLY_S

    def left(self) -> float:
        """Seconds of sending that are left."""
        return max(0.0, self.stop_at - time.perf_counter())

    def answered(self, sent: float, moment: float) -> None:
        self.ends.append(moment)
        self.service.append(moment - sent)

    def note(self, series: str, seconds: float) -> None:
        self.series.setdefault(series, Samples()).append(seconds)

    def result(self, connections: int, use: GeneratorUse, interrupted: bool) -> LoadResult:
        elapsed = time.perf_counter() - self.started
        duration = max(0.0, min(self.stop_at - self.started, elapsed)) if interrupted else self.duration_s
        return load_result(
            self,
            self.started,
            duration,
            self.traffic,
            series=self.series,
            loop="stream",
            connections=connections,
            elapsed_s=elapsed,
            timeout_s=self.timeout_s,
            counts=dict(self.counts),
            planned=self.planned,
            **use.shares(elapsed),
        )


async def connect(
    address: Address, timeout_s: float, tally: StreamTally
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a connection, and note how long its TLS handshake took, the connecting included.

    Raises:
        ReplyError: ``timeout``, or one of the kinds of ``kind_of``.
    """
    try:
        async with asyncio.timeout(timeout_s):
            if address.path:
                return await asyncio.open_unix_connection(address.path)
            tls, opened = address.tls, time.perf_counter()
            if tls is None:
                return await asyncio.open_connection(address.host, address.port)
            streams = await asyncio.open_connection(
                address.host, address.port, ssl=tls.context, server_hostname=tls.server_name
            )
            tally.traffic.handshakes.append(time.perf_counter() - opened)
            return streams
    except TimeoutError:
        raise ReplyError("timeout", "no connection within the time-out") from None
    except OSError as error:
        raise ReplyError(kind_of(error), words_of(error)) from None


async def read_some(reader: asyncio.StreamReader, timeout_s: float) -> bytes:
    """The next bytes, ``b""`` at the end.

    Raises:
        ReplyError: ``timeout`` or ``reset``.
    """
    try:
        async with asyncio.timeout(timeout_s):
            return await reader.read(65536)
    except TimeoutError:
        raise ReplyError("timeout", f"nothing for {timeout_s:g} s") from None
    except OSError as error:
        raise ReplyError("reset", str(error)) from None


async def close(writer: asyncio.StreamWriter) -> None:
    """Close a connection, whatever state it is in."""
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def run_streams(
    tally: StreamTally,
    spec: WebSocketSpec | EventsSpec,
    one: Callable[[], Awaitable[None]],
    on_progress: Callable[[Progress], None],
    stop: asyncio.Event,
) -> LoadResult:
    """Run ``one`` over and over on the spec's connections until the tally's time is up."""

    async def repeat() -> None:
        while tally.sending():
            try:
                await one()
            except ReplyError:
                await asyncio.sleep(min(PAUSE_S, tally.left()))

    await begin_at(spec.start_at, stop)
    with no_collections():
        use = GeneratorUse()
        tally.begin()
        if stop.is_set():
            tally.stop_at = tally.started
        else:
            load = _Streams(tally, spec.keep, [asyncio.ensure_future(repeat()) for _ in range(spec.connections)])
            await attend(load.finished(), load, on_progress, stop)
    return tally.result(spec.connections, use, stop.is_set())


class _Streams:
    def __init__(self, tally: StreamTally, keep: int, tasks: Sequence[asyncio.Future[None]]) -> None:
        self.tally, self._keep, self._tasks = tally, keep, tasks

    async def finished(self) -> None:
        for ended in await asyncio.gather(*self._tasks, return_exceptions=True):
            # Those that were abandoned were cancelled, which is no error.
            if isinstance(ended, Exception):
                raise ended

    def stop(self) -> None:
        self.tally.stop_at = min(self.tally.stop_at, time.perf_counter())

    def fold(self) -> None:
        if self.tally.left():
            self.tally.fold(self.tally.started, self._keep)
            for times in (*self.tally.series.values(), self.tally.traffic.handshakes):
                times.fold(self._keep)

    def abandon(self) -> None:
        for task in self._tasks:
            task.cancel()
