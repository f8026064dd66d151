"""The contract in Starlette."""

from __future__ import annotations

from starlette.applications import Starlette

from apps.starlette_app import basics, errors, orders, waits


def create_app() -> Starlette:
    """The application, with its routes and error handlers."""
    app = Starlette(
        routes=[*basics.routes, *orders.routes, *waits.routes],
        exception_handlers=errors.handlers,
    )
    app.router.redirect_slashes = False
    return app


app = create_app()
