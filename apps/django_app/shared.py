"""What sync and async views share: reading requests, and replies that more than one view sends."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse, QueryDict
from pydantic import BaseModel

from apps.contract import domain, inbound, operations, security, transfer
from apps.contract.inbound import FORM, MAX_UPLOAD_BODY_BYTES, MULTIPART, Refused
from apps.contract.replies import serialized
from apps.contract.settings import settings

# Django adds a charset only to the type that it takes by itself.
TEXT = f"{operations.TEXT}; charset=utf-8"
EVENTS = f"{operations.EVENTS}; charset=utf-8"


def read_json(request: HttpRequest) -> Any:
    """The body's JSON value."""
    inbound.check_media_type(request.content_type)
    return inbound.load_json(request.body)


def form(request: HttpRequest) -> QueryDict:
    """The fields of a form in the body."""
    if request.content_type != FORM:
        raise Refused(415)
    return request.POST


def uploaded(request: HttpRequest) -> dict[str, Any]:
    """Size and hash of the file in a multipart body; Django's own limit does not count files."""
    if request.content_type != MULTIPART:
        raise Refused(415)
    inbound.check_length(request.headers.get("content-length"), MAX_UPLOAD_BODY_BYTES)
    files = request.FILES.getlist("file")
    content = inbound.check_file(files[-1].read() if files else None)
    return transfer.file_sum(files[-1].name, content)


def model_reply(model: type[BaseModel], value: dict[str, Any]) -> HttpResponse:
    """``value``, validated and serialized by a model."""
    return HttpResponse(serialized(model, value), content_type=operations.JSON)


def with_pricing(view: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a view, sync or async, what prices an order as its second argument."""

    @wraps(view)
    def priced(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return view(request, domain.pricing(), *args, **kwargs)

    return _like(view, priced)


def token_required(view: Callable[..., Any]) -> Callable[..., Any]:
    """Lets a view, sync or async, be reached with a Bearer token only; whose it is comes as its second argument."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        token = security.bearer(request.headers.get("authorization"))
        return view(request, security.account_of(token, settings().jwt_secret), *args, **kwargs)

    return _like(view, checked)


def _like(view: Callable[..., Any], decorated: Callable[..., Any]) -> Callable[..., Any]:
    """``decorated``, marked as a coroutine function where ``view`` is one."""
    return markcoroutinefunction(decorated) if iscoroutinefunction(view) else decorated
