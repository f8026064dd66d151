"""The app with its CORS middleware, which every request passes (https://starlette.dev/middleware/)."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from apps.contract.settings import ALLOWED_ORIGIN, CORS_HEADERS, CORS_METHODS
from apps.starlette_app.app import exception_handlers, lifespan, routes

cors = Middleware(
    CORSMiddleware, allow_origins=[ALLOWED_ORIGIN], allow_methods=CORS_METHODS, allow_headers=CORS_HEADERS
)
app = Starlette(routes=routes, middleware=[cors], exception_handlers=exception_handlers, lifespan=lifespan)
