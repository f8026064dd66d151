"""Async views: what Django serves under ASGI."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse

from apps.backends import awaiting, blocking
from apps.contract import domain, inbound
from apps.contract.models import CpuQuery, Order, WaitQuery
from apps.django_app.body import full_reply, read_json, with_pricing
from apps.django_app.errors import async_view


@async_view("GET")
async def health(request: HttpRequest) -> HttpResponse:
    return JsonResponse(domain.health())


@async_view("GET")
async def plaintext(request: HttpRequest) -> HttpResponse:
    return HttpResponse(domain.GREETING, content_type="text/plain; charset=utf-8")


@async_view("GET")
async def greeting(request: HttpRequest) -> HttpResponse:
    return JsonResponse(domain.greeting())


@async_view("GET")
async def item(request: HttpRequest, item_id: str) -> HttpResponse:
    return JsonResponse(domain.item(*inbound.read_item(item_id, request.GET.getlist)))


@async_view("GET")
async def cpu(request: HttpRequest) -> HttpResponse:
    query = inbound.read_query(CpuQuery, request.GET.getlist)
    return JsonResponse(domain.burn(query.units))


@async_view("POST")
async def order_raw(request: HttpRequest) -> HttpResponse:
    return JsonResponse(domain.raw_totals(read_json(request)))


@async_view("POST")
async def order_validated(request: HttpRequest) -> HttpResponse:
    order = inbound.read_body(Order, read_json(request))
    return JsonResponse(domain.totals(order))


@async_view("POST")
async def order_full(request: HttpRequest) -> HttpResponse:
    return full_reply(inbound.read_body(Order, read_json(request)))


@async_view("POST")
@with_pricing
async def order_injected(request: HttpRequest, price: domain.Pricing) -> HttpResponse:
    return full_reply(inbound.read_body(Order, read_json(request)), price)


@async_view("GET")
async def sleep(request: HttpRequest) -> HttpResponse:
    query = inbound.read_query(WaitQuery, request.GET.getlist)
    await awaiting.wait(query.ms)
    return JsonResponse(domain.waited(query.ms))


@async_view("GET")
async def block(request: HttpRequest) -> HttpResponse:
    query = inbound.read_query(WaitQuery, request.GET.getlist)
    blocking.wait(query.ms)
    return JsonResponse(domain.waited(query.ms))
