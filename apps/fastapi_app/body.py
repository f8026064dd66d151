"""Routes whose bodies are of one type, and limited while they are read."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute

from apps.contract import inbound

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class JSONRequest(Request):
    """A request whose body is limited while it is read."""

    async def body(self) -> bytes:
        if not hasattr(self, "_body"):
            self._body = await inbound.collect(self.stream())
        return self._body

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            self._json = inbound.load_json(await self.body())
        return self._json


class JSONRoute(APIRoute):
    """Parses the body before FastAPI does, which would answer 422 or 400 where the contract asks for 400, 413, 415."""

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            inbound.check_head(request.headers.get("content-type"), request.headers.get("content-length"))
            request = JSONRequest(request.scope, request.receive)
            await request.json()
            return await handler(request)

        return handle


class FormRoute(APIRoute):
    """Parses the form before FastAPI does, for the same reason."""

    media, limit = inbound.FORM, inbound.MAX_BODY_BYTES

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            head = request.headers
            inbound.check_form(head.get("content-type"), head.get("content-length"), self.media)
            request = Request(request.scope, inbound.counted(request.receive, self.limit))
            try:
                await request.form()
            except HTTPException as error:
                raise inbound.Refused(400, inbound.MALFORMED_FORM) from error
            return await handler(request)

        return handle


class UploadRoute(FormRoute):
    media, limit = inbound.MULTIPART, inbound.MAX_UPLOAD_BODY_BYTES
