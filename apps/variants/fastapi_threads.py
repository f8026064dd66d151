"""The app with its blocking endpoint as ``def``: FastAPI then calls it in its thread pool."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from apps.backends import blocking
from apps.contract import domain
from apps.contract.models import WaitQuery
from apps.contract.replies import SleptReply
from apps.fastapi_app import create_app, waits
from apps.fastapi_app.errors import refusals

router = APIRouter(prefix="/io", responses=refusals(422))
router.add_api_route("/sleep", waits.sleep)


@router.get("/blocking")
def block(query: Annotated[WaitQuery, Query()]) -> SleptReply:
    blocking.wait(query.ms)
    return domain.waited(query.ms)


app = create_app(waiting=router)
