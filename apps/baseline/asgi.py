"""A raw ASGI application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from apps.backends import awaiting
from apps.baseline import replies
from apps.contract import domain
from apps.contract.inbound import Refused

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


async def app(scope: Message, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await _http(scope, send)
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close"})
    else:
        await _lifespan(receive, send)


async def _http(scope: Message, send: Send) -> None:
    method, path = scope["method"], scope["path"]
    if method == "GET" and path == "/io/sleep":
        status, media_type, body = await sleep(scope["query_string"].decode("latin-1"))
    else:
        status, media_type, body = replies.simple(method, path)
    headers = [(b"content-type", media_type.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def sleep(query_string: str) -> replies.Reply:
    try:
        query = replies.wait_query(query_string)
    except Refused as refused:
        return replies.refusal(refused)
    await awaiting.wait(query.ms)
    return replies.as_json(domain.waited(query.ms))


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
