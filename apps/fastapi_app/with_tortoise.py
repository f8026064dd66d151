"""The app with its products in Tortoise-ORM instead of the driver."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from tortoise.contrib.fastapi import RegisterTortoise

from apps.backends.tortoise_products import TortoiseProducts, database_url
from apps.fastapi_app import create_app, lifespan

MODELS = {"models": ["apps.backends.tortoise_products"]}
_products = TortoiseProducts()


async def products() -> TortoiseProducts:
    return _products


@asynccontextmanager
async def around(app: FastAPI) -> AsyncIterator[None]:
    async with lifespan(app), RegisterTortoise(app, db_url=database_url(), modules=MODELS):
        yield


app = create_app(products, around)
