"""Servers that say exactly what a test has them say, and a client that notes each request's outcome."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Request, TextMessage

from apps.contract.case import JSON, Case
from harness.engine.checks import ReplyCheck
from harness.engine.client import Pool
from harness.engine.loops import new_loop
from harness.engine.replies import MAX_REPLY
from harness.engine.spec import Address, WireRequest

CLOSE = object()
RESET = object()
HANG = object()
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n" + b'{"hello":"world"}'


def case(status=200, text=None, json=None, media_type="", **fields):
    """A GET with this reply; no body is compared where there is neither text nor a media type."""
    return Case("hello", "GET", "/", (), b"", status, media_type, json, text, **fields)


HELLO = case(json={"hello": "world"}, media_type=JSON)


def request(method="GET", path="/", expected=HELLO, body=b"", name="hello", weight=1):
    head = f"{method} {path} HTTP/1.1\r\nHost: test\r\n"
    head += f"Content-Length: {len(body)}\r\n" if body else ""
    return WireRequest(replace(expected, name=name, method=method), head.encode() + b"\r\n" + body, weight)


def run(coroutine):
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(coroutine)


async def read_request(reader):
    """One request; ``b""`` when the client closed."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0].strip()
        return head + (await reader.readexactly(int(length)) if length else b"")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


def abort(writer):
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    writer.transport.abort()


async def finish(writer):
    """Close a connection; by force where the peer does not read what is left."""
    writer.close()
    try:
        async with asyncio.timeout(1):
            await writer.wait_closed()
    except (OSError, TimeoutError, asyncio.CancelledError):
        writer.transport.abort()


@asynccontextmanager
async def serving(handler, path=None, host="127.0.0.1"):
    """Serves ``handler(reader, writer)``; yields the address."""
    tasks = set()

    async def guarded(reader, writer):
        task = asyncio.current_task()
        tasks.add(task)
        try:
            await handler(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            await finish(writer)
            tasks.discard(task)

    if path is None:
        server = await asyncio.start_server(guarded, host, 0)
        address = Address(host, server.sockets[0].getsockname()[1])
    else:
        server = await asyncio.start_unix_server(guarded, path)
        address = Address(path=path)
    try:
        yield address
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=5)


def scripted(*scripts, read=True):
    """A handler whose n-th request gets the n-th script (the last one from then on): bytes, pauses, ``CLOSE``, …"""
    state = {"requests": 0, "connections": 0}

    async def handler(reader, writer):
        state["connections"] += 1
        while await read_request(reader) if read else True:
            script = scripts[min(state["requests"], len(scripts) - 1)]
            state["requests"] += 1
            for step in script:
                if step is CLOSE:
                    return
                if step is RESET:
                    abort(writer)
                    return
                if step is HANG:
                    await asyncio.sleep(3600)
                elif isinstance(step, float):
                    await asyncio.sleep(step)
                else:
                    writer.write(step)
                    await writer.drain()
                    # Pieces of their own: the client has a chance to read each alone.
                    await asyncio.sleep(0.0005 if len(script) > 1 else 0)
            if not read:
                return

    handler.state = state
    return handler


def echo(change=lambda text: text, most=10**9, closes=True, deaf=False):
    """A WebSocket server's handler; ``closes``: whether it answers a close frame; ``deaf``: to messages."""

    async def handler(reader, writer):
        protocol, echoed = WSConnection(ConnectionType.SERVER), 0
        while data := await reader.read(65536):
            protocol.receive_data(data)
            for event in protocol.events():
                if isinstance(event, Request):
                    writer.write(protocol.send(AcceptConnection()))
                elif isinstance(event, TextMessage) and not deaf:
                    if echoed == most:
                        return
                    echoed += 1
                    writer.write(
                        protocol.send(TextMessage(data=change(event.data), message_finished=event.message_finished))
                    )
                elif isinstance(event, CloseConnection) and closes:
                    writer.write(protocol.send(event.response()))
                    return

    return handler


@dataclass
class Outcomes:
    """What each request came to, in order: ``right`` or the kind of error."""

    loop: asyncio.AbstractEventLoop
    kinds: list[str] = field(default_factory=list)
    details: list[str] = field(default_factory=list)
    service: list[float] = field(default_factory=list)
    waiting: asyncio.Future | None = None

    def right(self, connection, moment):
        self.service.append(moment - connection.sent)
        self._note("right", "")

    def failed(self, connection, kind, detail):
        self._note(kind, detail)

    def _note(self, kind, detail):
        self.kinds.append(kind)
        self.details.append(detail)
        assert self.waiting is not None
        assert not self.waiting.done(), "a second outcome for one request"
        self.waiting.set_result(None)


async def ask(address, *requests, timeout_s=5.0, limit=MAX_REPLY, pause_s=0.0):
    """Send requests one after the other on one connection; the outcomes and the connection's traffic."""
    loop = asyncio.get_running_loop()
    outcomes = Outcomes(loop)
    pool = Pool(address, 1, outcomes, timeout_s, limit)
    [connection] = pool.connections
    checks = {id(item): ReplyCheck(item) for item in requests}
    try:
        for item in requests:
            outcomes.waiting = loop.create_future()
            connection.send(checks[id(item)], time.perf_counter())
            await asyncio.wait_for(pool.wait(outcomes.waiting), 20)
            await asyncio.sleep(pause_s)
    finally:
        pool.close()
    return outcomes, pool.traffic
