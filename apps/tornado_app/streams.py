"""Bodies that come piece by piece, and WebSocket."""

from __future__ import annotations

from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketHandler

from apps.backends import awaiting
from apps.contract import inbound, transfer
from apps.contract.inputs import DownloadQuery, EventsQuery
from apps.contract.operations import EVENTS, TEXT
from apps.tornado_app.base import ApiHandler


class Download(ApiHandler):
    async def get(self) -> None:
        query = inbound.read_query(DownloadQuery, self.getlist)
        self.set_header("Content-Type", TEXT)
        try:
            for chunk in transfer.chunks(query.kb):
                self.write(chunk)
                await self.flush()
        except StreamClosedError:
            return


class Events(ApiHandler):
    async def get(self) -> None:
        query = inbound.read_query(EventsQuery, self.getlist)
        self.set_header("Content-Type", EVENTS)
        self.set_header("Cache-Control", "no-cache")
        try:
            for number in range(query.n):
                if number and query.interval_ms:
                    await awaiting.wait(query.interval_ms)
                self.write(transfer.event(number))
                await self.flush()
        except StreamClosedError:
            return


class Echo(WebSocketHandler):
    async def on_message(self, message: str | bytes) -> None:
        await self.write_message(message, binary=isinstance(message, bytes))


routes = [(r"/download", Download), (r"/stream/events", Events), (r"/ws/echo", Echo)]
