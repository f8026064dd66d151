"""Refuses a long body under ASGI, where Django reads every body whole before it looks for a view."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from apps.contract.inbound import MAX_BODY_BYTES, MAX_UPLOAD_BODY_BYTES, Refused, check_length, counted

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

_BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})


def limited(application: Application) -> Application:
    """``application``, but for bodies past the contract's limits, declared or sent, which are answered with 413."""

    async def limit(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in _BODILESS:
            await application(scope, receive, send)
            return
        length = dict(scope["headers"]).get(b"content-length", b"")
        most = MAX_UPLOAD_BODY_BYTES if scope["path"] == "/upload" else MAX_BODY_BYTES
        try:
            check_length(length.decode("latin-1"), most)
            await application(scope, counted(receive, most), send)
        except Refused as refused:
            await _answer(send, refused)

    return limit


async def _answer(send: Send, refused: Refused) -> None:
    body = json.dumps({"detail": refused.detail}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
