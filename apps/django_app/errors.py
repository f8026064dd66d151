"""Errors as JSON: a middleware for the refusals of views, and the handlers that Django calls for the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.http.multipartparser import MultiPartParserError
from pydantic import ValidationError

from apps.contract.inbound import DETAILS, MALFORMED_FORM, Refused, faults


class JsonErrors:
    """What a view raises, and a 405, which ``require_http_methods`` answers without a body, as JSON."""

    sync_capable = async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if self.is_async:
            return self.__acall__(request)
        return _with_detail(self.get_response(request))

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        return _with_detail(await self.get_response(request))

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        match exception:
            case ValidationError():
                source = "body" if request.method == "POST" else "query"
                return _error(422, faults(exception, source, request.resolver_match.kwargs))
            case Refused():
                return _error(exception.status, exception.detail, dict(exception.headers))
            case RequestDataTooBig():
                return _error(413)
            case MultiPartParserError():
                return _error(400, MALFORMED_FORM)
        return None


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error(400)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error(404)


def server_error(request: HttpRequest) -> HttpResponse:
    return _error(500)


def _with_detail(response: HttpResponseBase) -> HttpResponseBase:
    return _error(405, headers={"Allow": response.headers["Allow"]}) if response.status_code == 405 else response


def _error(status: int, detail: Any = None, headers: dict[str, str] | None = None) -> HttpResponse:
    return JsonResponse({"detail": detail or DETAILS[status]}, status=status, headers=headers)
