"""Endpoints that wait on a service."""

from __future__ import annotations

from apps.backends import awaiting
from apps.contract import inbound, transfer
from apps.contract.inputs import FileQuery, UpstreamQuery
from apps.contract.models import WaitQuery
from apps.tornado_app.base import ApiHandler
from apps.tornado_app.resources import database, upstream


class CallUpstream(ApiHandler):
    async def get(self) -> None:
        query = inbound.read_query(UpstreamQuery, self.getlist)
        self.finish(transfer.upstream_sum(await upstream.delays(query.ms, query.calls)))


class SleepInDatabase(ApiHandler):
    async def get(self) -> None:
        query = inbound.read_query(WaitQuery, self.getlist)
        self.finish(transfer.database_row(query.ms, await database.slept(query.ms)))


class ReadFile(ApiHandler):
    async def get(self) -> None:
        query = inbound.read_query(FileQuery, self.getlist)
        self.finish(await awaiting.file_sum(query.name))


routes = [(r"/io/upstream", CallUpstream), (r"/io/db", SleepInDatabase), (r"/io/file", ReadFile)]
