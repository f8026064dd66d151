"""ASGI details that no HTTP case reaches: lifespan, WebSocket scopes, and bodies that declare no length."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, MutableMapping
from typing import Any

import pytest

from apps.baseline.asgi import app as baseline
from apps.contract.inbound import MAX_BODY_BYTES
from apps.contract.payloads import order
from apps.django_app.asgi import application as django
from apps.fastapi_app import app as fastapi
from apps.starlette_app import app as starlette

Message = MutableMapping[str, Any]
ORDER = json.dumps(order(1)).encode()


def call(app: Any, scope: Message, messages: Iterable[Message] = ()) -> list[Message]:
    """What ``app`` sends for ``scope`` when it receives ``messages``."""
    incoming, sent = list(messages), []

    async def receive() -> Message:
        if not incoming:
            await asyncio.Event().wait()
        return incoming.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent


def test_baseline_lifespan() -> None:
    sent = call(baseline, {"type": "lifespan"}, [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    assert [message["type"] for message in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_baseline_refuses_a_websocket() -> None:
    sent = call(baseline, {"type": "websocket", "path": "/ws/echo"}, [{"type": "websocket.connect"}])
    assert sent == [{"type": "websocket.close"}]


def test_baseline_answers_unknown_paths_with_json() -> None:
    start, end = call(baseline, {"type": "http", "method": "GET", "path": "/nowhere", "query_string": b""})
    assert start["status"] == 404
    assert end["body"] == b'{"detail":"Not Found"}'


@pytest.mark.parametrize(
    ("body", "status"),
    [(ORDER, 200), (ORDER.ljust(MAX_BODY_BYTES), 200), (ORDER.ljust(MAX_BODY_BYTES + 1), 413), (ORDER[:-1], 400)],
    ids=["short", "at-the-limit", "past-the-limit", "cut"],
)
@pytest.mark.parametrize("app", [django, fastapi, starlette], ids=["django", "fastapi", "starlette"])
def test_chunked_bodies(app: Any, body: bytes, status: int) -> None:
    scope = {"type": "http", "method": "POST", "path": "/orders/validated", "query_string": b"", "scheme": "http"}
    headers = [(b"host", b"localhost"), (b"content-type", b"application/json"), (b"transfer-encoding", b"chunked")]
    half = len(body) // 2
    pieces = [{"type": "http.request", "body": body[:half], "more_body": True}]
    pieces.append({"type": "http.request", "body": body[half:], "more_body": False})
    start, end = call(app, {**scope, "headers": headers}, pieces)
    assert start["status"] == status
    named = {name.lower(): value for name, value in start["headers"]}
    assert named[b"content-type"] == b"application/json"
    assert ("total_cents" in json.loads(end["body"])) == (status == 200)
