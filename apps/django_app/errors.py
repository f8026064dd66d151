"""Errors as the contract words them, and the decorators that turn a function into a view of one method."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from apps.contract.inbound import DETAILS, Refused

View = Callable[..., HttpResponse]
AsyncView = Callable[..., Awaitable[HttpResponse]]


def sync_view(method: str) -> Callable[[View], View]:
    """A sync view that answers one method; others are 405, and ``Refused`` becomes its reply."""

    def decorate(function: View) -> View:
        @wraps(function)
        def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method != method:
                return not_allowed(method)
            try:
                return function(request, *args, **kwargs)
            except Refused as refused:
                return JsonResponse({"detail": refused.detail}, status=refused.status)

        return view

    return decorate


def async_view(method: str) -> Callable[[AsyncView], AsyncView]:
    """``sync_view`` for ``async def``."""

    def decorate(function: AsyncView) -> AsyncView:
        @wraps(function)
        async def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method != method:
                return not_allowed(method)
            try:
                return await function(request, *args, **kwargs)
            except Refused as refused:
                return JsonResponse({"detail": refused.detail}, status=refused.status)

        return view

    return decorate


def not_allowed(method: str) -> HttpResponse:
    return JsonResponse({"detail": DETAILS[405]}, status=405, headers={"Allow": method})


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return JsonResponse({"detail": DETAILS[400]}, status=400)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return JsonResponse({"detail": DETAILS[404]}, status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"detail": DETAILS[500]}, status=500)
