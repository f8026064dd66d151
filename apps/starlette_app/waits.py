"""Endpoints that wait."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from apps.backends import awaiting, blocking
from apps.contract import domain, inbound
from apps.contract.models import WaitQuery


async def sleep(request: Request) -> JSONResponse:
    query = inbound.read_query(WaitQuery, request.query_params.getlist)
    await awaiting.wait(query.ms)
    return JSONResponse(domain.waited(query.ms))


async def block(request: Request) -> JSONResponse:
    query = inbound.read_query(WaitQuery, request.query_params.getlist)
    blocking.wait(query.ms)
    return JSONResponse(domain.waited(query.ms))


routes = [Route("/io/sleep", sleep), Route("/io/blocking", block)]
