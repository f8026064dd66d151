"""Endpoints that wait. Under WSGI the two are the same: a wait holds its thread either way."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from apps.backends import blocking
from apps.contract import domain, inbound
from apps.contract.models import WaitQuery

blueprint = Blueprint("waits", __name__, url_prefix="/io")


@blueprint.get("/sleep")
@blueprint.get("/blocking")
def sleep() -> dict[str, Any]:
    query = inbound.read_query(WaitQuery, request.args.getlist)
    blocking.wait(query.ms)
    return domain.waited(query.ms)
