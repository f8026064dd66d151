"""FastAPI's own documentation pages, with their scripts from disk instead of the CDN that it names by default."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.responses import HTMLResponse, Response

from apps.contract import pages
from apps.contract.openapi import TITLE

router = APIRouter(include_in_schema=False)
ICON = f"{pages.ASSETS_URL}/{pages.ICON}"


@router.get("/docs")
async def docs() -> HTMLResponse:
    return get_swagger_ui_html(
        openapi_url=pages.OPENAPI_URL,
        title=f"{TITLE} - Swagger UI",
        swagger_js_url=f"{pages.ASSETS_URL}/{pages.SCRIPT}",
        swagger_css_url=f"{pages.ASSETS_URL}/{pages.STYLE}",
        swagger_favicon_url=ICON,
        swagger_ui_parameters={"validatorUrl": None},
    )


@router.get("/redoc")
async def redoc() -> HTMLResponse:
    return get_redoc_html(
        openapi_url=pages.OPENAPI_URL,
        title=f"{TITLE} - ReDoc",
        redoc_js_url=f"{pages.ASSETS_URL}/{pages.REDOC}",
        redoc_favicon_url=ICON,
        with_google_fonts=False,
    )


@router.get(pages.ASSETS_URL + "/{name}")
async def asset(name: str) -> Response:
    content, media_type = pages.asset(name)
    return Response(content, media_type=media_type)
