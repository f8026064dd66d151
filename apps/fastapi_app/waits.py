"""Endpoints that wait."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from apps.backends import awaiting, blocking
from apps.contract import domain
from apps.contract.models import WaitQuery
from apps.contract.replies import SleptReply
from apps.fastapi_app.errors import refusals

router = APIRouter(prefix="/io", responses=refusals(422))


@router.get("/sleep")
async def sleep(query: Annotated[WaitQuery, Query()]) -> SleptReply:
    await awaiting.wait(query.ms)
    return domain.waited(query.ms)


@router.get("/blocking")
async def block(query: Annotated[WaitQuery, Query()]) -> SleptReply:
    blocking.wait(query.ms)
    return domain.waited(query.ms)
