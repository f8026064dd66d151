"""Errors as the contract words them, and the decorators that turn a function into a view of one method."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from apps.contract import security
from apps.contract.inbound import DETAILS, Refused
from apps.contract.settings import settings

View = Callable[..., HttpResponseBase]
AsyncView = Callable[..., Awaitable[HttpResponseBase]]


def sync_view(method: str) -> Callable[[View], View]:
    """A sync view that answers one method; others are 405, and ``Refused`` becomes its reply."""

    def decorate(function: View) -> View:
        @wraps(function)
        def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method != method:
                return not_allowed(method)
            try:
                return function(request, *args, **kwargs)
            except Refused as refused:
                return refusal(refused)

        return view

    return decorate


def async_view(method: str) -> Callable[[AsyncView], AsyncView]:
    """``sync_view`` for ``async def``."""

    def decorate(function: AsyncView) -> AsyncView:
        @wraps(function)
        async def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method != method:
                return not_allowed(method)
            try:
                return await function(request, *args, **kwargs)
            except Refused as refused:
                return refusal(refused)

        return view

    return decorate


def by_method(**views: Any) -> View:
    """One path with a view for each method."""

    def view(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        found = views.get((request.method or "").lower())
        return found(request, *args, **kwargs) if found else not_allowed(", ".join(views).upper())

    return view


def by_method_async(**views: Any) -> AsyncView:
    """``by_method`` for async views."""

    async def view(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        found = views.get((request.method or "").lower())
        return await found(request, *args, **kwargs) if found else not_allowed(", ".join(views).upper())

    return view


def token_required(view: Callable[..., Any]) -> Callable[..., Any]:
    """Lets a view, sync or async, be reached with a Bearer token only; whose it is comes as its second argument."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        token = security.bearer(request.headers.get("authorization"))
        return view(request, security.account_of(token, settings().jwt_secret), *args, **kwargs)

    return checked


def refusal(refused: Refused) -> HttpResponse:
    return JsonResponse({"detail": refused.detail}, status=refused.status, headers=dict(refused.headers))


def not_allowed(method: str) -> HttpResponse:
    return JsonResponse({"detail": DETAILS[405]}, status=405, headers={"Allow": method})


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return JsonResponse({"detail": DETAILS[400]}, status=400)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return JsonResponse({"detail": DETAILS[404]}, status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"detail": DETAILS[500]}, status=500)
