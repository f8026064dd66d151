"""Endpoints without a body and without I/O."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import PlainTextResponse

from apps.contract import domain
from apps.contract.models import CpuQuery, ItemId, ItemQuery
from apps.contract.replies import BurntReply, GreetingReply, HealthReply, ItemReply
from apps.fastapi_app.errors import refusals

router = APIRouter()


@router.get("/health")
async def health() -> HealthReply:
    return domain.health()


@router.get("/plaintext", response_class=PlainTextResponse)
async def plaintext() -> str:
    return domain.GREETING


@router.get("/json")
async def greeting() -> GreetingReply:
    return domain.greeting()


@router.get("/items/{item_id}", responses=refusals(422))
async def item(item_id: Annotated[ItemId, Path()], query: Annotated[ItemQuery, Query()]) -> ItemReply:
    return domain.item(item_id, query)


@router.get("/cpu", responses=refusals(422))
async def cpu(query: Annotated[CpuQuery, Query()]) -> BurntReply:
    return domain.burn(query.units)
