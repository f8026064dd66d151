"""OpenAPI and its pages, which Django has none of its own for: sync views, which ASGI runs in a thread."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from apps.contract import openapi, pages


@require_GET
def document(request: HttpRequest) -> HttpResponse:
    return JsonResponse(openapi.document())


@require_GET
def docs(request: HttpRequest) -> HttpResponse:
    return HttpResponse(pages.SWAGGER_PAGE)


@require_GET
def redoc(request: HttpRequest) -> HttpResponse:
    return HttpResponse(pages.REDOC_PAGE)


@require_GET
def asset(request: HttpRequest, name: str) -> HttpResponse:
    content, media_type = pages.asset(name)
    return HttpResponse(content, content_type=media_type)
