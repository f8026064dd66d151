"""Products: read one, list, insert."""

from __future__ import annotations

from typing import Any, Protocol, cast

from flask import Blueprint, current_app, request

from apps.contract import inbound, transfer
from apps.contract.inputs import NewProduct, ProductPath, ProductsQuery
from apps.flask_app.orders import read_json

STORE = "product_store"

blueprint = Blueprint("products", __name__, url_prefix="/products")


class Store(Protocol):
    """What keeps the products: a driver or an ORM."""

    def product(self, product_id: int) -> dict[str, Any]: ...

    def products(self, limit: int, offset: int) -> list[dict[str, Any]]: ...

    def add(self, new: NewProduct) -> dict[str, Any]: ...


def store() -> Store:
    return cast(Store, current_app.extensions[STORE])


@blueprint.get("/<product_id>")
def product(product_id: str) -> dict[str, Any]:
    path = inbound.read_path(ProductPath, product_id=product_id)
    return store().product(path.product_id)


@blueprint.get("")
def products() -> dict[str, Any]:
    query = inbound.read_query(ProductsQuery, request.args.getlist)
    return transfer.product_page(query, store().products(query.limit, query.offset))


@blueprint.post("")
def insert() -> tuple[dict[str, Any], int]:
    new = inbound.read_body(NewProduct, read_json())
    return store().add(new), 201
