"""Sync views: what Django serves under WSGI."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.backends import blocking
from apps.backends.sync_database import Database
from apps.backends.sync_upstream import Upstream
from apps.contract import domain, security, transfer
from apps.contract.inputs import (
    DownloadQuery,
    EventsQuery,
    FileQuery,
    NewProduct,
    PasswordForm,
    ProductPath,
    ProductsQuery,
    UpstreamQuery,
)
from apps.contract.models import CpuQuery, FullOrder, ItemPath, ItemQuery, Order, PageQuery, RowsQuery, WaitQuery
from apps.contract.replies import Rows
from apps.contract.settings import settings
from apps.django_app.shared import EVENTS, TEXT, form, model_reply, read_json, token_required, uploaded, with_pricing

database = Database()
upstream = Upstream()


@require_GET
def health(request: HttpRequest) -> HttpResponse:
    return JsonResponse(domain.health())


@require_GET
def plaintext(request: HttpRequest) -> HttpResponse:
    return HttpResponse(domain.GREETING, content_type=TEXT)


@require_GET
def greeting(request: HttpRequest) -> HttpResponse:
    return JsonResponse(domain.greeting())


@require_GET
def item(request: HttpRequest, item_id: str) -> HttpResponse:
    path = ItemPath.model_validate({"item_id": item_id})
    query = ItemQuery.model_validate(request.GET.dict() | {"tags": request.GET.getlist("tags")})
    return JsonResponse(domain.item(path.item_id, query))


@require_GET
def cpu(request: HttpRequest) -> HttpResponse:
    query = CpuQuery.model_validate(request.GET.dict())
    return JsonResponse(domain.burn(query.units))


@require_GET
def rows(request: HttpRequest) -> HttpResponse:
    query = RowsQuery.model_validate(request.GET.dict())
    return model_reply(Rows, {"rows": domain.rows(query.n)})


@require_GET
def rows_raw(request: HttpRequest) -> HttpResponse:
    query = RowsQuery.model_validate(request.GET.dict())
    return JsonResponse({"rows": domain.rows(query.n)})


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    query = PageQuery.model_validate(request.GET.dict())
    return render(request, "page.html", {"rows": domain.rows(query.rows)})


@require_POST
def order_raw(request: HttpRequest) -> HttpResponse:
    return JsonResponse(domain.raw_totals(read_json(request)))


@require_POST
def order_validated(request: HttpRequest) -> HttpResponse:
    order = Order.model_validate(read_json(request))
    return JsonResponse(domain.totals(order))


@require_POST
def order_full(request: HttpRequest) -> HttpResponse:
    order = Order.model_validate(read_json(request))
    return model_reply(FullOrder, domain.full_order(order))


@require_POST
@with_pricing
def order_injected(request: HttpRequest, price: domain.Pricing) -> HttpResponse:
    order = Order.model_validate(read_json(request))
    return model_reply(FullOrder, price(order))


@require_GET
def sleep(request: HttpRequest) -> HttpResponse:
    query = WaitQuery.model_validate(request.GET.dict())
    blocking.wait(query.ms)
    return JsonResponse(domain.waited(query.ms))


@require_GET
def call_upstream(request: HttpRequest) -> HttpResponse:
    query = UpstreamQuery.model_validate(request.GET.dict())
    return JsonResponse(transfer.upstream_sum(upstream.delays(query.ms, query.calls)))


@require_GET
def sleep_in_database(request: HttpRequest) -> HttpResponse:
    query = WaitQuery.model_validate(request.GET.dict())
    return JsonResponse(transfer.database_row(query.ms, database.slept(query.ms)))


@require_GET
def read_file(request: HttpRequest) -> HttpResponse:
    query = FileQuery.model_validate(request.GET.dict())
    return JsonResponse(blocking.file_sum(query.name))


@require_GET
def product(request: HttpRequest, product_id: str, store: Any = database) -> HttpResponse:
    path = ProductPath.model_validate({"product_id": product_id})
    return JsonResponse(store.product(path.product_id))


@require_http_methods(["GET", "POST"])
def products(request: HttpRequest, store: Any = database) -> HttpResponse:
    if request.method == "POST":
        new = NewProduct.model_validate(read_json(request))
        return JsonResponse(store.add(new), status=201)
    query = ProductsQuery.model_validate(request.GET.dict())
    return JsonResponse(transfer.product_page(query, store.products(query.limit, query.offset)))


@require_POST
def token(request: HttpRequest) -> HttpResponse:
    password = PasswordForm.model_validate(form(request).dict())
    account = blocking.authenticate(password.username, password.password)
    return JsonResponse(security.issue(account, settings().jwt_secret))


@require_GET
@token_required
def me(request: HttpRequest, account: security.Account) -> HttpResponse:
    return JsonResponse(security.profile(account))


@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    return JsonResponse(uploaded(request))


@require_GET
def download(request: HttpRequest) -> HttpResponseBase:
    query = DownloadQuery.model_validate(request.GET.dict())
    return StreamingHttpResponse(transfer.chunks(query.kb), content_type=TEXT)


@require_GET
def events(request: HttpRequest) -> HttpResponseBase:
    query = EventsQuery.model_validate(request.GET.dict())

    def body() -> Iterator[bytes]:
        for number in range(query.n):
            if number and query.interval_ms:
                blocking.wait(query.interval_ms)
            yield transfer.event(number)

    return StreamingHttpResponse(body(), content_type=EVENTS, headers=transfer.EVENT_HEADERS)
