"""The OpenAPI document, made from the contract, and its pages: Starlette has none of its own."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from apps.contract import openapi, pages


async def document(request: Request) -> JSONResponse:
    return JSONResponse(openapi.document())


async def docs(request: Request) -> HTMLResponse:
    return HTMLResponse(pages.SWAGGER_PAGE)


async def redoc(request: Request) -> HTMLResponse:
    return HTMLResponse(pages.REDOC_PAGE)


async def asset(request: Request) -> Response:
    content, media_type = pages.asset(request.path_params["name"])
    return Response(content, media_type=media_type)


routes = [
    Route(pages.OPENAPI_URL, document),
    Route("/docs", docs),
    Route("/redoc", redoc),
    Route(pages.ASSETS_URL + "/{name}", asset),
]
