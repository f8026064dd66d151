"""Time-outs of requests in flight."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from harness.load.client import Connection


class Sweeper:
    """Time-outs: one timer that looks over all connections, since a timer per request would cost more than it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, connections: Sequence[Connection], timeout_s: float) -> None:
        self._loop, self._connections, self._timeout = loop, connections, timeout_s
        self._interval = min(0.25, timeout_s / 4)
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._timer = self._loop.call_later(self._interval, self._sweep)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _sweep(self) -> None:
        oldest = time.perf_counter() - self._timeout
        for connection in self._connections:
            if connection.check is not None and connection.sent < oldest:
                connection.expire()
        self.start()
