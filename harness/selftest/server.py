"""A server whose every reply is known beforehand: one request at a time, first come first served, a set service time.

``python -m harness.selftest.server SECONDS`` prints its port. ``GET /missing`` gets a 404, served alike.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from harness.config.placement import confine
from harness.engine.spec import Address
from harness.errors import NotReadyError

BODY = b"served"
REPLY = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\n" + BODY
MISSING = REPLY.replace(b"200 OK", b"404 Not Found")
POLL_S = 0.0015
LATE_S = 0.005
"""Late by more than this, the server was stopped, and the service of the next request begins only now."""


@dataclass(frozen=True, slots=True)
class RunningServer:
    address: Address
    process: subprocess.Popen[bytes]


@contextmanager
def queue_server(service_s: float, cpus: tuple[int, ...] = ()) -> Iterator[RunningServer]:
    """A server process with ``service_s`` seconds of service per request, stopped on leaving.

    Raises:
        NotReadyError: it did not come up.
    """
    arguments = [sys.executable, "-P", "-m", "harness.selftest.server", repr(service_s)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise NotReadyError("the queue server did not start")
            confine(process.pid, cpus[:1])
            yield RunningServer(Address(port=int(line)), process)
        finally:
            process.kill()


class _Queue:
    def __init__(self, service_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._service = service_s
        self._waiting: deque[tuple[float, asyncio.Transport, bytes]] = deque()
        self._due = 0.0

    def arrive(self, transport: asyncio.Transport, reply: bytes) -> None:
        now = time.perf_counter()
        self._waiting.append((now, transport, reply))
        if len(self._waiting) == 1:
            self._due = now + self._service
            self._tick()

    def _tick(self) -> None:
        now = time.perf_counter()
        if now >= self._due:
            _, transport, reply = self._waiting.popleft()
            transport.write(reply)
            if not self._waiting:
                return
            # From when it was due, not from now: lateness of timers must not add up over a busy period.
            free = self._due if now - self._due < LATE_S else now
            self._due = max(free, self._waiting[0][0]) + self._service
        if self._due - now > POLL_S:
            self._loop.call_later(self._due - now - POLL_S, self._tick)
        else:
            self._loop.call_soon(self._tick)


class _Client(asyncio.Protocol):
    def __init__(self, queue: _Queue) -> None:
        self._queue = queue
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        while b"\r\n\r\n" in self._data:
            head, _, self._data = self._data.partition(b"\r\n\r\n")
            self._queue.arrive(self._transport, MISSING if head.startswith(b"GET /missing") else REPLY)


async def _serve(service_s: float) -> None:
    queue = _Queue(service_s)
    server = await asyncio.get_running_loop().create_server(lambda: _Client(queue), "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1])))
