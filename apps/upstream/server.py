"""``python -m apps.upstream.server HOST PORT``: a small HTTP/1.1 server that never is the limit.

- ``GET /delay?ms=N`` answers ``{"delayed_ms":N}`` after N milliseconds and counts the request;
- ``GET /count`` answers ``{"requests":N}``, the delays requested since the start or the last reset;
- ``GET /reset`` sets the count to 0;
- ``GET /health`` answers at once.

It speaks just enough HTTP for that: requests without a body, on connections that stay open.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import cast

MAX_HEAD_BYTES = 65_536
MAX_MS = 60_000
END = b"\r\n\r\n"


class Count:
    """Requests for a delay so far."""

    def __init__(self) -> None:
        self.requests = 0


class Connection(asyncio.Protocol):
    """One client. Replies leave in the order of the requests, since a client waits for one before it sends the next."""

    def __init__(self, count: Count) -> None:
        self._count = count
        self._buffer = b""
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(END)) >= 0:
            head, self._buffer = self._buffer[:end], self._buffer[end + len(END) :]
            self._answer(head.split(b"\r\n", 1)[0].split(b" "))
        if len(self._buffer) > MAX_HEAD_BYTES:
            self._transport.close()

    def _answer(self, line: list[bytes]) -> None:
        path, _, query = (line[1] if len(line) == 3 else b"").partition(b"?")
        if path == b"/delay" and query.startswith(b"ms=") and query[3:].isdigit() and int(query[3:]) <= MAX_MS:
            self._count.requests += 1
            delay = int(query[3:])
            body = b'{"delayed_ms":%d}' % delay
            if delay:
                self._loop.call_later(delay / 1000, self._send, b"200 OK", body)
            else:
                self._send(b"200 OK", body)
        elif path == b"/count":
            self._send(b"200 OK", b'{"requests":%d}' % self._count.requests)
        elif path == b"/reset":
            self._count.requests = 0
            self._send(b"200 OK", b'{"requests":0}')
        elif path == b"/health":
            self._send(b"200 OK", b'{"status":"ok"}')
        else:
            self._send(b"404 Not Found", b'{"detail":"Not Found"}')

    def _send(self, status: bytes, body: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(
                b"HTTP/1.1 "
                + status
                + b"\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
                + body
            )


async def serve(host: str, port: int) -> None:
    """Serves until it is cancelled."""
    count = Count()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(count), host, port, backlog=4_096)
    async with server:
        await server.serve_forever()


def main(host: str, port: str) -> None:
    try:
        import uvloop

        run = uvloop.run
    except ImportError:
        run = asyncio.run
    with contextlib.suppress(KeyboardInterrupt):
        run(serve(host, int(port)))


if __name__ == "__main__":
    main(*sys.argv[1:])
