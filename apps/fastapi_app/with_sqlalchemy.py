"""The app with its products in SQLAlchemy instead of the driver."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from apps.backends.sqlalchemy_products import AsyncProducts
from apps.fastapi_app import create_app, lifespan

_products = AsyncProducts()


async def products() -> AsyncProducts:
    return _products


@asynccontextmanager
async def around(app: FastAPI) -> AsyncIterator[None]:
    async with lifespan(app):
        yield
        await _products.close()


app = create_app(products, around)
