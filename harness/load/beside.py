"""Connections that are held open beside a load: idle ones, and readers that take their time."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from typing import cast

from harness.load.peer import Peer, resolve
from harness.load.spec import Beside, LoadSpec

AT_ONCE = 200
SETTLE_S = 0.3
RECEIVE_BUFFER = 8192
SPARE_FILES = 512
"""Descriptors that the process needs for everything else."""


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


class Held:
    """The open connections; ``close`` tells what became of them."""

    def __init__(self, spec: Beside, peer: Peer) -> None:
        self._spec, self._peer = spec, peer
        self._idle: list[tuple[asyncio.Transport, _Idle]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._received = 0
        self._slow_opened = 0

    async def open(self) -> None:
        """Open all that the server takes within ``open_s``, and wait for the idle ones' replies."""
        deadline = time.perf_counter() + self._spec.open_s
        gate = asyncio.Semaphore(AT_ONCE)
        opening = [asyncio.ensure_future(self._open_idle(gate)) for _ in range(self._spec.idle)]
        if opening:
            _, late = await asyncio.wait(opening, timeout=self._spec.open_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*opening, return_exceptions=True)
        while time.perf_counter() < deadline and not all(idle.answered or idle.lost for _, idle in self._idle):
            await asyncio.sleep(0.02)
        self._tasks = [asyncio.ensure_future(self._read_slowly(number)) for number in range(self._spec.slow)]
        if self._tasks:
            await asyncio.sleep(SETTLE_S + self._spec.slow_pause_s)

    async def close(self) -> dict[str, int]:
        """End them; counts by name, empty where none were asked for."""
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
                if self._peer.family == socket.AF_UNIX:
                    transport, _ = await loop.create_unix_connection(lambda: idle, self._peer.address)
                else:
                    host, port = self._peer.address[:2]
                    transport, _ = await loop.create_connection(lambda: idle, host, port)
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
        with socket.socket(self._peer.family, socket.SOCK_STREAM) as sock:
            sock.setblocking(False)
            # A small window, so that the server is the one that waits and not the kernel's buffer.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            await loop.sock_connect(sock, self._peer.address)
            self._slow_opened += 1
            await loop.sock_sendall(sock, self._spec.slow_data)
            while data := await loop.sock_recv(sock, self._spec.slow_bytes):
                self._received += len(data)
                await asyncio.sleep(self._spec.slow_pause_s)


async def open_beside(spec: LoadSpec) -> Held:
    """The connections beside a load, open; none where its ``beside`` asks for none."""
    allow_files(spec.connections + spec.beside.idle + spec.beside.slow)
    held = Held(spec.beside, resolve(spec.address))
    if spec.beside.idle or spec.beside.slow:
        await held.open()
    return held


def allow_files(connections: int) -> None:
    """Raise this process's limit of open files, as far as the system lets it, so that ``connections`` fit."""
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + SPARE_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
