"""The upstream service through aiohttp, all calls at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import aiohttp

from apps.contract.inbound import UPSTREAM_DOWN, Refused
from apps.contract.settings import settings


class Upstream:
    """A session that is opened when it is first needed."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def delays(self, ms: int, calls: int) -> Sequence[dict[str, Any]]:
        """The replies to ``calls`` requests that each take ``ms`` milliseconds; refused (503) when one fails."""
        session, url = self._opened(), f"{settings().upstream_url}/delay?ms={ms}"
        try:
            return await self._all(session, url, calls)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Refused(503, UPSTREAM_DOWN) from error

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                timeout=aiohttp.ClientTimeout(total=settings().upstream_timeout_s),
            )
        return self._session

    async def _all(self, session: aiohttp.ClientSession, url: str, calls: int) -> Sequence[dict[str, Any]]:
        return await asyncio.gather(*(self._get(session, url) for _ in range(calls)))

    async def _get(self, session: aiohttp.ClientSession, url: str) -> dict[str, Any]:
        async with session.get(url, raise_for_status=True) as response:
            reply: dict[str, Any] = await response.json()
            return reply


class UpstreamInTurn(Upstream):
    """One call after the other."""

    async def _all(self, session: aiohttp.ClientSession, url: str, calls: int) -> Sequence[dict[str, Any]]:
        return [await self._get(session, url) for _ in range(calls)]
