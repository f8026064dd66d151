"""Server-sent events (WHATWG HTML, "Server-sent events"): how long until the first one, and the gaps between them."""

from __future__ import annotations

import asyncio
import sys
import time
from codecs import BOM_UTF8

from harness.engine.replies import ReplyError, ReplyReader
from harness.engine.spec import EventsSpec, OnProgress
from harness.engine.streams import StreamLoad, close, connect, read_some
from harness.model.load import LoadResult


class EventSplitter:
    """Counts the events in a stream that arrives in pieces; comments and blocks without data do not count."""

    def __init__(self) -> None:
        self._rest = b""
        self._head: bytes | None = b""
        self._data = self._after_cr = False

    def feed(self, piece: bytes) -> int:
        """How many events this piece completed."""
        if self._head is not None:
            self._head += piece
            if len(self._head) < len(BOM_UTF8) and BOM_UTF8.startswith(self._head):
                return 0
            piece, self._head = self._head.removeprefix(BOM_UTF8), None
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


async def run_events(spec: EventsSpec, on_progress: OnProgress, stop: asyncio.Event) -> LoadResult:
    """Run an ``EventsSpec``.

    A stream counts as answered when it ended whole, or was cut at the load's end, with at least one event. Its service
    time is the time to its first event; ``gap_us`` holds the times between its events.
    """
    load = StreamLoad(spec)
    return await load.run(lambda: _one(spec, load), on_progress, stop)


async def _one(spec: EventsSpec, load: StreamLoad) -> None:
    started = time.perf_counter()
    load.planned += 1
    try:
        first = await _stream(spec, load)
    except ReplyError as fault:
        load.tally.fail(fault.kind, str(fault), time.perf_counter())
        raise
    except asyncio.CancelledError:
        load.tally.give_up([started])
        raise
    if first:
        load.answered(started, first)
    else:
        load.tally.give_up([started])


async def _stream(spec: EventsSpec, load: StreamLoad) -> float:
    """The moment of the first event; 0 if the load ended before it."""
    stream, writer = await connect(load)
    reply, splitter = ReplyReader(limit=sys.maxsize), EventSplitter()
    known = False
    first = last = 0.0
    try:
        writer.write(spec.data)
        while not reply.complete:
            piece = await _piece(stream, load)
            if piece is None:
                load.counts["open_at_end"] += 1
                return first
            if not piece:
                reply.end()
                break
            moment = time.perf_counter()
            reply.feed(piece)
            if not known and reply.status >= 200:
                known = True
                _check_head(reply, load)
            for _ in range(splitter.feed(reply.take())):
                load.counts["events"] += 1
                if first:
                    load.note("gap_us", moment - last)
                first, last = first or moment, moment
    finally:
        await close(writer)
    if not first:
        raise ReplyError("wrong-body", "the stream ended without an event")
    return first


def _check_head(reply: ReplyReader, load: StreamLoad) -> None:
    load.traffic.status[reply.status] += 1
    if reply.status != 200:
        raise ReplyError("wrong-status", f"status {reply.status} instead of 200")
    if reply.media_type != "text/event-stream":
        raise ReplyError("wrong-type", f"{reply.media_type or 'no type'} instead of text/event-stream")


async def _piece(reader: asyncio.StreamReader, load: StreamLoad) -> bytes | None:
    """The next bytes, or ``None`` when the load is over."""
    left, timeout_s = load.left(), load.spec.timeout_s
    try:
        return await read_some(reader, min(timeout_s, max(left, 0.001)))
    except ReplyError as fault:
        # Not whether the load is over now: a timer may fire a moment early.
        if fault.kind == "timeout" and left < timeout_s:
            return None
        raise
    except asyncio.CancelledError:
        # A load that is ended early is over, too.
        if load.left():
            raise
        return None
