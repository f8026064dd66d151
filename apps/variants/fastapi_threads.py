"""The app with its blocking endpoint as ``def``: FastAPI then calls it in its thread pool."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from apps.backends import blocking
from apps.contract import domain
from apps.contract.models import WaitQuery
from apps.contract.replies import Slept
from apps.fastapi_app.variant import create_app


def block(query: Annotated[WaitQuery, Query()]) -> Slept:
    blocking.wait(query.ms)
    return Slept(**domain.waited(query.ms))


app = create_app({"block": block})
