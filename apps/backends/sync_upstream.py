"""The upstream service through urllib3, one call after the other."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

import urllib3

from apps.contract.inbound import UPSTREAM_DOWN, Refused
from apps.contract.settings import settings

_CONNECTIONS = 64
_CALLS_AT_ONCE = 64


class Upstream:
    """Connections that are opened when they are first needed, and reused."""

    def delays(self, ms: int, calls: int) -> Sequence[dict[str, Any]]:
        """The replies to ``calls`` requests that each take ``ms`` milliseconds; refused (503) when one fails."""
        url = f"{settings().upstream_url}/delay?ms={ms}"
        try:
            return self._all(url, calls)
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise Refused(503, UPSTREAM_DOWN) from error

    def _all(self, url: str, calls: int) -> Sequence[dict[str, Any]]:
        return [self._get(url) for _ in range(calls)]

    def _get(self, url: str) -> dict[str, Any]:
        response = self._connections.request("GET", url)
        if response.status != 200:
            raise ValueError(f"upstream answered {response.status}")
        reply: dict[str, Any] = response.json()
        return reply

    @cached_property
    def _connections(self) -> urllib3.PoolManager:
        timeout = urllib3.Timeout(total=settings().upstream_timeout_s)
        return urllib3.PoolManager(maxsize=_CONNECTIONS, timeout=timeout, retries=False)


class UpstreamInThreads(Upstream):
    """All calls at the same time, in threads that all requests share."""

    def _all(self, url: str, calls: int) -> Sequence[dict[str, Any]]:
        return list(self._threads.map(self._get, [url] * calls))

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(_CALLS_AT_ONCE)
