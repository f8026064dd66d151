"""The app with CORS for one other origin: Tornado has no middleware, so that every handler sets the headers.

After the reference of ``tornado.web``: ``RequestHandler.set_default_headers``, https://www.tornadoweb.org/.
"""

from __future__ import annotations

from typing import Any

from tornado.web import HTTPError, RequestHandler

from apps.contract.settings import ALLOWED_ORIGIN, CORS_HEADERS, CORS_METHODS
from apps.tornado_app.app import HANDLERS, NotFound, make_app


class Cors(RequestHandler):
    def set_default_headers(self) -> None:
        self.set_header("Vary", "Origin")
        if self.request.headers.get("Origin") == ALLOWED_ORIGIN:
            self.set_header("Access-Control-Allow-Origin", ALLOWED_ORIGIN)

    def options(self, *args: str, **kwargs: str) -> None:
        """Answers the preflight."""
        if "Access-Control-Request-Method" not in self.request.headers:
            raise HTTPError(405)
        if self.request.headers.get("Origin") == ALLOWED_ORIGIN:
            self.set_header("Access-Control-Allow-Methods", ", ".join(CORS_METHODS))
            self.set_header("Access-Control-Allow-Headers", ", ".join(CORS_HEADERS))
        self.set_status(204)


def admitting(handler: type[RequestHandler]) -> Any:
    """The handler, with CORS."""
    return type(handler.__name__, (Cors, handler), {})


app = make_app([(path, admitting(handler), *rest) for path, handler, *rest in HANDLERS], admitting(NotFound))
