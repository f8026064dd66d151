"""Bodies that come piece by piece, and WebSocket."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from apps.backends import awaiting
from apps.contract import inbound, transfer
from apps.contract.inputs import DownloadQuery, EventsQuery
from apps.contract.operations import EVENTS, TEXT


async def download(request: Request) -> StreamingResponse:
    query = inbound.read_query(DownloadQuery, request.query_params.getlist)

    async def body() -> AsyncIterator[bytes]:
        for chunk in transfer.chunks(query.kb):
            yield chunk

    return StreamingResponse(body(), media_type=TEXT)


async def events(request: Request) -> StreamingResponse:
    query = inbound.read_query(EventsQuery, request.query_params.getlist)

    async def body() -> AsyncIterator[bytes]:
        for number in range(query.n):
            if number and query.interval_ms:
                await awaiting.wait(query.interval_ms)
            yield transfer.event(number)

    return StreamingResponse(body(), media_type=EVENTS, headers={"Cache-Control": "no-cache"})


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


routes = [Route("/download", download), Route("/stream/events", events), WebSocketRoute("/ws/echo", echo)]
