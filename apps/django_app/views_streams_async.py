"""Async views of bodies that come piece by piece, and of the documentation, which Django has none of its own for."""

from __future__ import annotations

from collections.abc import AsyncIterator

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse

from apps.backends import awaiting
from apps.contract import inbound, openapi, pages, transfer
from apps.contract.inputs import DownloadQuery, EventsQuery
from apps.contract.operations import EVENTS, TEXT
from apps.django_app.errors import async_view


@async_view("GET")
async def download(request: HttpRequest) -> HttpResponseBase:
    query = inbound.read_query(DownloadQuery, request.GET.getlist)

    async def body() -> AsyncIterator[bytes]:
        for chunk in transfer.chunks(query.kb):
            yield chunk

    return StreamingHttpResponse(body(), content_type=TEXT)


@async_view("GET")
async def events(request: HttpRequest) -> HttpResponseBase:
    query = inbound.read_query(EventsQuery, request.GET.getlist)

    async def body() -> AsyncIterator[bytes]:
        for number in range(query.n):
            if number and query.interval_ms:
                await awaiting.wait(query.interval_ms)
            yield transfer.event(number)

    return StreamingHttpResponse(body(), content_type=EVENTS, headers={"Cache-Control": "no-cache"})


@async_view("GET")
async def document(request: HttpRequest) -> HttpResponse:
    return JsonResponse(openapi.document())


@async_view("GET")
async def docs(request: HttpRequest) -> HttpResponse:
    return HttpResponse(pages.SWAGGER_PAGE)


@async_view("GET")
async def redoc(request: HttpRequest) -> HttpResponse:
    return HttpResponse(pages.REDOC_PAGE)


@async_view("GET")
async def asset(request: HttpRequest, name: str) -> HttpResponse:
    content, media_type = pages.asset(name)
    return HttpResponse(content, content_type=media_type)
