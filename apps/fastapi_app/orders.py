"""Endpoints that take an order."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from apps.contract import domain
from apps.contract.models import FullOrder, Order
from apps.fastapi_app.body import JSONRoute

router = APIRouter(prefix="/orders", route_class=JSONRoute)


@router.post("/raw")
async def raw(request: Request) -> dict[str, Any]:
    return domain.raw_totals(await request.json())


@router.post("/validated")
async def validated(order: Order) -> dict[str, Any]:
    return domain.totals(order)


@router.post("/full", response_model=FullOrder)
async def full(order: Order) -> dict[str, Any]:
    return domain.full_order(order)
