"""Endpoints that take an order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from apps.contract import domain, inbound
from apps.contract.models import FullOrder, Order
from apps.tornado_app.base import JsonHandler

Reply = Callable[[Any, Any], Awaitable[str]]


def with_pricing(reply: Reply) -> Reply:
    """Puts what prices an order into ``self.price``."""

    @wraps(reply)
    async def priced(self: Any, value: Any) -> str:
        self.price = domain.pricing()
        return await reply(self, value)

    return priced


class Raw(JsonHandler):
    async def reply(self, value: Any) -> dict[str, Any]:
        return domain.raw_totals(value)


class Validated(JsonHandler):
    async def reply(self, value: Any) -> dict[str, Any]:
        return domain.totals(inbound.read_body(Order, value))


class Full(JsonHandler):
    async def reply(self, value: Any) -> str:
        order = inbound.read_body(Order, value)
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        return FullOrder.model_validate(domain.full_order(order)).model_dump_json()


class Injected(JsonHandler):
    price: domain.Pricing

    @with_pricing
    async def reply(self, value: Any) -> str:
        order = inbound.read_body(Order, value)
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        return FullOrder.model_validate(self.price(order)).model_dump_json()


routes = [
    (r"/orders/raw", Raw),
    (r"/orders/validated", Validated),
    (r"/orders/full", Full),
    (r"/orders/injected", Injected),
]
