"""The app with its CORS middleware, which every request passes (https://fastapi.tiangolo.com/tutorial/cors/)."""

from __future__ import annotations

from fastapi.middleware.cors import CORSMiddleware

from apps.contract.settings import ALLOWED_ORIGIN, CORS_HEADERS, CORS_METHODS
from apps.fastapi_app.variant import create_app

app = create_app()
app.add_middleware(
    CORSMiddleware, allow_origins=[ALLOWED_ORIGIN], allow_methods=CORS_METHODS, allow_headers=CORS_HEADERS
)
