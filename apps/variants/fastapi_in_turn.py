"""The app with its calls to the upstream service one after the other, as a loop of ``await`` makes them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from apps.backends.async_upstream import UpstreamInTurn
from apps.fastapi_app import create_app, lifespan
from apps.fastapi_app.resources import upstream

_upstream = UpstreamInTurn()


async def in_turn() -> UpstreamInTurn:
    return _upstream


@asynccontextmanager
async def around(app: FastAPI) -> AsyncIterator[None]:
    async with lifespan(app):
        yield
    await _upstream.close()


app = create_app(around=around)
app.dependency_overrides[upstream] = in_turn
