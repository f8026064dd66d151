"""A raw RSGI application: Granian's own interface."""

from __future__ import annotations

from typing import Any

from apps.backends import awaiting
from apps.baseline import replies
from apps.contract import domain
from apps.contract.inbound import Refused


async def app(scope: Any, protocol: Any) -> None:
    if scope.proto != "http":
        protocol.close(403)
        return
    if scope.method == "GET" and scope.path == "/io/sleep":
        status, media_type, body = await _sleep(scope.query_string)
    else:
        status, media_type, body = replies.simple(scope.method, scope.path)
    headers = [("content-type", media_type), ("content-length", str(len(body)))]
    protocol.response_bytes(status, headers, body)


async def _sleep(query_string: str) -> replies.Reply:
    try:
        query = replies.wait_query(query_string)
    except Refused as refused:
        return replies.refusal(refused)
    await awaiting.wait(query.ms)
    return replies.as_json(domain.waited(query.ms))
