"""Async operations, for ASGI."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path as url
from ninja import Body, Path, Query

from apps.contract import domain
from apps.contract.models import CpuQuery, FullOrder, ItemPath, ItemQuery, Order, PageQuery, RowsQuery
from apps.contract.replies import Burnt, Greeting, Health, Item, OrderTotals, Rows
from apps.django_ninja_app.errors import new_api

api = new_api()


@api.get("/health", response=Health)
async def health(request: HttpRequest) -> dict[str, Any]:
    return domain.health()


@api.get("/plaintext")
async def plaintext(request: HttpRequest) -> HttpResponse:
    return HttpResponse(domain.GREETING, content_type="text/plain; charset=utf-8")


@api.get("/json", response=Greeting)
async def greeting(request: HttpRequest) -> dict[str, Any]:
    return domain.greeting()


@api.get("/items/{item_id}", response=Item)
async def item(request: HttpRequest, path: Path[ItemPath], query: Query[ItemQuery]) -> dict[str, Any]:
    return domain.item(path.item_id, query)


@api.get("/cpu", response=Burnt)
async def cpu(request: HttpRequest, query: Query[CpuQuery]) -> dict[str, Any]:
    return domain.burn(query.units)


@api.get("/rows", response=Rows)
async def rows(request: HttpRequest, query: Query[RowsQuery]) -> dict[str, Any]:
    return {"rows": domain.rows(query.n)}


@api.get("/rows/raw")
async def rows_raw(request: HttpRequest, query: Query[RowsQuery]) -> dict[str, Any]:
    return {"rows": domain.rows(query.n)}


@api.get("/page")
async def page(request: HttpRequest, query: Query[PageQuery]) -> HttpResponse:
    return render(request, "page.html", {"rows": domain.rows(query.rows)})


@api.post("/orders/raw", response=OrderTotals)
async def order_raw(request: HttpRequest, order: Body[dict[str, Any]]) -> dict[str, Any]:
    return domain.raw_totals(order)


@api.post("/orders/validated", response=OrderTotals)
async def order_validated(request: HttpRequest, order: Order) -> dict[str, Any]:
    return domain.totals(order)


@api.post("/orders/full", response=FullOrder)
async def order_full(request: HttpRequest, order: Order) -> dict[str, Any]:
    return domain.full_order(order)


urlpatterns = [url("", api.urls)]
