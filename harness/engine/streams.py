"""What the clients of streaming protocols share: tasks, one per connection, that tally into one place.

Their rates are those of events and messages, far below plain requests, so that clarity comes before speed here.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

from harness.engine.client import error_text, kind_of
from harness.engine.loops import attend, begin_at, no_collections
from harness.engine.replies import ReplyError
from harness.engine.spec import EventsSpec, OnProgress, WebSocketSpec
from harness.engine.tally import GeneratorUse, Samples, Tally, Traffic, load_result
from harness.model.load import LoadResult
from harness.model.units import EARLY_S

PAUSE_S = 0.05


class StreamLoad:
    """A load of streams, with the results of all its connections."""

    def __init__(self, spec: WebSocketSpec | EventsSpec) -> None:
        self.spec, self.tally, self.traffic = spec, Tally(), Traffic()
        self.started = self.stop_at = 0.0
        self.planned = 0
        self.series: dict[str, Samples] = {}
        self.counts: Counter[str] = Counter()
        self._tasks: list[asyncio.Future[None]] = []

    async def run(self, one: Callable[[], Awaitable[None]], on_progress: OnProgress, stop: asyncio.Event) -> LoadResult:
        """Do ``one`` over and over on every connection until the time is up."""
        spec = self.spec
        await begin_at(spec.start_at, stop)
        with no_collections():
            use = GeneratorUse()
            self.started = self.stop_at = time.perf_counter()
            if not stop.is_set():
                self.stop_at += spec.duration_s
                self._tasks = [asyncio.ensure_future(self._repeat(one)) for _ in range(spec.connections)]
                await attend(self._finished(), self, on_progress, stop)
        elapsed = time.perf_counter() - self.started
        return load_result(
            spec,
            self.tally,
            self.started,
            max(0.0, min(self.stop_at - self.started, elapsed)) if stop.is_set() else spec.duration_s,
            elapsed,
            self.traffic,
            series=self.series,
            counts=dict(self.counts),
            planned=self.planned,
            **use.shares(elapsed),
        )

    def left(self) -> float:
        """Seconds of sending that are left."""
        return max(0.0, self.stop_at - time.perf_counter())

    def answered(self, sent: float, moment: float) -> None:
        self.tally.ends.append(moment)
        self.tally.service.append(moment - sent)

    def note(self, series: str, seconds: float) -> None:
        self.series.setdefault(series, Samples()).append(seconds)

    def stop(self) -> None:
        self.stop_at = min(self.stop_at, time.perf_counter())

    def fold(self) -> None:
        if self.left():
            self.tally.fold(self.started, self.spec.keep, *self.series.values(), self.traffic.handshakes)

    def abandon(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _repeat(self, one: Callable[[], Awaitable[None]]) -> None:
        # What was cut at the load's end by a timer that fired early must not begin anew.
        while time.perf_counter() < self.stop_at - EARLY_S:
            try:
                await one()
            except ReplyError:
                await asyncio.sleep(min(PAUSE_S, self.left()))

    async def _finished(self) -> None:
        for ended in await asyncio.gather(*self._tasks, return_exceptions=True):
            # Those that were abandoned were cancelled, which is no error.
            if isinstance(ended, Exception):
                raise ended


async def connect(load: StreamLoad) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a connection, and note how long its TLS handshake took, the connecting included.

    Raises:
        ReplyError: ``timeout``, or one of the kinds of ``kind_of``.
    """
    address = load.spec.address
    tls, opened = address.tls, time.perf_counter()
    try:
        async with asyncio.timeout(load.spec.timeout_s):
            if address.path:
                streams = await asyncio.open_unix_connection(address.path)
            elif tls is None:
                streams = await asyncio.open_connection(address.host, address.port)
            else:
                streams = await asyncio.open_connection(
                    address.host, address.port, ssl=tls.context, server_hostname=tls.server_name
                )
                load.traffic.handshakes.append(time.perf_counter() - opened)
    except TimeoutError:
        raise ReplyError("timeout", "no connection within the time-out") from None
    except OSError as error:
        raise ReplyError(kind_of(error), error_text(error)) from None
    load.traffic.connects += 1
    return streams


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
