"""One database and one upstream service per process."""

from __future__ import annotations

from apps.backends.async_database import Database
from apps.backends.async_upstream import Upstream

database = Database()
upstream = Upstream()


async def close_resources() -> None:
    await database.close()
    await upstream.close()
