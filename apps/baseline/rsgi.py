"""A raw RSGI application: Granian's own interface."""

from __future__ import annotations

from typing import Any

from apps.baseline import replies
from apps.baseline.asgi import sleep


async def app(scope: Any, protocol: Any) -> None:
    if scope.proto != "http":
        protocol.close(403)
        return
    if scope.method == "GET" and scope.path == "/io/sleep":
        status, media_type, body = await sleep(scope.query_string)
    else:
        status, media_type, body = replies.simple(scope.method, scope.path)
    headers = [("content-type", media_type), ("content-length", str(len(body)))]
    protocol.response_bytes(status, headers, body)
