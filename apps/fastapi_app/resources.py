"""The dependencies that endpoints declare: one database and one upstream service per process."""

from __future__ import annotations

from apps.backends.async_database import Database
from apps.backends.async_upstream import Upstream

_database = Database()
_upstream = Upstream()


async def database() -> Database:
    return _database


async def upstream() -> Upstream:
    return _upstream


async def close_resources() -> None:
    await _database.close()
    await _upstream.close()
