"""I/O that leaves the event loop free."""

from __future__ import annotations

import asyncio


async def wait(ms: int) -> None:
    """Sleeps for ``ms`` milliseconds."""
    await asyncio.sleep(ms / 1000)
