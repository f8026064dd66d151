"""The event loop of the engine's process, and what every load does around its sending."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from harness.load.spec import Progress
from harness.units import US

PROGRESS_S = 0.25
GRACE_S = 1.0
"""After a load was stopped early, how long what is in flight is waited for."""


def new_loop() -> asyncio.AbstractEventLoop:
    """A uvloop where there is one, else an asyncio loop that can watch sockets."""
    try:
        import uvloop
    except ImportError:
        return asyncio.SelectorEventLoop()
    return uvloop.new_event_loop()


@contextmanager
def no_collections() -> Iterator[None]:
    """Keep the garbage collector from pausing the sender."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


async def begin_at(moment: float | None) -> None:
    """Wait until ``time.perf_counter`` is ``moment``; the clock is the same in all processes of a machine."""
    if moment is not None:
        await asyncio.sleep(max(0.0, moment - time.perf_counter()))


class Stoppable(Protocol):
    """A load under way."""

    def stop(self) -> None:
        """Send nothing more."""

    def abandon(self) -> None:
        """Count what is in flight as unfinished and end."""

    def replies_so_far(self) -> int:
        """Right replies up to now."""

    def latest_s(self) -> float:
        """Service time of the last of them; 0 where there is none."""


async def attend(
    sending: Awaitable[None], load: Stoppable, on_progress: Callable[[Progress], None], stop: asyncio.Event
) -> None:
    """Wait until ``sending`` is over, report progress, and end it early once ``stop`` is set."""
    task = asyncio.ensure_future(sending)
    started, stopped_at = time.perf_counter(), 0.0
    while not (await asyncio.wait([task], timeout=PROGRESS_S))[0]:
        now = time.perf_counter()
        on_progress(Progress("load", now - started, 0, load.replies_so_far(), load.latest_s() * US))
        if stop.is_set() and not stopped_at:
            stopped_at = now
            load.stop()
        if stopped_at and now - stopped_at > GRACE_S:
            load.abandon()
    await task
