"""Endpoints that wait."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from apps.backends import awaiting, blocking
from apps.contract import domain
from apps.contract.models import WaitQuery

router = APIRouter(prefix="/io")


@router.get("/sleep")
async def sleep(query: Annotated[WaitQuery, Query()]) -> dict[str, Any]:
    await awaiting.wait(query.ms)
    return domain.waited(query.ms)


@router.get("/blocking")
async def block(query: Annotated[WaitQuery, Query()]) -> dict[str, Any]:
    blocking.wait(query.ms)
    return domain.waited(query.ms)
