"""The dependencies that endpoints declare: one database and one upstream service per process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from apps.backends.async_database import Database
from apps.backends.async_upstream import Upstream

Close = Callable[[], Awaitable[None]]

_database = Database()
_upstream = Upstream()
_closing: list[Close] = [_database.close, _upstream.close]


async def database() -> Database:
    return _database


async def upstream() -> Upstream:
    return _upstream


def close_with(close: Close) -> None:
    """Has something of an app's own closed with the rest."""
    _closing.append(close)


async def close_resources() -> None:
    for close in _closing:
        await close()
