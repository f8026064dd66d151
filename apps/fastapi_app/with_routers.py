"""The app in routers (https://fastapi.tiangolo.com/tutorial/bigger-applications/), with the routes of the original in
their order: a router for each part of the API, in one router for the whole API, as one with versions has them."""

from __future__ import annotations

from itertools import groupby

from fastapi import APIRouter
from starlette.routing import BaseRoute

from apps.fastapi_app.variant import empty_app, routes

PARTS = ("health plaintext json items cpu rows page", "orders", "io", "products", "auth users")
"""First words of the paths of each part; the last part holds the others."""


def part(route: BaseRoute) -> int:
    """The number of the part that a route belongs to."""
    word = route.path.split("/")[1]
    return next((number for number, words in enumerate(PARTS) if word in words.split()), len(PARTS))


api = APIRouter()
for _, group in groupby(routes(), key=part):
    api.include_router(APIRouter(routes=list(group)))

app = empty_app()
app.include_router(api)
