"""Endpoints that wait."""

from __future__ import annotations

from apps.backends import awaiting, blocking
from apps.contract import domain, inbound
from apps.contract.models import WaitQuery
from apps.tornado_app.base import ApiHandler


class Sleep(ApiHandler):
    async def get(self) -> None:
        query = inbound.read_query(WaitQuery, self.getlist)
        await awaiting.wait(query.ms)
        self.finish(domain.waited(query.ms))


class Block(ApiHandler):
    async def get(self) -> None:
        query = inbound.read_query(WaitQuery, self.getlist)
        blocking.wait(query.ms)
        self.finish(domain.waited(query.ms))


routes = [(r"/io/sleep", Sleep), (r"/io/blocking", Block)]
