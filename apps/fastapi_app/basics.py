"""Endpoints without a body and without I/O."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import PlainTextResponse

from apps.contract import domain
from apps.contract.models import CpuQuery, ItemId, ItemQuery

router = APIRouter()


@router.get("/health")
async def health() -> dict[str, Any]:
    return domain.health()


@router.get("/plaintext", response_class=PlainTextResponse)
async def plaintext() -> str:
    return domain.GREETING


@router.get("/json")
async def greeting() -> dict[str, Any]:
    return domain.greeting()


@router.get("/items/{item_id}")
async def item(item_id: Annotated[ItemId, Path()], query: Annotated[ItemQuery, Query()]) -> dict[str, Any]:
    return domain.item(item_id, query)


@router.get("/cpu")
async def cpu(query: Annotated[CpuQuery, Query()]) -> dict[str, Any]:
    return domain.burn(query.units)
