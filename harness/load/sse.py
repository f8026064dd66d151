"""Server-sent events (WHATWG HTML, "Server-sent events"): how long until the first one, and the gaps between them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import httptools

from harness.load.spec import EventsSpec, LoadMeasurement, Progress
from harness.load.streams import StreamFault, StreamTally, close, connect, read_some, run_streams


class EventSplitter:
    """Counts the events in a stream that comes in pieces; comments and blocks without data are none."""

    def __init__(self) -> None:
        self._rest = b""
        self._data = self._after_cr = False

    def feed(self, piece: bytes) -> int:
        """How many events this piece completed."""
        if self._after_cr and piece.startswith(b"\n"):
            piece = piece[1:]
        if not piece:
            return 0
        self._after_cr = piece.endswith(b"\r")
        # A line ends at CR LF, LF or CR; a CR at the piece's end may be the first half of CR LF.
        lines = (self._rest + piece).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._rest = lines.pop()
        events = 0
        for line in lines:
            if not line:
                events += self._data
                self._data = False
            elif line == b"data" or line.startswith(b"data:"):
                self._data = True
        return events


class _Reply:
    def __init__(self) -> None:
        self.parser: Any = httptools.HttpResponseParser(self)
        self.pieces: list[bytes] = []
        self.media_type = ""
        self.headers_done = self.complete = self.delimited = False

    def on_header(self, name: bytes, value: bytes) -> None:
        lowered = name.lower()
        if lowered == b"content-type":
            self.media_type = value.partition(b";")[0].strip().lower().decode("latin-1")
        elif lowered in (b"content-length", b"transfer-encoding"):
            self.delimited = True

    def on_headers_complete(self) -> None:
        self.headers_done = True

    def on_body(self, body: bytes) -> None:
        self.pieces.append(body)

    def on_message_complete(self) -> None:
        self.complete = True


async def run_events(spec: EventsSpec, on_progress: Callable[[Progress], None], stop: asyncio.Event) -> LoadMeasurement:
    """Run an ``EventsSpec``.

    A stream counts as answered when it ended whole, or was cut at the load's end, with at least one event. Its service
    time is the time to its first event; ``gap_us`` holds the times between its events.
    """
    tally = StreamTally(spec.duration_s)
    return await run_streams(tally, spec.connections, lambda: _one(spec, tally), on_progress, stop)


async def _one(spec: EventsSpec, tally: StreamTally) -> None:
    started = time.perf_counter()
    tally.planned += 1
    try:
        first = await _stream(spec, tally, started)
    except StreamFault as fault:
        tally.fail(fault.kind, str(fault))
        raise
    except asyncio.CancelledError:
        tally.unfinished += 1
        raise
    if first:
        tally.answered(started, first)
    else:
        tally.unfinished += 1


async def _stream(spec: EventsSpec, tally: StreamTally, started: float) -> float:
    """The moment of the first event; 0 where the load's end came before it."""
    reader, writer = await connect(spec.address, spec.timeout_s)
    tally.connects += 1
    reply, splitter = _Reply(), EventSplitter()
    first = last = 0.0
    try:
        writer.write(spec.data)
        while not reply.complete:
            piece = await _piece(reader, spec.timeout_s, tally)
            if piece is None:
                return first
            if not piece:
                if not reply.headers_done or reply.delimited:
                    raise StreamFault("truncated", "the server closed in the middle of the stream")
                break
            moment = time.perf_counter()
            for _ in range(_events(reply, splitter, piece, tally)):
                if first:
                    tally.note("gap_us", moment - last)
                first, last = first or moment, moment
    finally:
        await close(writer)
    if not first:
        raise StreamFault("wrong-body", "the stream ended without an event")
    return first


async def _piece(reader: asyncio.StreamReader, timeout_s: float, tally: StreamTally) -> bytes | None:
    """The next bytes, or ``None`` when the load is over."""
    left = tally.left()
    try:
        return await read_some(reader, min(timeout_s, max(left, 0.001)))
    except StreamFault as fault:
        # Not whether the load is over now: a timer may fire a moment early.
        if fault.kind == "timeout" and left < timeout_s:
            return None
        raise


def _events(reply: _Reply, splitter: EventSplitter, piece: bytes, tally: StreamTally) -> int:
    known = reply.headers_done
    try:
        reply.parser.feed_data(piece)
    except httptools.HttpParserError as error:
        raise StreamFault("malformed", f"not HTTP/1: {error}") from None
    if reply.headers_done and not known:
        status = reply.parser.get_status_code()
        tally.status[status] = tally.status.get(status, 0) + 1
        if status != 200:
            raise StreamFault("wrong-status", f"status {status} instead of 200")
        if reply.media_type != "text/event-stream":
            raise StreamFault("wrong-type", f"{reply.media_type or 'no type'} instead of text/event-stream")
    pieces, reply.pieces = reply.pieces, []
    return sum(map(splitter.feed, pieces))
