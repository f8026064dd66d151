"""What the handlers share: errors as JSON, and JSON bodies that are limited while they are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tornado.web import HTTPError, RequestHandler, stream_request_body

from apps.contract import inbound


class ApiHandler(RequestHandler):
    """Answers errors as the contract words them and adds no header of its own."""

    def compute_etag(self) -> None:
        """No Etag: the other frameworks do not hash their replies."""

    def getlist(self, name: str) -> Sequence[str]:
        return self.get_query_arguments(name, strip=False)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None))[1]
        detail = inbound.DETAILS.get(status_code, self._reason)
        if isinstance(error, inbound.Refused):
            self.set_status(error.status)
            detail = error.detail
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
            if getattr(type(self), method.lower()) is not getattr(RequestHandler, method.lower())
        ]


class NotFoundHandler(ApiHandler):
    """Whatever no route matches."""

    def prepare(self) -> None:
        raise HTTPError(404)


@stream_request_body
class JsonHandler(ApiHandler):
    """Takes a JSON body, which is refused before it is read whole where it is too long."""

    def prepare(self) -> None:
        self.body = bytearray()
        self.refused = False
        if self.request.method == "POST":
            inbound.check_length(self.request.headers.get("Content-Length"))

    def data_received(self, chunk: bytes) -> None:
        self.body += chunk
        if len(self.body) > inbound.MAX_BODY_BYTES and not self.refused:
            self.refused = True
            self.send_error(413)

    async def post(self) -> None:
        if not self.refused:
            inbound.check_media_type(self.request.headers.get("Content-Type"))
            self.finish(self.reply(inbound.load_json(bytes(self.body))))

    def reply(self, value: Any) -> dict[str, Any] | str:
        """The reply to the body's JSON value: what ``finish`` takes."""
        raise NotImplementedError
