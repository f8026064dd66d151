"""What the handlers share: errors as JSON, CORS, and bodies that are limited while they are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tornado.web import HTTPError, RequestHandler, stream_request_body

from apps.contract import inbound
from apps.contract.settings import ALLOWED_ORIGIN, CORS_HEADERS, CORS_METHODS


class ApiHandler(RequestHandler):
    """Answers errors as the contract words them and adds no header of its own; admits one other origin."""

    def set_default_headers(self) -> None:
        self.set_header("Vary", "Origin")
        if self.request.headers.get("Origin") == ALLOWED_ORIGIN:
            self.set_header("Access-Control-Allow-Origin", ALLOWED_ORIGIN)

    def options(self, *args: str) -> None:
        """The preflight of CORS; any other ``OPTIONS`` is refused, as in the other apps."""
        if "Access-Control-Request-Method" not in self.request.headers:
            raise HTTPError(405)
        if self.request.headers.get("Origin") == ALLOWED_ORIGIN:
            self.set_header("Access-Control-Allow-Methods", ", ".join(CORS_METHODS))
            self.set_header("Access-Control-Allow-Headers", ", ".join(CORS_HEADERS))
        self.set_status(204)

    def compute_etag(self) -> None:
        """No Etag: the other frameworks do not hash their replies."""

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """Wrong UTF-8 is replaced, as in the other frameworks, and left to the validator."""
        return value.decode("utf-8", "replace")

    def getlist(self, name: str) -> Sequence[str]:
        return self.get_query_arguments(name, strip=False)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None))[1]
        detail = inbound.DETAILS.get(status_code, self._reason)
        if isinstance(error, inbound.Refused):
            self.set_status(error.status)
            detail = error.detail
            for name, value in error.headers:
                self.set_header(name, value)
        if self.get_status() == 405:
            self.set_header("Allow", ", ".join(self._allowed()))
        if self.get_status() == 413:
            # Tornado closes the connection when the rest of a body is not read, but does not say so by itself.
            self.set_header("Connection", "close")
        self.finish({"detail": detail})

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if not isinstance(value, inbound.Refused):
            super().log_exception(typ, value, tb)

    def _allowed(self) -> list[str]:
        return [
            method
            for method in self.SUPPORTED_METHODS
            if method != "OPTIONS"
            and getattr(type(self), method.lower()) is not getattr(RequestHandler, method.lower())
        ]


class NotFoundHandler(ApiHandler):
    """Whatever no route matches."""

    def prepare(self) -> None:
        raise HTTPError(404)


@stream_request_body
class BodyHandler(ApiHandler):
    """Takes a body, which is refused before it is read whole where it is too long."""

    limit = inbound.MAX_BODY_BYTES

    def prepare(self) -> None:
        self.body = bytearray()
        self.refused = False
        if self.request.method == "POST":
            self.request.connection.set_max_body_size(2 * self.limit)
            inbound.check_length(self.request.headers.get("Content-Length"), self.limit)

    def data_received(self, chunk: bytes) -> None:
        self.body += chunk
        if len(self.body) > self.limit and not self.refused:
            self.refused = True
            self.send_error(413)

    async def post(self) -> None:
        if not self.refused:
            await self.take(bytes(self.body))

    async def take(self, body: bytes) -> None:
        """Answers a request with this body."""
        raise NotImplementedError


class JsonHandler(BodyHandler):
    """Takes a JSON body."""

    async def take(self, body: bytes) -> None:
        inbound.check_media_type(self.request.headers.get("Content-Type"))
        self.finish(await self.reply(inbound.load_json(body)))

    async def reply(self, value: Any) -> dict[str, Any] | str:
        """The reply to the body's JSON value: what ``finish`` takes."""
        raise NotImplementedError
