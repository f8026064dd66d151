"""Endpoints that wait on a service."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from apps.backends import blocking
from apps.contract import inbound, transfer
from apps.contract.inputs import FileQuery, UpstreamQuery
from apps.contract.models import WaitQuery
from apps.flask_app.resources import database, upstream

blueprint = Blueprint("io", __name__, url_prefix="/io")


@blueprint.get("/upstream")
def call_upstream() -> dict[str, Any]:
    query = inbound.read_query(UpstreamQuery, request.args.getlist)
    return transfer.upstream_sum(upstream.delays(query.ms, query.calls))


@blueprint.get("/db")
def sleep_in_database() -> dict[str, Any]:
    query = inbound.read_query(WaitQuery, request.args.getlist)
    return transfer.database_row(query.ms, database.slept(query.ms))


@blueprint.get("/file")
def read_file() -> dict[str, Any]:
    query = inbound.read_query(FileQuery, request.args.getlist)
    return blocking.file_sum(query.name)
