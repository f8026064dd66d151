"""Endpoints that take an order."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from apps.contract import domain
from apps.contract.models import FullOrder, Order
from apps.contract.operations import BODY_REFUSALS
from apps.contract.replies import TotalsReply
from apps.fastapi_app.body import JSONRoute
from apps.fastapi_app.errors import refusals

router = APIRouter(prefix="/orders", route_class=JSONRoute)
ORDER_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}},
    }
}


async def pricing() -> domain.Pricing:
    return domain.pricing()


@router.post("/raw", responses=refusals(400, 413, 415, 500), openapi_extra=ORDER_BODY)
async def raw(request: Request) -> TotalsReply:
    return domain.raw_totals(await request.json())


@router.post("/validated", responses=refusals(*BODY_REFUSALS))
async def validated(order: Order) -> TotalsReply:
    return domain.totals(order)


@router.post("/full", response_model=FullOrder, responses=refusals(*BODY_REFUSALS))
async def full(order: Order) -> dict[str, Any]:
    return domain.full_order(order)


@router.post("/injected", response_model=FullOrder, responses=refusals(*BODY_REFUSALS))
async def injected(order: Order, price: Annotated[domain.Pricing, Depends(pricing)]) -> dict[str, Any]:
    return price(order)
