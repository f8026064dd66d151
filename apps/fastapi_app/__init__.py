"""The contract in FastAPI."""

from apps.fastapi_app.app import app

__all__ = ["app"]
