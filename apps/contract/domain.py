"""What the endpoints compute: pure functions, the same in every app. Amounts are in whole cents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from apps.contract.models import ItemQuery, Order

GREETING = "Hello, World!"
Pricing = Callable[[Order], dict[str, Any]]
ROUNDS_PER_UNIT = 1_000


def health() -> dict[str, Any]:
    """Reply of ``GET /health``."""
    return {"status": "ok"}


def greeting() -> dict[str, Any]:
    """Reply of ``GET /json``."""
    return {"message": GREETING}


def item(item_id: int, query: ItemQuery) -> dict[str, Any]:
    """Reply of ``GET /items/{item_id}``: the values of the request, typed, and a made-up price."""
    return {
        "item_id": item_id,
        "name": f"Item {item_id}",
        "price_cents": item_id * 37 % 10_000 + 99,
        "q": query.q,
        "limit": query.limit,
        "tags": query.tags,
    }


def line_amounts(quantity: int, unit_price_cents: int, discount_percent: int | None) -> tuple[int, int]:
    """Gross and discount of one line, in cents; the discount is rounded half up."""
    gross = quantity * unit_price_cents
    return gross, (gross * (discount_percent or 0) + 50) // 100


def raw_totals(order: Mapping[str, Any]) -> dict[str, Any]:
    """Totals of an order straight from the JSON parser, unchecked.

    Raises:
        KeyError, TypeError, AttributeError: the order does not have the expected shape; nothing checks it before.
    """
    return _totals(
        order["currency"],
        [(line["quantity"], line["unit_price_cents"], line.get("discount_percent")) for line in order["lines"]],
    )


def totals(order: Order) -> dict[str, Any]:
    """Totals of a validated order: the same reply as ``raw_totals``."""
    return _totals(
        order.currency.value,
        [(line.quantity, line.unit_price_cents, line.discount_percent) for line in order.lines],
    )


def full_order(order: Order) -> dict[str, Any]:
    """The whole order with its amounts, as plain data that ``models.FullOrder`` validates and serializes."""
    return priced(order.model_dump())


def priced(order: dict[str, Any]) -> dict[str, Any]:
    """The same for a valid order that is plain data already, to which the amounts are added."""
    for line in order["lines"]:
        gross, discount = line_amounts(line["quantity"], line["unit_price_cents"], line["discount_percent"])
        line.update(gross_cents=gross, discount_cents=discount, total_cents=gross - discount)
    sums = raw_totals(order)
    currency = sums.pop("currency")
    order["reference"] = f"{currency}-{sums['lines']}-{sums['total_cents']}"
    order["totals"] = sums
    return order


def pricing() -> Pricing:
    """What ``POST /orders/injected`` gets instead of calling ``full_order``; costs next to nothing by itself."""
    return full_order


def burn(units: int) -> dict[str, Any]:
    """Reply of ``GET /cpu``: ``units`` times ``ROUNDS_PER_UNIT`` steps of a linear congruential generator."""
    state = 1
    for _ in range(units * ROUNDS_PER_UNIT):
        state = (state * 1_103_515_245 + 12_345) & 0x7FFFFFFF
    return {"units": units, "result": state}


def rows(n: int) -> list[dict[str, Any]]:
    """The first ``n`` of 1,000 rows, about 200 bytes of JSON each; their texts need escaping in HTML."""
    return _rows()[:n]


def waited(ms: int) -> dict[str, Any]:
    """Reply of the endpoints that wait."""
    return {"slept_ms": ms}


@cache
def _rows() -> list[dict[str, Any]]:
    return [_row(number) for number in range(1, 1_001)]


def _row(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "sku": f"ROW-{number:04d}",
        "name": f"Row <{number}> & co",
        "description": f"Made up, weighs < {number % 50 + 1} kg, sent in two days",
        "price_cents": number * 37 % 10_000 + 99,
        "in_stock": number % 3 != 0,
        "tags": ["gift", "fragile", "bulk"][: number % 4],
        "updated_at": f"2025-03-14T09:{number % 60:02d}:53Z",
    }


def _totals(currency: str, lines: Iterable[tuple[int, int, int | None]]) -> dict[str, Any]:
    count = quantity = gross = discount = 0
    for line in lines:
        line_gross, line_discount = line_amounts(*line)
        count += 1
        quantity += line[0]
        gross += line_gross
        discount += line_discount
    return {
        "currency": currency,
        "lines": count,
        "quantity": quantity,
        "gross_cents": gross,
        "discount_cents": discount,
        "total_cents": gross - discount,
    }
