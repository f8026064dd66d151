"""JSON bodies, in and out."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse

from apps.contract import domain, inbound
from apps.contract.models import FullOrder, Order


def read_json(request: HttpRequest) -> Any:
    """The body's JSON value; Django refuses one that is too long before it reads it."""
    inbound.check_head(request.headers.get("content-type"), request.headers.get("content-length"))
    try:
        body = request.body
    except RequestDataTooBig as error:
        raise inbound.Refused(413) from error
    return inbound.load_json(body)


def full_reply(order: Order) -> HttpResponse:
    """The whole order, validated and serialized by its model."""
    reply = FullOrder.model_validate(domain.full_order(order))
    return HttpResponse(reply.model_dump_json(), content_type="application/json")
