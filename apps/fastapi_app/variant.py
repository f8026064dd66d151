"""What the variants share: a second app with the routes of the first in their order, so that only one thing differs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from apps.contract.openapi import TITLE, VERSION
from apps.fastapi_app.app import app as original, lifespan

Endpoint = Callable[..., Any]


def create_app(replaced: Mapping[str, Endpoint] = MappingProxyType({}), around: Any = lifespan) -> FastAPI:
    """The app with other functions in the place of some.

    Args:
        replaced: name of a function of the original app → the function that answers instead of it.
        around: what is opened and closed with the app.
    """
    app = empty_app(around)
    for route in routes():
        if isinstance(route, APIRoute) and route.name in replaced:
            app.add_api_route(
                route.path,
                replaced[route.name],
                methods=route.methods,
                status_code=route.status_code,
                response_class=route.response_class,
                responses=route.responses,
                max_body_size=route.max_body_size,
            )
        else:
            app.router.routes.append(route)
    return app


def empty_app(around: Any = lifespan) -> FastAPI:
    """An app without endpoints, with the settings, resources and error handlers of the original."""
    app = FastAPI(
        title=TITLE,
        version=VERSION,
        docs_url=None,
        redoc_url=None,
        lifespan=around,
        exception_handlers=original.exception_handlers,
    )
    for name in ("database", "products", "upstream"):
        setattr(app.state, name, getattr(original.state, name))
    return app


def routes() -> list[Any]:
    """Those of the original, without the OpenAPI document, which FastAPI adds to each app by itself."""
    return original.routes[1:]
