"""Products: read one, list, insert."""

from __future__ import annotations

from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from apps.contract import inbound, transfer
from apps.contract.inputs import NewProduct, ProductPath, ProductsQuery
from apps.starlette_app.orders import read_json
from apps.starlette_app.resources import database


async def product(request: Request) -> JSONResponse:
    path = inbound.read_path(ProductPath, product_id=request.path_params["product_id"])
    return JSONResponse(await database.product(path.product_id))


class Products(HTTPEndpoint):
    async def get(self, request: Request) -> JSONResponse:
        query = inbound.read_query(ProductsQuery, request.query_params.getlist)
        return JSONResponse(transfer.product_page(query, await database.products(query.limit, query.offset)))

    async def post(self, request: Request) -> JSONResponse:
        new = inbound.read_body(NewProduct, await read_json(request))
        return JSONResponse(await database.add(new), status_code=201)


routes = [Route("/products/{product_id}", product), Route("/products", Products)]
