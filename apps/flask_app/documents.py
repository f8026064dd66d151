"""The OpenAPI document, made from the contract, and its pages: Flask has none of its own."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from apps.contract import openapi, pages

blueprint = Blueprint("documents", __name__)


@blueprint.get(pages.OPENAPI_URL)
def document() -> dict[str, Any]:
    return openapi.document()


@blueprint.get("/docs")
def docs() -> str:
    return pages.SWAGGER_PAGE


@blueprint.get("/redoc")
def redoc() -> str:
    return pages.REDOC_PAGE


@blueprint.get(pages.ASSETS_URL + "/<name>")
def asset(name: str) -> Response:
    content, media_type = pages.asset(name)
    return Response(content, mimetype=media_type)
