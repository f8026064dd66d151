"""Async views of services, products, users and files."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse

from apps.backends import awaiting
from apps.contract import inbound, security, transfer
from apps.contract.inputs import FileQuery, NewProduct, ProductPath, ProductsQuery, UpstreamQuery
from apps.contract.models import WaitQuery
from apps.contract.settings import settings
from apps.django_app.body import read_json, read_password_form, uploaded
from apps.django_app.errors import async_view, by_method_async, token_required
from apps.django_app.resources_async import database, upstream
from apps.django_app.store import product_store


@async_view("GET")
async def call_upstream(request: HttpRequest) -> HttpResponse:
    query = inbound.read_query(UpstreamQuery, request.GET.getlist)
    return JsonResponse(transfer.upstream_sum(await upstream.delays(query.ms, query.calls)))


@async_view("GET")
async def sleep_in_database(request: HttpRequest) -> HttpResponse:
    query = inbound.read_query(WaitQuery, request.GET.getlist)
    return JsonResponse(transfer.database_row(query.ms, await database.slept(query.ms)))


@async_view("GET")
async def read_file(request: HttpRequest) -> HttpResponse:
    query = inbound.read_query(FileQuery, request.GET.getlist)
    return JsonResponse(await awaiting.file_sum(query.name))


@async_view("GET")
async def product(request: HttpRequest, product_id: str) -> HttpResponse:
    path = inbound.read_path(ProductPath, product_id=product_id)
    return JsonResponse(await product_store().product(path.product_id))


@async_view("GET")
async def list_products(request: HttpRequest) -> HttpResponse:
    query = inbound.read_query(ProductsQuery, request.GET.getlist)
    return JsonResponse(transfer.product_page(query, await product_store().products(query.limit, query.offset)))


@async_view("POST")
async def insert_product(request: HttpRequest) -> HttpResponse:
    new = inbound.read_body(NewProduct, read_json(request))
    return JsonResponse(await product_store().add(new), status=201)


products = by_method_async(get=list_products, post=insert_product)


@async_view("POST")
async def token(request: HttpRequest) -> HttpResponse:
    form = read_password_form(request)
    account = await awaiting.authenticate(form.username, form.password)
    return JsonResponse(security.issue(account, settings().jwt_secret))


@async_view("GET")
@token_required
async def me(request: HttpRequest, account: security.Account) -> HttpResponse:
    return JsonResponse(security.profile(account))


@async_view("POST")
async def upload(request: HttpRequest) -> HttpResponse:
    return JsonResponse(uploaded(request))
