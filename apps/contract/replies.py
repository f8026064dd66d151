"""Pydantic models of the replies: what the documentation shows, and what FastAPI's functions return.

The other apps return most replies as plain data, as their communities do; ``/orders/full``, ``/orders/injected`` and
``/rows`` validate and serialize a model everywhere, because that is what they measure.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field, ValidationError, WithJsonSchema

from apps.contract.models import Currency


class WrongReply(Exception):
    """A reply that its own model refuses: a fault of the app, answered with 500."""


def serialized(model: type[BaseModel], value: dict[str, Any]) -> str:
    """``value`` as JSON, validated and serialized by its model.

    Raises:
        WrongReply: the model refuses it. A ``ValidationError`` would pass for a fault of the request.
    """
    try:
        return model.model_validate(value).model_dump_json()
    except ValidationError as error:
        raise WrongReply(str(error)) from error


class Health(BaseModel):
    status: Literal["ok"]


class Greeting(BaseModel):
    message: str


class Item(BaseModel):
    item_id: int
    name: str
    price_cents: int
    q: str | None
    limit: int
    tags: list[str]


class OrderTotals(BaseModel):
    """Amounts in cents."""

    currency: Currency
    lines: int
    quantity: int
    gross_cents: int
    discount_cents: int
    total_cents: int


class Slept(BaseModel):
    slept_ms: int


class Burnt(BaseModel):
    units: int
    result: int


class Row(BaseModel):
    """``price_cents`` in cents."""

    id: int
    sku: str
    name: str
    description: str
    price_cents: int
    in_stock: bool
    tags: list[str]
    updated_at: AwareDatetime


class Rows(BaseModel):
    rows: list[Row]


class Tick(BaseModel):
    """What each event of ``GET /stream/events`` carries."""

    n: int


class UpstreamSum(BaseModel):
    """``delayed_ms``: the sum over all calls of the delays that the upstream service reported."""

    calls: int
    delayed_ms: int


class Product(BaseModel):
    id: int
    sku: str
    name: str
    price_cents: int
    stock: int


class ProductPage(BaseModel):
    limit: int
    offset: int
    products: list[Product]


class DatabaseRow(BaseModel):
    slept_ms: int
    product: Product


class FileSum(BaseModel):
    """``size`` in bytes."""

    name: str
    size: int
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Token(BaseModel):
    """``expires_in`` in seconds."""

    access_token: str
    token_type: Literal["bearer"]
    expires_in: int


class User(BaseModel):
    username: str
    full_name: str
    email: str


class Fault(BaseModel):
    """One fault of a request: where it is, what is wrong, and its kind.

    FastAPI's documentation leaves room for an input and a context too, which no app sends.
    """

    loc: list[str | int]
    msg: str
    type: str
    input: Any = None
    ctx: Annotated[dict[str, Any], WithJsonSchema({"type": "object"}), Field(default_factory=dict)]


class Invalid(BaseModel):
    """A 422 reply: every fault of the request."""

    detail: Annotated[list[Fault], Field(default_factory=list)]


class Problem(BaseModel):
    """Any other refusal."""

    detail: str
