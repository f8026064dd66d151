"""Products: read one, list, insert."""

from __future__ import annotations

from typing import Any

from apps.contract import inbound, transfer
from apps.contract.inputs import NewProduct, ProductPath, ProductsQuery
from apps.tornado_app.base import ApiHandler, JsonHandler
from apps.tornado_app.resources import database


class Product(ApiHandler):
    async def get(self, product_id: str) -> None:
        path = inbound.read_path(ProductPath, product_id=product_id)
        self.finish(await database.product(path.product_id))


class Products(JsonHandler):
    async def get(self) -> None:
        query = inbound.read_query(ProductsQuery, self.getlist)
        self.finish(transfer.product_page(query, await database.products(query.limit, query.offset)))

    async def reply(self, value: Any) -> dict[str, Any]:
        new = inbound.read_body(NewProduct, value)
        self.set_status(201)
        return await database.add(new)


routes = [(r"/products/([^/]+)", Product), (r"/products", Products)]
