"""The contract in FastAPI."""

from __future__ import annotations

from fastapi import FastAPI

from apps.fastapi_app import basics, errors, orders, waits


def create_app() -> FastAPI:
    """The application, with its routers and error handlers."""
    app = FastAPI(title="Contract", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    errors.register(app)
    app.include_router(basics.router)
    app.include_router(orders.router)
    app.include_router(waits.router)
    return app


app = create_app()
