"""Connections that stay open during a load, in addition to its own: idle ones, and slow readers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from typing import cast

from harness.engine.client import peers
from harness.engine.spec import LoadSpec
from harness.errors import NotReadyError

AT_ONCE = 200
SETTLE_S = 0.3
RECEIVE_BUFFER = 8192
SPARE_FILES = 512
"""Open files that a process needs besides its connections."""


class _Idle(asyncio.Protocol):
    """Sends one request; whatever it reads, it never closes the connection itself."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.answered = self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).write(self._data)

    def data_received(self, data: bytes) -> None:
        self.answered = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True


class OpenExtra:
    """The extra connections of a load, if it has any; ``close`` counts what became of them."""

    def __init__(self, load: LoadSpec) -> None:
        self._spec = load.extra
        self._family, self._address = peers(load.address)[0]
        self._idle: list[tuple[asyncio.Transport, _Idle]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._received = 0
        self._slow_opened = 0

    async def open(self) -> None:
        """Open all that the server takes within ``open_s``, and wait for the idle ones' replies."""
        deadline = time.perf_counter() + self._spec.open_s
        gate = asyncio.Semaphore(AT_ONCE)
        self._tasks = [asyncio.ensure_future(self._open_idle(gate)) for _ in range(self._spec.idle)]
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=self._spec.open_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        while time.perf_counter() < deadline and not all(idle.answered or idle.lost for _, idle in self._idle):
            await asyncio.sleep(0.02)
        self._tasks = [asyncio.ensure_future(self._read_slowly(number)) for number in range(self._spec.slow)]
        if self._tasks:
            await asyncio.sleep(SETTLE_S + self._spec.slow_pause_s)

    async def close(self) -> dict[str, int]:
        """End them; returns counts by name, empty without extra connections."""
        counts: dict[str, int] = {}
        if self._spec.idle:
            counts |= {
                "idle_opened": len(self._idle),
                "idle_answered": sum(idle.answered for _, idle in self._idle),
                "idle_closed": sum(idle.lost for _, idle in self._idle),
            }
        if self._spec.slow:
            counts |= {"slow_opened": self._slow_opened, "slow_bytes": self._received}
        for transport, _ in self._idle:
            transport.abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._idle, self._tasks = [], []
        return counts

    async def _open_idle(self, gate: asyncio.Semaphore) -> None:
        loop = asyncio.get_running_loop()
        idle = _Idle(self._spec.idle_data)
        async with gate:
            try:
                if self._family == socket.AF_UNIX:
                    transport, _ = await loop.create_unix_connection(lambda: idle, self._address)
                else:
                    transport, _ = await loop.create_connection(lambda: idle, *self._address[:2])
            except OSError:
                return
            self._idle.append((transport, idle))

    async def _read_slowly(self, number: int) -> None:
        # Not all at the same moment: a burst of reads would be a rhythm of its own.
        await asyncio.sleep(self._spec.slow_pause_s * number / self._spec.slow)
        while True:
            try:
                await self._one_slow_reply()
            except OSError:
                await asyncio.sleep(self._spec.slow_pause_s)

    async def _one_slow_reply(self) -> None:
        loop = asyncio.get_running_loop()
        with socket.socket(self._family, socket.SOCK_STREAM) as sock:
            sock.setblocking(False)
            # A small window, so that the server is the one that waits and not the kernel's buffer.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            await loop.sock_connect(sock, self._address)
            self._slow_opened += 1
            await loop.sock_sendall(sock, self._spec.slow_data)
            while data := await loop.sock_recv(sock, self._spec.slow_bytes):
                self._received += len(data)
                await asyncio.sleep(self._spec.slow_pause_s)


def allow_connections(count: int, *, required: bool = False) -> None:
    """Raise this process's limit of open files, which its children inherit, so that ``count`` connections fit.

    Raises:
        NotReadyError: the system allows fewer, and all of them are ``required``.
    """
    try:
        import resource
    except ImportError:
        return
    needed = count + SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        if required:
            raise NotReadyError(
                f"the system allows {hard:,} open files; {count:,} connections need {needed:,}",
                hint=f"raise the limit (ulimit -Hn {needed}), or choose fewer targets (-t) or connections",
            )
        needed = hard
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
