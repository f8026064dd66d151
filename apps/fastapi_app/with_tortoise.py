"""The app with its products in Tortoise-ORM instead of the driver."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from tortoise.contrib.fastapi import RegisterTortoise

from apps.backends.tortoise_products import TortoiseProducts, config
from apps.fastapi_app.app import lifespan
from apps.fastapi_app.variant import create_app


@asynccontextmanager
async def around(app: FastAPI) -> AsyncIterator[None]:
    async with lifespan(app), RegisterTortoise(app, config=config()):
        yield


app = create_app(around=around)
app.state.products = TortoiseProducts()
