"""Endpoints that wait on a service."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from apps.backends import awaiting
from apps.backends.async_database import Database
from apps.backends.async_upstream import Upstream
from apps.contract import transfer
from apps.contract.inputs import FileQuery, UpstreamQuery
from apps.contract.models import WaitQuery
from apps.contract.replies import DatabaseReply, FileReply, UpstreamReply
from apps.fastapi_app.errors import refusals
from apps.fastapi_app.resources import database, upstream

router = APIRouter(prefix="/io")


@router.get("/upstream", responses=refusals(422, 503))
async def call_upstream(
    query: Annotated[UpstreamQuery, Query()], service: Annotated[Upstream, Depends(upstream)]
) -> UpstreamReply:
    return transfer.upstream_sum(await service.delays(query.ms, query.calls))


@router.get("/db", responses=refusals(422, 503))
async def sleep_in_database(
    query: Annotated[WaitQuery, Query()], rows: Annotated[Database, Depends(database)]
) -> DatabaseReply:
    return transfer.database_row(query.ms, await rows.slept(query.ms))


@router.get("/file", responses=refusals(404, 422))
async def read_file(query: Annotated[FileQuery, Query()]) -> FileReply:
    return await awaiting.file_sum(query.name)
