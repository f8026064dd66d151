"""The engine's process: ``python -m harness.engine.child FD``.

It takes orders from a socket and answers there. It has its CPUs to itself, and ends when the parent's socket closes.
"""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

from harness.engine import soundness
from harness.engine.closedloop import run_closed
from harness.engine.engine import Fault, Signal, received
from harness.engine.extra import allow_connections
from harness.engine.loops import new_loop
from harness.engine.openloop import run_open
from harness.engine.slices import SliceRunner
from harness.engine.spec import EventsSpec, LoadSpec, OnProgress, SlicesResult, SlicesSpec, WireLoad
from harness.engine.sse import run_events
from harness.engine.websocket import run_websocket
from harness.model.load import LoadResult

Answer = LoadResult | SlicesResult


async def carry_out(order: WireLoad | SlicesSpec, on_progress: OnProgress, stop: asyncio.Event) -> Answer:
    """Run one order in this event loop."""
    if isinstance(order, SlicesSpec):
        allow_connections(sum(side.connections for side in order.sides))
        return await SliceRunner(order, on_progress, stop).run()
    result = replace(await _sent(order, on_progress, stop), interrupted=stop.is_set())
    return replace(result, reasons=soundness.reasons(result, order))


async def _sent(order: WireLoad, on_progress: OnProgress, stop: asyncio.Event) -> LoadResult:
    extra = order.extra.idle + order.extra.slow if isinstance(order, LoadSpec) else 0
    allow_connections(order.connections + extra)
    if isinstance(order, LoadSpec):
        return await (run_closed if order.rate is None else run_open)(order, on_progress, stop)
    if isinstance(order, EventsSpec):
        return await run_events(order, on_progress, stop)
    return await run_websocket(order, on_progress, stop)


async def serve(connection: Connection[Any, Any]) -> None:
    """Take orders one after the other, until the parent's end of the socket closes."""
    orders: asyncio.Queue[WireLoad | SlicesSpec] = asyncio.Queue()
    stop = asyncio.Event()

    def receive() -> None:
        message = received(connection)
        if message is Signal.STOP:
            stop.set()
        else:
            stop.clear()
            orders.put_nowait(message)

    asyncio.get_running_loop().add_reader(connection.fileno(), receive)
    # libuv makes what it watches non-blocking, and an answer may be larger than the socket's buffer.
    os.set_blocking(connection.fileno(), True)
    connection.send(Signal.READY)
    while True:
        order = await orders.get()
        try:
            answer: Answer | Fault = await carry_out(order, connection.send, stop)
        except Exception as error:
            answer = Fault.of(error)
        connection.send(answer)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(serve(Connection(int(sys.argv[1]))))
