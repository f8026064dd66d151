"""The contract in Starlette."""

from apps.starlette_app.app import app

__all__ = ["app"]
