"""Errors as the contract words them, and how the documentation shows them."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from apps.contract.inbound import DETAILS, Refused
from apps.contract.replies import Invalid, Problem


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route's ``responses`` say of these statuses."""
    return {status: {"model": Invalid if status == 422 else Problem} for status in statuses}


async def invalid(request: Request, exc: RequestValidationError) -> JSONResponse:
    """Every fault as ``loc``, ``msg`` and ``type``, without the input that FastAPI would repeat."""
    faults = [{key: error[key] for key in ("loc", "msg", "type")} for error in exc.errors()]
    return JSONResponse({"detail": faults}, status_code=422)


async def http_error(request: Request, exc: HTTPException) -> JSONResponse:
    """What FastAPI refuses by itself; for 405 it names the methods of the first route of a path only."""
    headers = dict(exc.headers or {})
    if exc.status_code == 405:
        headers["Allow"] = ", ".join(allowed(request))
    return JSONResponse({"detail": exc.detail}, status_code=exc.status_code, headers=headers)


def allowed(request: Request) -> list[str]:
    """The methods that any route of the request's path answers."""
    routes = request.app.routes
    return [
        method
        for method in ("GET", "POST")
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ]


async def refused(request: Request, exc: Refused) -> JSONResponse:
    return JSONResponse({"detail": exc.detail}, status_code=exc.status, headers=dict(exc.headers))


async def crashed(request: Request, exc: Exception) -> JSONResponse:
    return JSONResponse({"detail": DETAILS[500]}, status_code=500)


def register(app: FastAPI) -> None:
    app.exception_handler(RequestValidationError)(invalid)
    app.exception_handler(HTTPException)(http_error)
    app.exception_handler(Refused)(refused)
    app.exception_handler(Exception)(crashed)
