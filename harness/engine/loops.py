"""The event loop of the engine's process, and what every load does around its sending."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from harness.engine.spec import OnProgress, Progress
from harness.engine.tally import Tally
from harness.model.units import US

PROGRESS_S = 0.25
GRACE_S = 0.4
"""After a load was stopped early, how long what is in flight is waited for: all of it must end within a second."""


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


async def unless_stopped(waiting: Coroutine[Any, Any, None], stop: asyncio.Event) -> None:
    """Wait for ``waiting``, or until ``stop`` is set: it is cancelled then."""
    task, stopping = asyncio.ensure_future(waiting), asyncio.ensure_future(stop.wait())
    await asyncio.wait([task, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not task.done():
        task.cancel()
        await asyncio.wait([task])
    elif not task.cancelled():
        task.result()


async def begin_at(moment: float | None, stop: asyncio.Event) -> None:
    """Wait until ``time.perf_counter`` is ``moment``; the clock is the same in all processes of a machine."""
    if moment is not None:
        await unless_stopped(asyncio.sleep(max(0.0, moment - time.perf_counter())), stop)


class Stoppable(Protocol):
    """A load under way."""

    def stop(self) -> None:
        """Send nothing more."""

    def abandon(self) -> None:
        """Count what is in flight as unfinished and end."""

    def fold(self) -> None:
        """Move some of the latencies past the first ``keep`` into histograms."""

    @property
    def tally(self) -> Tally:
        """The results so far."""


async def attend(sending: Awaitable[object], load: Stoppable, on_progress: OnProgress, stop: asyncio.Event) -> None:
    """Wait until ``sending`` is over, report progress, and end it early once ``stop`` is set."""
    task, stopping = asyncio.ensure_future(sending), asyncio.ensure_future(stop.wait())
    started = time.perf_counter()
    while not stopping.done() and not task.done():
        await asyncio.wait([task, stopping], timeout=PROGRESS_S, return_when=asyncio.FIRST_COMPLETED)
        elapsed = time.perf_counter() - started
        on_progress(Progress(elapsed, 0, load.tally.replies, load.tally.latest_s * US))
        load.fold()
    stopping.cancel()
    if not task.done():
        load.stop()
        await asyncio.wait([task], timeout=GRACE_S)
    if not task.done():
        load.abandon()
    await task
