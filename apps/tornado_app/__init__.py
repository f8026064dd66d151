"""The contract in Tornado, on its own server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tornado.web import Application

from apps.tornado_app import basics, documents, io, orders, products, streams, upload, users, waits
from apps.tornado_app.base import NotFoundHandler


def create_app(waiting: Sequence[tuple[str, Any]] = waits.routes) -> Application:
    """The application, with its handlers; it logs no access.

    Args:
        waiting: the routes that wait.
    """
    modules = (basics, orders, io, products, users, upload, streams, documents)
    return Application(
        [*waiting, *(route for module in modules for route in module.routes)],
        default_handler_class=NotFoundHandler,
        log_function=lambda handler: None,
    )


app = create_app()
