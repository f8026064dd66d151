"""The contract in Starlette."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from apps.contract.settings import ALLOWED_ORIGIN, CORS_HEADERS, CORS_METHODS
from apps.starlette_app import basics, documents, errors, io, orders, products, streams, upload, users, waits
from apps.starlette_app.resources import close_resources


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    yield
    await close_resources()


def create_app() -> Starlette:
    """The application, with its routes and error handlers."""
    modules = (basics, orders, waits, io, products, users, upload, streams, documents)
    cors = Middleware(
        CORSMiddleware, allow_origins=[ALLOWED_ORIGIN], allow_methods=CORS_METHODS, allow_headers=CORS_HEADERS
    )
    app = Starlette(
        routes=[route for module in modules for route in module.routes],
        middleware=[cors],
        exception_handlers=errors.handlers,
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return app


app = create_app()
