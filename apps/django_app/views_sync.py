"""Sync views: what Django serves under WSGI."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse

from apps.backends import blocking
from apps.contract import domain, inbound
from apps.contract.models import CpuQuery, Order, WaitQuery
from apps.django_app.body import full_reply, read_json, with_pricing
from apps.django_app.errors import sync_view


@sync_view("GET")
def health(request: HttpRequest) -> HttpResponse:
    return JsonResponse(domain.health())


@sync_view("GET")
def plaintext(request: HttpRequest) -> HttpResponse:
    return HttpResponse(domain.GREETING, content_type="text/plain; charset=utf-8")


@sync_view("GET")
def greeting(request: HttpRequest) -> HttpResponse:
    return JsonResponse(domain.greeting())


@sync_view("GET")
def item(request: HttpRequest, item_id: str) -> HttpResponse:
    return JsonResponse(domain.item(*inbound.read_item(item_id, request.GET.getlist)))


@sync_view("GET")
def cpu(request: HttpRequest) -> HttpResponse:
    query = inbound.read_query(CpuQuery, request.GET.getlist)
    return JsonResponse(domain.burn(query.units))


@sync_view("POST")
def order_raw(request: HttpRequest) -> HttpResponse:
    return JsonResponse(domain.raw_totals(read_json(request)))


@sync_view("POST")
def order_validated(request: HttpRequest) -> HttpResponse:
    order = inbound.read_body(Order, read_json(request))
    return JsonResponse(domain.totals(order))


@sync_view("POST")
def order_full(request: HttpRequest) -> HttpResponse:
    return full_reply(inbound.read_body(Order, read_json(request)))


@sync_view("POST")
@with_pricing
def order_injected(request: HttpRequest, price: domain.Pricing) -> HttpResponse:
    return full_reply(inbound.read_body(Order, read_json(request)), price)


@sync_view("GET")
def sleep(request: HttpRequest) -> HttpResponse:
    query = inbound.read_query(WaitQuery, request.GET.getlist)
    blocking.wait(query.ms)
    return JsonResponse(domain.waited(query.ms))
