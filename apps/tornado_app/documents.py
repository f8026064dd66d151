"""The OpenAPI document, made from the contract, and its pages: Tornado has none of its own."""

from __future__ import annotations

from apps.contract import openapi, pages
from apps.tornado_app.base import ApiHandler


class Document(ApiHandler):
    async def get(self) -> None:
        self.finish(openapi.document())


class Page(ApiHandler):
    def initialize(self, text: str) -> None:
        self.text = text

    async def get(self) -> None:
        self.finish(self.text)


class Asset(ApiHandler):
    async def get(self, name: str) -> None:
        content, media_type = pages.asset(name)
        self.set_header("Content-Type", media_type)
        self.finish(content)


routes = [
    (pages.OPENAPI_URL, Document),
    (r"/docs", Page, {"text": pages.SWAGGER_PAGE}),
    (r"/redoc", Page, {"text": pages.REDOC_PAGE}),
    (pages.ASSETS_URL + r"/([^/]+)", Asset),
]
