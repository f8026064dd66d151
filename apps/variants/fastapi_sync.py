"""The app with ``def`` functions, which FastAPI calls in its thread pool, and blocking sessions of SQLAlchemy.

The pages that it follows, at https://fastapi.tiangolo.com: Concurrency and async / await (/async/), SQL (Relational)
Databases (/tutorial/sql-databases/), and Dependencies with yield (/tutorial/dependencies/dependencies-with-yield/).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Path, Query, Request
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError, IntegrityError, TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from apps.backends import blocking
from apps.backends.sqlalchemy_products import ProductRow, make_session, page
from apps.contract import domain, transfer
from apps.contract.inbound import DATABASE_DOWN, SKU_TAKEN
from apps.contract.inputs import NewProduct, ProductsQuery
from apps.contract.models import FullOrder, ItemId, ItemQuery, Order, WaitQuery
from apps.contract.replies import Greeting, Health, Item, OrderTotals, Product, ProductPage, Slept
from apps.fastapi_app.variant import create_app


def get_session() -> Iterator[Session]:
    with make_session()() as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


def health() -> Health:
    return Health(**domain.health())


def greeting() -> Greeting:
    return Greeting(**domain.greeting())


def read_item(item_id: Annotated[ItemId, Path()], query: Annotated[ItemQuery, Query()]) -> Item:
    return Item(**domain.item(item_id, query))


def order_raw(order: dict[str, Any]) -> OrderTotals:
    return OrderTotals(**domain.raw_totals(order))


def order_validated(order: Order) -> OrderTotals:
    return OrderTotals(**domain.totals(order))


def order_full(order: Order) -> FullOrder:
    return FullOrder.model_validate(domain.full_order(order))


def sleep(query: Annotated[WaitQuery, Query()]) -> Slept:
    blocking.wait(query.ms)
    return Slept(**domain.waited(query.ms))


def read_product(product_id: Annotated[ItemId, Path()], session: SessionDep) -> Product:
    row = session.get(ProductRow, product_id)
    if row is None:
        raise HTTPException(404)
    return Product(**transfer.product(row))


def list_products(query: Annotated[ProductsQuery, Query()], session: SessionDep) -> ProductPage:
    rows = session.scalars(page(query.limit, query.offset))
    return ProductPage(
        limit=query.limit, offset=query.offset, products=[Product(**transfer.product(row)) for row in rows]
    )


def add_product(new: NewProduct, session: SessionDep) -> Product:
    row = ProductRow(**new.model_dump(exclude_none=True))
    session.add(row)
    try:
        session.commit()
    except IntegrityError as error:
        raise HTTPException(409, SKU_TAKEN) from error
    return Product(**transfer.product(row))


FUNCTIONS = (
    health,
    greeting,
    read_item,
    order_raw,
    order_validated,
    order_full,
    sleep,
    read_product,
    list_products,
    add_product,
)
app = create_app({function.__name__: function for function in FUNCTIONS})


@app.exception_handler(PoolTimeout)
@app.exception_handler(DBAPIError)
def unavailable(request: Request, exc: Exception) -> JSONResponse:
    return JSONResponse({"detail": DATABASE_DOWN}, status_code=503)
