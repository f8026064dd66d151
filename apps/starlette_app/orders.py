"""Endpoints that take an order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from apps.contract import domain, inbound
from apps.contract.models import FullOrder, Order

Handler = Callable[[Request], Awaitable[Response]]


def with_pricing(handler: Handler) -> Handler:
    """Puts what prices an order into ``request.state.price``: Starlette has no dependencies of its own."""

    @wraps(handler)
    async def priced(request: Request) -> Response:
        request.state.price = domain.pricing()
        return await handler(request)

    return priced


async def read_json(request: Request) -> Any:
    """The body's JSON value, refused before it is read whole where it is too long."""
    inbound.check_head(request.headers.get("content-type"), request.headers.get("content-length"))
    return inbound.load_json(await inbound.collect(request.stream()))


async def raw(request: Request) -> JSONResponse:
    return JSONResponse(domain.raw_totals(await read_json(request)))


async def validated(request: Request) -> JSONResponse:
    order = inbound.read_body(Order, await read_json(request))
    return JSONResponse(domain.totals(order))


async def full(request: Request) -> Response:
    order = inbound.read_body(Order, await read_json(request))
    reply = FullOrder.model_validate(domain.full_order(order))
    return Response(reply.model_dump_json(), media_type="application/json")


@with_pricing
async def injected(request: Request) -> Response:
    order = inbound.read_body(Order, await read_json(request))
    reply = FullOrder.model_validate(request.state.price(order))
    return Response(reply.model_dump_json(), media_type="application/json")


routes = [
    Route("/orders/raw", raw, methods=["POST"]),
    Route("/orders/validated", validated, methods=["POST"]),
    Route("/orders/full", full, methods=["POST"]),
    Route("/orders/injected", injected, methods=["POST"]),
]
