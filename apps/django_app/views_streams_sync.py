"""Sync views of bodies that come piece by piece, and of the documentation, which Django has none of its own for."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse

from apps.backends import blocking
from apps.contract import inbound, openapi, pages, transfer
from apps.contract.inputs import DownloadQuery, EventsQuery
from apps.contract.operations import EVENTS, TEXT
from apps.django_app.errors import sync_view


@sync_view("GET")
def download(request: HttpRequest) -> HttpResponseBase:
    query = inbound.read_query(DownloadQuery, request.GET.getlist)
    return StreamingHttpResponse(transfer.chunks(query.kb), content_type=TEXT)


@sync_view("GET")
def events(request: HttpRequest) -> HttpResponseBase:
    query = inbound.read_query(EventsQuery, request.GET.getlist)

    def body() -> Iterator[bytes]:
        for number in range(query.n):
            if number and query.interval_ms:
                blocking.wait(query.interval_ms)
            yield transfer.event(number)

    return StreamingHttpResponse(body(), content_type=EVENTS, headers={"Cache-Control": "no-cache"})


@sync_view("GET")
def document(request: HttpRequest) -> HttpResponse:
    return JsonResponse(openapi.document())


@sync_view("GET")
def docs(request: HttpRequest) -> HttpResponse:
    return HttpResponse(pages.SWAGGER_PAGE)


@sync_view("GET")
def redoc(request: HttpRequest) -> HttpResponse:
    return HttpResponse(pages.REDOC_PAGE)


@sync_view("GET")
def asset(request: HttpRequest, name: str) -> HttpResponse:
    content, media_type = pages.asset(name)
    return HttpResponse(content, content_type=media_type)
