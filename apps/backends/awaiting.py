"""I/O that leaves the event loop free."""

from __future__ import annotations

import asyncio
from typing import Any

from apps.backends import blocking
from apps.contract import security


async def wait(ms: int) -> None:
    """Sleeps for ``ms`` milliseconds."""
    await asyncio.sleep(ms / 1000)


async def file_sum(name: str) -> dict[str, Any]:
    """``blocking.file_sum`` in a thread: no system reads files without blocking one."""
    return await asyncio.to_thread(blocking.file_sum, name)


async def authenticate(username: str, password: str) -> security.Account:
    """Checks a password in a thread, since Argon2 releases the interpreter while it works."""
    return await asyncio.to_thread(security.authenticate, username, password)
