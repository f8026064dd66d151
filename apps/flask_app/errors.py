"""Errors as the contract words them."""

from __future__ import annotations

from typing import Any

from flask import Flask
from werkzeug.exceptions import HTTPException

from apps.contract.inbound import DETAILS, Refused


def http_error(error: HTTPException) -> tuple[dict[str, Any], int, list[tuple[str, str]]]:
    """What Flask refuses by itself; an exception that nobody caught comes here as 500."""
    status = error.code or 500
    headers = [(name, value) for name, value in error.get_headers() if name != "Content-Type"]
    return {"detail": DETAILS.get(status, error.name)}, status, headers


def refused(error: Refused) -> tuple[dict[str, Any], int, list[tuple[str, str]]]:
    return {"detail": error.detail}, error.status, list(error.headers)


def register(app: Flask) -> None:
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Refused, refused)
