"""Endpoints that take an order."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Blueprint, Response, g, request
from werkzeug.exceptions import BadRequest

from apps.contract import domain, inbound
from apps.contract.models import FullOrder, Order

blueprint = Blueprint("orders", __name__, url_prefix="/orders")


def read_json() -> Any:
    """The body's JSON value; Flask refuses one whose declared length is too long before it reads it."""
    if request.content_length is None:
        # Past its maximum Flask cuts a chunked body off without a word, so one byte more tells whether it was too long.
        request.max_content_length = inbound.MAX_BODY_BYTES + 1
        if len(request.get_data()) > inbound.MAX_BODY_BYTES:
            raise inbound.Refused(413)
    try:
        return request.get_json()
    except (BadRequest, RecursionError) as error:
        raise inbound.Refused(400, inbound.MALFORMED_JSON) from error


def with_pricing(view: Callable[[], Response]) -> Callable[[], Response]:
    """Puts what prices an order into ``g.price``."""

    @wraps(view)
    def priced() -> Response:
        g.price = domain.pricing()
        return view()

    return priced


@blueprint.post("/raw")
def raw() -> dict[str, Any]:
    return domain.raw_totals(read_json())


@blueprint.post("/validated")
def validated() -> dict[str, Any]:
    order = inbound.read_body(Order, read_json())
    return domain.totals(order)


@blueprint.post("/full")
def full() -> Response:
    order = inbound.read_body(Order, read_json())
    reply = FullOrder.model_validate(domain.full_order(order))
    return Response(reply.model_dump_json(), mimetype="application/json")


@blueprint.post("/injected")
@with_pricing
def injected() -> Response:
    order = inbound.read_body(Order, read_json())
    reply = FullOrder.model_validate(g.price(order))
    return Response(reply.model_dump_json(), mimetype="application/json")
