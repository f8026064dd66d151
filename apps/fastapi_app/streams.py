"""Bodies that come piece by piece, and WebSocket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, WebSocket
from fastapi.responses import StreamingResponse

from apps.backends import awaiting
from apps.contract import transfer
from apps.contract.inputs import DownloadQuery, EventsQuery
from apps.contract.operations import EVENTS, TEXT
from apps.fastapi_app.errors import refusals

router = APIRouter()


TEXT_REPLY: dict[int | str, dict[str, Any]] = {200: {"content": {TEXT: {"schema": {"type": "string"}}}}}
EVENTS_REPLY: dict[int | str, dict[str, Any]] = {200: {"content": {EVENTS: {}}}}


@router.get("/download", response_class=StreamingResponse, responses={**TEXT_REPLY, **refusals(422)})
async def download(query: Annotated[DownloadQuery, Query()]) -> StreamingResponse:
    async def body() -> AsyncIterator[bytes]:
        for chunk in transfer.chunks(query.kb):
            yield chunk

    return StreamingResponse(body(), media_type=TEXT)


@router.get("/stream/events", response_class=StreamingResponse, responses={**EVENTS_REPLY, **refusals(422)})
async def events(query: Annotated[EventsQuery, Query()]) -> StreamingResponse:
    async def body() -> AsyncIterator[bytes]:
        for number in range(query.n):
            if number and query.interval_ms:
                await awaiting.wait(query.interval_ms)
            yield transfer.event(number)

    return StreamingResponse(body(), media_type=EVENTS, headers={"Cache-Control": "no-cache"})


@router.websocket("/ws/echo")
async def echo(socket: WebSocket) -> None:
    await socket.accept()
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        if (text := message.get("text")) is not None:
            await socket.send_text(text)
        else:
            await socket.send_bytes(message["bytes"])
