"""Endpoints without a body and without I/O."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from apps.contract import domain, inbound
from apps.contract.models import CpuQuery

blueprint = Blueprint("basics", __name__)


@blueprint.get("/health")
def health() -> dict[str, Any]:
    return domain.health()


@blueprint.get("/plaintext")
def plaintext() -> Response:
    return Response(domain.GREETING, mimetype="text/plain")


@blueprint.get("/json")
def greeting() -> dict[str, Any]:
    return domain.greeting()


@blueprint.get("/items/<item_id>")
def item(item_id: str) -> dict[str, Any]:
    return domain.item(*inbound.read_item(item_id, request.args.getlist))


@blueprint.get("/cpu")
def cpu() -> dict[str, Any]:
    query = inbound.read_query(CpuQuery, request.args.getlist)
    return domain.burn(query.units)
