"""Function based views."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from apps.contract import domain
from apps.django_rest_app.errors import checked
from apps.django_rest_app.serializers import CpuQuery, FullOrder, ItemPath, ItemQuery, Order, Rows, RowsQuery


def serialized(serializer: type[Serializer], value: dict[str, Any]) -> Response:
    """``value``, validated and serialized, as the contract requires of a reply with a model."""
    bound = serializer(data=value)
    if not bound.is_valid():
        raise ValueError(bound.errors)
    return Response(bound.data)


@api_view(["GET"])
def health(request: Request) -> Response:
    return Response(domain.health())


@api_view(["GET"])
def greeting(request: Request) -> Response:
    return Response(domain.greeting())


@api_view(["GET"])
def item(request: Request, item_id: str) -> Response:
    path, query = checked(path=ItemPath(data={"item_id": item_id}), query=ItemQuery(data=request.query_params))
    return Response(domain.item(path["item_id"], SimpleNamespace(**query)))


@api_view(["GET"])
def cpu(request: Request) -> Response:
    (query,) = checked(query=CpuQuery(data=request.query_params))
    return Response(domain.burn(query["units"]))


@api_view(["GET"])
def rows(request: Request) -> Response:
    (query,) = checked(query=RowsQuery(data=request.query_params))
    return serialized(Rows, {"rows": domain.rows(query["n"])})


@api_view(["GET"])
def rows_raw(request: Request) -> Response:
    (query,) = checked(query=RowsQuery(data=request.query_params))
    return Response({"rows": domain.rows(query["n"])})


@api_view(["POST"])
def order_raw(request: Request) -> Response:
    return Response(domain.raw_totals(request.data))


@api_view(["POST"])
def order_validated(request: Request) -> Response:
    (order,) = checked(body=Order(data=request.data))
    return Response(domain.raw_totals(order))


@api_view(["POST"])
def order_full(request: Request) -> Response:
    (order,) = checked(body=Order(data=request.data))
    return serialized(FullOrder, domain.priced(order))
