"""ASGI details that no HTTP case reaches: lifespan, WebSocket scopes, and the body limit around Django."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from apps.baseline.asgi import app as baseline
from apps.contract.inbound import MAX_BODY_BYTES
from apps.django_app.limit import Message, Receive, Send, limited


def call(app: Any, scope: Message, messages: Iterable[Message] = ()) -> list[Message]:
    """What ``app`` sends for ``scope`` when it receives ``messages``."""
    incoming, sent = list(messages), []

    async def receive() -> Message:
        return incoming.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent


async def reader(scope: Message, receive: Receive, send: Send) -> None:
    """An app that reads the whole body, as Django does, and answers with its length."""
    length, more = 0, True
    while more:
        message = await receive()
        length += len(message["body"])
        more = message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(length).encode()})


def post(declared: int | None) -> Message:
    headers = [] if declared is None else [(b"content-length", str(declared).encode())]
    return {"type": "http", "method": "POST", "path": "/", "headers": headers}


def body(*sizes: int) -> list[Message]:
    last = len(sizes) - 1
    return [
        {"type": "http.request", "body": b"x" * size, "more_body": number < last} for number, size in enumerate(sizes)
    ]


@pytest.mark.parametrize(
    ("declared", "sizes", "status"),
    [
        (3, (3,), 200),
        (MAX_BODY_BYTES, (MAX_BODY_BYTES,), 200),
        (None, (MAX_BODY_BYTES - 1, 1), 200),
        (MAX_BODY_BYTES + 1, (), 413),
        (None, (MAX_BODY_BYTES, 1), 413),
    ],
)
def test_long_bodies_are_refused_before_they_are_read(
    declared: int | None, sizes: tuple[int, ...], status: int
) -> None:
    start, end = call(limited(reader), post(declared), body(*sizes))
    assert start["status"] == status
    if status == 413:
        assert end["body"] == b'{"detail": "Content Too Large"}'
        assert dict(start["headers"])[b"content-length"] == str(len(end["body"])).encode()
    else:
        assert end["body"] == str(sum(sizes)).encode()


def test_requests_without_a_body_pass_untouched() -> None:
    scope: Message = {"type": "http", "method": "GET", "path": "/", "headers": []}
    assert call(limited(reader), scope, body(0))[0]["status"] == 200


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
