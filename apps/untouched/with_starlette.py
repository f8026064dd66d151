"""Starlette docs: "Routing", "Requests" (https://www.starlette.io/routing/)."""

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route


async def item(request):
    return JSONResponse({"item_id": request.path_params["item_id"]})


async def order(request):
    order = await request.json()
    return JSONResponse({"item": order["item"], "total": order["quantity"] * 2})


app = Starlette(routes=[Route("/items/{item_id:int}", item), Route("/orders", order, methods=["POST"])])
