"""Sync views of services, products, users and files."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse

from apps.backends import blocking
from apps.contract import inbound, security, transfer
from apps.contract.inputs import FileQuery, NewProduct, ProductPath, ProductsQuery, UpstreamQuery
from apps.contract.models import WaitQuery
from apps.contract.settings import settings
from apps.django_app.body import read_json, read_password_form, uploaded
from apps.django_app.errors import by_method, sync_view, token_required
from apps.django_app.resources_sync import database, upstream
from apps.django_app.store import product_store


@sync_view("GET")
def call_upstream(request: HttpRequest) -> HttpResponse:
    query = inbound.read_query(UpstreamQuery, request.GET.getlist)
    return JsonResponse(transfer.upstream_sum(upstream.delays(query.ms, query.calls)))


@sync_view("GET")
def sleep_in_database(request: HttpRequest) -> HttpResponse:
    query = inbound.read_query(WaitQuery, request.GET.getlist)
    return JsonResponse(transfer.database_row(query.ms, database.slept(query.ms)))


@sync_view("GET")
def read_file(request: HttpRequest) -> HttpResponse:
    query = inbound.read_query(FileQuery, request.GET.getlist)
    return JsonResponse(blocking.file_sum(query.name))


@sync_view("GET")
def product(request: HttpRequest, product_id: str) -> HttpResponse:
    path = inbound.read_path(ProductPath, product_id=product_id)
    return JsonResponse(product_store().product(path.product_id))


@sync_view("GET")
def list_products(request: HttpRequest) -> HttpResponse:
    query = inbound.read_query(ProductsQuery, request.GET.getlist)
    return JsonResponse(transfer.product_page(query, product_store().products(query.limit, query.offset)))


@sync_view("POST")
def insert_product(request: HttpRequest) -> HttpResponse:
    new = inbound.read_body(NewProduct, read_json(request))
    return JsonResponse(product_store().add(new), status=201)


products = by_method(get=list_products, post=insert_product)


@sync_view("POST")
def token(request: HttpRequest) -> HttpResponse:
    form = read_password_form(request)
    account = blocking.authenticate(form.username, form.password)
    return JsonResponse(security.issue(account, settings().jwt_secret))


@sync_view("GET")
@token_required
def me(request: HttpRequest, account: security.Account) -> HttpResponse:
    return JsonResponse(security.profile(account))


@sync_view("POST")
def upload(request: HttpRequest) -> HttpResponse:
    return JsonResponse(uploaded(request))
