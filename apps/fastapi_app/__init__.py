"""The contract in FastAPI."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.middleware.cors import CORSMiddleware

from apps.contract.openapi import TITLE, VERSION
from apps.contract.settings import ALLOWED_ORIGIN, CORS_HEADERS, CORS_METHODS
from apps.fastapi_app import basics, documents, errors, io, orders, products, streams, upload, users, waits
from apps.fastapi_app.resources import close_resources, database

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    await close_resources()


def create_app(
    store: Callable[..., Any] = database, around: Lifespan = lifespan, waiting: APIRouter = waits.router
) -> FastAPI:
    """The application, with its routers and error handlers.

    Args:
        store: dependency that gives what keeps the products.
        around: what is opened and closed with the application.
        waiting: the endpoints that wait.
    """
    app = FastAPI(title=TITLE, version=VERSION, docs_url=None, redoc_url=None, redirect_slashes=False, lifespan=around)
    app.add_middleware(
        CORSMiddleware, allow_origins=[ALLOWED_ORIGIN], allow_methods=CORS_METHODS, allow_headers=CORS_HEADERS
    )
    errors.register(app)
    app.include_router(products.create_router(store))
    app.include_router(waiting)
    for module in (basics, orders, io, users, upload, streams, documents):
        app.include_router(module.router)
    return app


app = create_app()
