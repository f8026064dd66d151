"""Errors as the contract words them."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from apps.contract.inbound import DETAILS, Refused


async def invalid(request: Request, exc: RequestValidationError) -> JSONResponse:
    """Every fault as ``loc``, ``msg`` and ``type``, without the input that FastAPI would repeat."""
    faults = [{key: error[key] for key in ("loc", "msg", "type")} for error in exc.errors()]
    return JSONResponse({"detail": faults}, status_code=422)


async def refused(request: Request, exc: Refused) -> JSONResponse:
    return JSONResponse({"detail": exc.detail}, status_code=exc.status)


async def crashed(request: Request, exc: Exception) -> JSONResponse:
    return JSONResponse({"detail": DETAILS[500]}, status_code=500)


def register(app: FastAPI) -> None:
    app.exception_handler(RequestValidationError)(invalid)
    app.exception_handler(Refused)(refused)
    app.exception_handler(Exception)(crashed)
