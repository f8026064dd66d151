"""Flask with typed endpoints: flask-openapi3 validates with Pydantic and writes the OpenAPI document.

After flask-openapi3's documentation: Request, Response, Specification, https://luolingchun.github.io/flask-openapi3/.
APIFlask, the other package for this, takes Pydantic's models too, but no list from a query string.
"""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, request
from flask_openapi3 import Info, OpenAPI
from pydantic import ValidationError

from apps.contract import domain, inbound, openapi, replies
from apps.contract.models import FullOrder, ItemPath, ItemQuery, Order


def invalid(error: ValidationError) -> Response:
    source = "body" if request.method == "POST" else "query"
    return make_response({"detail": inbound.faults(error, source, request.view_args)}, 422)


app = OpenAPI(
    __name__,
    info=Info(title=openapi.TITLE, version=openapi.VERSION),
    responses={422: replies.Invalid},
    validation_error_callback=invalid,
    doc_prefix="",
)


@app.get("/health", responses={200: replies.Health})
def health() -> dict[str, Any]:
    return domain.health()


@app.get("/json", responses={200: replies.Greeting})
def greeting() -> dict[str, Any]:
    return domain.greeting()


@app.get("/items/<item_id>", responses={200: replies.Item})
def item(path: ItemPath, query: ItemQuery) -> dict[str, Any]:
    return domain.item(path.item_id, query)


@app.post("/orders/raw", responses={200: replies.OrderTotals})
def order_raw() -> dict[str, Any]:
    return domain.raw_totals(request.get_json())


@app.post("/orders/validated", responses={200: replies.OrderTotals})
def order_validated(body: Order) -> dict[str, Any]:
    return domain.totals(body)


@app.post("/orders/full", responses={200: FullOrder})
def order_full(body: Order) -> Response:
    reply = FullOrder.model_validate(domain.full_order(body))
    return Response(reply.model_dump_json(), mimetype="application/json")
