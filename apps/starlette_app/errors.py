"""Errors as the contract words them."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from apps.contract.inbound import DETAILS, Refused


async def http_error(request: Request, exc: HTTPException) -> JSONResponse:
    return JSONResponse({"detail": exc.detail}, status_code=exc.status_code, headers=exc.headers)


async def refused(request: Request, exc: Refused) -> JSONResponse:
    return JSONResponse({"detail": exc.detail}, status_code=exc.status, headers=dict(exc.headers))


async def crashed(request: Request, exc: Exception) -> JSONResponse:
    return JSONResponse({"detail": DETAILS[500]}, status_code=500)


handlers = {HTTPException: http_error, Refused: refused, Exception: crashed}
