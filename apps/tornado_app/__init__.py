"""The contract in Tornado, on its own server."""

from __future__ import annotations

from tornado.web import Application

from apps.tornado_app import basics, orders, waits
from apps.tornado_app.base import NotFoundHandler


def create_app() -> Application:
    """The application, with its handlers; it logs no access."""
    return Application(
        [*basics.routes, *orders.routes, *waits.routes],
        default_handler_class=NotFoundHandler,
        log_function=lambda handler: None,
    )


app = create_app()
