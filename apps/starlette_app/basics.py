"""Endpoints without a body and without I/O."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from apps.contract import domain, inbound
from apps.contract.models import CpuQuery


async def health(request: Request) -> JSONResponse:
    return JSONResponse(domain.health())


async def plaintext(request: Request) -> PlainTextResponse:
    return PlainTextResponse(domain.GREETING)


async def greeting(request: Request) -> JSONResponse:
    return JSONResponse(domain.greeting())


async def item(request: Request) -> JSONResponse:
    item_id, query = inbound.read_item(request.path_params["item_id"], request.query_params.getlist)
    return JSONResponse(domain.item(item_id, query))


async def cpu(request: Request) -> JSONResponse:
    query = inbound.read_query(CpuQuery, request.query_params.getlist)
    return JSONResponse(domain.burn(query.units))


routes = [
    Route("/health", health),
    Route("/plaintext", plaintext),
    Route("/json", greeting),
    Route("/items/{item_id}", item),
    Route("/cpu", cpu),
]
