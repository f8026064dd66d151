"""Bodies, in and out."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError

from apps.contract import domain, inbound, transfer
from apps.contract.inputs import PasswordForm
from apps.contract.models import FullOrder, Order


def read_json(request: HttpRequest) -> Any:
    """The body's JSON value; Django refuses one that is too long before it reads it."""
    inbound.check_head(request.headers.get("content-type"), request.headers.get("content-length"))
    try:
        body = request.body
    except RequestDataTooBig as error:
        raise inbound.Refused(413) from error
    return inbound.load_json(body)


def with_pricing(view: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a view, sync or async, what prices an order as its second argument."""

    @wraps(view)
    def priced(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return view(request, domain.pricing(), *args, **kwargs)

    return priced


def full_reply(order: Order, price: domain.Pricing = domain.full_order) -> HttpResponse:
    """The whole order, validated and serialized by its model."""
    reply = FullOrder.model_validate(price(order))
    return HttpResponse(reply.model_dump_json(), content_type="application/json")


def read_password_form(request: HttpRequest) -> PasswordForm:
    inbound.check_form(request.headers.get("content-type"), request.headers.get("content-length"))
    try:
        return inbound.read_form(PasswordForm, request.POST.getlist)
    except RequestDataTooBig as error:
        raise inbound.Refused(413) from error


def uploaded(request: HttpRequest) -> dict[str, Any]:
    """Size and hash of the file in a multipart body."""
    inbound.check_form(request.headers.get("content-type"), request.headers.get("content-length"), inbound.MULTIPART)
    try:
        files, texts = request.FILES.getlist("file"), request.POST.getlist("file")
    except MultiPartParserError as error:
        raise inbound.Refused(400, inbound.MALFORMED_FORM) from error
    content = inbound.check_file(files[-1].read() if files else None, texts)
    return transfer.file_sum(files[-1].name, content)
