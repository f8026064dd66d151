"""Endpoints that wait on a service."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from apps.backends import awaiting
from apps.contract import inbound, transfer
from apps.contract.inputs import FileQuery, UpstreamQuery
from apps.contract.models import WaitQuery
from apps.starlette_app.resources import database, upstream


async def call_upstream(request: Request) -> JSONResponse:
    query = inbound.read_query(UpstreamQuery, request.query_params.getlist)
    return JSONResponse(transfer.upstream_sum(await upstream.delays(query.ms, query.calls)))


async def sleep_in_database(request: Request) -> JSONResponse:
    query = inbound.read_query(WaitQuery, request.query_params.getlist)
    return JSONResponse(transfer.database_row(query.ms, await database.slept(query.ms)))


async def read_file(request: Request) -> JSONResponse:
    query = inbound.read_query(FileQuery, request.query_params.getlist)
    return JSONResponse(await awaiting.file_sum(query.name))


routes = [Route("/io/upstream", call_upstream), Route("/io/db", sleep_in_database), Route("/io/file", read_file)]
