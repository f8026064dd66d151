"""Products: read one, list, insert."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, Path, Query

from apps.contract import transfer
from apps.contract.inputs import NewProduct, ProductsQuery
from apps.contract.models import ItemId
from apps.contract.operations import BODY_REFUSALS
from apps.contract.replies import ProductPageReply, ProductReply
from apps.fastapi_app.body import JSONRoute
from apps.fastapi_app.errors import refusals


class Store(Protocol):
    """What keeps the products: a driver or an ORM."""

    async def product(self, product_id: int) -> dict[str, Any]: ...

    async def products(self, limit: int, offset: int) -> list[dict[str, Any]]: ...

    async def add(self, new: NewProduct) -> dict[str, Any]: ...


def create_router(provide: Callable[..., Any]) -> APIRouter:
    """The routes, with ``provide`` as the dependency that gives their ``Store``."""
    dependency = Depends(provide)
    reading = APIRouter(prefix="/products")
    writing = APIRouter(prefix="/products", route_class=JSONRoute)

    @reading.get("/{product_id}", responses=refusals(404, 422, 503))
    async def product(product_id: Annotated[ItemId, Path()], store: Store = dependency) -> ProductReply:
        return await store.product(product_id)

    @reading.get("", responses=refusals(422, 503))
    async def products(query: Annotated[ProductsQuery, Query()], store: Store = dependency) -> ProductPageReply:
        return transfer.product_page(query, await store.products(query.limit, query.offset))

    @writing.post("", status_code=201, responses=refusals(*BODY_REFUSALS, 409, 503))
    async def insert(new: NewProduct, store: Store = dependency) -> ProductReply:
        return await store.add(new)

    router = APIRouter()
    router.include_router(reading)
    router.include_router(writing)
    return router
