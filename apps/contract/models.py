"""Pydantic models of every request and of the full order, shared by all apps.

Money is in whole cents, so that JSON values are exact and equal everywhere. Patterns spell out ``[0-9]`` because the
validator's ``\\d`` also matches digits of other scripts.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, RootModel

ItemId = Annotated[int, Field(ge=1, le=2_147_483_647)]
Cents = Annotated[int, Field(ge=0, le=100_000_000)]
Tag = Annotated[str, Field(min_length=1, max_length=32)]


class Currency(StrEnum):
    """ISO 4217 codes that an order may be in."""

    EUR = "EUR"
    KRW = "KRW"
    USD = "USD"


class ItemPath(BaseModel):
    """Path of ``/items/{item_id}``."""

    item_id: ItemId


class ItemQuery(BaseModel):
    """Query of ``GET /items/{item_id}``."""

    q: Annotated[str | None, Field(max_length=50)] = None
    limit: Annotated[int, Field(ge=1, le=100)] = 10
    tags: list[Tag] = []


class WaitQuery(BaseModel):
    """Query of ``GET /io/sleep`` and ``GET /io/blocking``; ``ms`` in milliseconds."""

    ms: Annotated[int, Field(ge=0, le=10_000)]


class CpuQuery(BaseModel):
    """Query of ``GET /cpu``; see ``domain.burn`` for what a unit is."""

    units: Annotated[int, Field(ge=1, le=1_000)]


class RowsQuery(BaseModel):
    """Query of ``GET /rows`` and ``GET /rows/raw``."""

    n: Annotated[int, Field(ge=1, le=1_000)]


class PageQuery(BaseModel):
    """Query of ``GET /page``."""

    rows: Annotated[int, Field(ge=1, le=1_000)]


class Strict(BaseModel):
    """Base of what is sent in a body: unknown keys are faults."""

    model_config = ConfigDict(extra="forbid")


class Customer(Strict):
    """Who orders."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    email: Annotated[str, Field(max_length=120, pattern=r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$")]
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


class Line(Strict):
    """One article of an order."""

    sku: Annotated[str, Field(pattern=r"^[A-Z]{3}-[0-9]{4}$")]
    quantity: Annotated[int, Field(ge=1, le=999)]
    unit_price_cents: Cents
    discount_percent: Annotated[int, Field(ge=0, le=100)] | None = None
    tags: Annotated[list[Tag], Field(max_length=8)] = []


class AnyObject(RootModel[dict[str, Any]]):
    """Body of ``POST /orders/raw``: an order as well, but nothing checks whether it is one."""


class Order(Strict):
    """Body of ``POST /orders/validated`` and ``POST /orders/full``."""

    customer: Customer
    currency: Currency
    created_at: AwareDatetime
    note: Annotated[str, Field(max_length=500)] | None = None
    lines: Annotated[list[Line], Field(min_length=1, max_length=500)]


class PricedLine(Line):
    """A line with its amounts, in cents."""

    gross_cents: Annotated[int, Field(ge=0)]
    discount_cents: Annotated[int, Field(ge=0)]
    total_cents: Annotated[int, Field(ge=0)]


class Totals(Strict):
    """Sums over the lines; amounts in cents."""

    lines: Annotated[int, Field(ge=1)]
    quantity: Annotated[int, Field(ge=1)]
    gross_cents: Annotated[int, Field(ge=0)]
    discount_cents: Annotated[int, Field(ge=0)]
    total_cents: Annotated[int, Field(ge=0)]


class FullOrder(Strict):
    """Reply of ``POST /orders/full``."""

    reference: Annotated[str, Field(pattern=r"^[A-Z]{3}-[0-9]+-[0-9]+$")]
    customer: Customer
    currency: Currency
    created_at: AwareDatetime
    note: str | None
    lines: Annotated[list[PricedLine], Field(min_length=1)]
    totals: Totals
