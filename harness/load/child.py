"""The engine's process: ``python -m harness.load.child FD [CPU,CPU…]``.

It takes orders from a socket and answers there, alone on its CPUs. It ends when its parent does: the socket then ends.
"""

from __future__ import annotations

import asyncio
import os
import sys
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from harness.load.closedloop import run_closed
from harness.load.loops import new_loop
from harness.load.messages import Answer, Fault, Order, Ready, Stop
from harness.load.openloop import run_open
from harness.load.slot import SlotRunner
from harness.load.spec import EventsSpec, LoadSpec, Progress, SlotSpec
from harness.load.sse import run_events
from harness.load.websocket import run_websocket


async def carry_out(order: Order, on_progress: Callable[[Progress], None], stop: asyncio.Event) -> Answer:
    """Run one order in this event loop."""
    if isinstance(order, SlotSpec):
        return await SlotRunner(order, on_progress, stop).run()
    if isinstance(order, LoadSpec):
        return await (run_closed if order.rate is None else run_open)(order, on_progress, stop)
    if isinstance(order, EventsSpec):
        return await run_events(order, on_progress, stop)
    return await run_websocket(order, on_progress, stop)


async def serve(connection: Connection[Any, Any]) -> None:
    """Take orders one after the other, until the parent's end of the socket closes."""
    orders: asyncio.Queue[Order] = asyncio.Queue()
    stop = asyncio.Event()

    def receive() -> None:
        try:
            message = connection.recv()
        except (EOFError, OSError):
            # Not an orderly return: a load may be under way, and nobody is there to receive it.
            os._exit(0)
        if isinstance(message, Stop):
            stop.set()
        else:
            stop.clear()
            orders.put_nowait(message)

    asyncio.get_running_loop().add_reader(connection.fileno(), receive)
    # libuv makes what it watches non-blocking, and an answer may be larger than the socket's buffer.
    os.set_blocking(connection.fileno(), True)
    connection.send(Ready())
    while True:
        order = await orders.get()
        try:
            answer: Answer | Fault = await carry_out(order, connection.send, stop)
        except Exception as error:
            answer = Fault(f"{type(error).__name__}: {error}", traceback.format_exc())
        connection.send(answer)


def main(arguments: list[str]) -> None:
    """Pin this process to the CPUs named and serve the socket named."""
    if len(arguments) > 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, map(int, arguments[1].split(",")))
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(serve(Connection(int(arguments[0]))))


if __name__ == "__main__":
    main(sys.argv[1:])
