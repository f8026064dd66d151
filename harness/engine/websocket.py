"""WebSocket echoes (RFC 6455): each message must come back unchanged, and its round trip is the service time."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from itertools import count

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Ping, RejectConnection, Request, TextMessage
from wsproto.utilities import ProtocolError

from harness.engine.replies import ReplyError
from harness.engine.spec import OnProgress, WebSocketSpec
from harness.engine.streams import StreamLoad, close, connect, read_some
from harness.model.load import LoadResult


async def run_websocket(spec: WebSocketSpec, on_progress: OnProgress, stop: asyncio.Event) -> LoadResult:
    """Run a ``WebSocketSpec``; ``handshake_us`` holds the times from connecting to the accepted upgrade."""
    load = StreamLoad(spec)
    return await load.run(lambda: _Client(spec, load).run(), on_progress, stop)


class _Client:
    """One connection: shakes hands, keeps its messages under way, and drains them at the end."""

    def __init__(self, spec: WebSocketSpec, load: StreamLoad) -> None:
        self._spec, self._load = spec, load
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self._under_way: deque[tuple[float, str]] = deque()
        # No two alike: each begins with its serial number.
        self._messages = (f"{serial}:".ljust(spec.message_bytes, "x") for serial in count())
        self._text = ""

    async def run(self) -> None:
        started, shaken = time.perf_counter(), False
        writer: asyncio.StreamWriter | None = None
        try:
            reader, writer = await connect(self._load)
            await self._shake_hands(reader, writer)
            shaken = True
            self._load.note("handshake_us", time.perf_counter() - started)
            await self._echo(reader, writer)
        except ReplyError as fault:
            # Without a handshake one request has failed; later it is the messages under way that do.
            self._load.planned += not shaken
            self._load.tally.fail(fault.kind, str(fault), time.perf_counter(), len(self._under_way) + (not shaken))
            raise
        except asyncio.CancelledError:
            self._load.tally.give_up([sent for sent, _ in self._under_way])
            raise
        finally:
            if writer is not None:
                await close(writer)

    async def _shake_hands(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        headers = [(name.encode(), value.encode()) for name, value in self._spec.headers]
        writer.write(
            self._protocol.send(Request(host=self._spec.authority, target=self._spec.path, extra_headers=headers))
        )
        while True:
            await self._receive(reader)
            for event in self._protocol.events():
                if isinstance(event, AcceptConnection):
                    self._load.traffic.status[101] += 1
                    return
                if isinstance(event, RejectConnection):
                    status = event.status_code
                    self._load.traffic.status[status] += 1
                    raise ReplyError("wrong-status", f"status {status} instead of 101")

    async def _echo(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(self._spec.in_flight):
            self._send(writer)
        while self._under_way:
            await self._receive(reader)
            moment = time.perf_counter()
            for event in self._protocol.events():
                if isinstance(event, TextMessage):
                    self._text += event.data
                    if event.message_finished:
                        self._echoed(moment)
                        if moment < self._load.stop_at:
                            self._send(writer)
                elif isinstance(event, BytesMessage):
                    raise ReplyError("wrong-body", "a binary message instead of the text sent")
                elif isinstance(event, Ping):
                    writer.write(self._protocol.send(event.response()))
                elif isinstance(event, CloseConnection):
                    raise ReplyError("closed", f"the server closed: {event.code} {event.reason or ''}".rstrip())
        writer.write(self._protocol.send(CloseConnection(code=1000)))

    def _send(self, writer: asyncio.StreamWriter) -> None:
        text = next(self._messages)
        self._under_way.append((time.perf_counter(), text))
        self._load.planned += 1
        writer.write(self._protocol.send(TextMessage(data=text)))

    def _echoed(self, moment: float) -> None:
        text, self._text = self._text, ""
        sent, expected = self._under_way[0]
        if text != expected:
            raise ReplyError("wrong-body", f"{text[:40]!r} instead of {expected[:40]!r}")
        self._under_way.popleft()
        self._load.answered(sent, moment)

    async def _receive(self, reader: asyncio.StreamReader) -> None:
        data = await read_some(reader, self._spec.timeout_s)
        if not data:
            raise ReplyError("truncated" if self._text else "closed", "the server closed the connection")
        try:
            self._protocol.receive_data(data)
        except ProtocolError as error:
            raise ReplyError("malformed", str(error)) from None
