"""Endpoints without a body and without I/O."""

from __future__ import annotations

from apps.contract import domain, inbound
from apps.contract.models import CpuQuery
from apps.tornado_app.base import ApiHandler


class Health(ApiHandler):
    async def get(self) -> None:
        self.finish(domain.health())


class Plaintext(ApiHandler):
    async def get(self) -> None:
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(domain.GREETING)


class Greeting(ApiHandler):
    async def get(self) -> None:
        self.finish(domain.greeting())


class Item(ApiHandler):
    async def get(self, item_id: str) -> None:
        self.finish(domain.item(*inbound.read_item(item_id, self.getlist)))


class Cpu(ApiHandler):
    async def get(self) -> None:
        query = inbound.read_query(CpuQuery, self.getlist)
        self.finish(domain.burn(query.units))


routes = [
    (r"/health", Health),
    (r"/plaintext", Plaintext),
    (r"/json", Greeting),
    (r"/items/([^/]+)", Item),
    (r"/cpu", Cpu),
]
