"""Pydantic models of the replies: what the documentation shows, and what FastAPI is told that it returns.

The apps build most replies as plain data; only ``orders/full`` validates its reply, because that is what it measures.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue

from apps.contract.models import Currency


class Documented:
    """Metadata for ``Annotated[dict[str, Any], …]``: documented as a model, serialized as the plain data that it is."""

    def __init__(self, model: type[BaseModel]) -> None:
        self.model = model

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(self.model.__pydantic_core_schema__)


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
    """One fault of a request: where it is, what is wrong, and its kind."""

    loc: list[str | int]
    msg: str
    type: str


class Invalid(BaseModel):
    """A 422 reply: every fault of the request."""

    detail: list[Fault]


class Problem(BaseModel):
    """Any other refusal."""

    detail: str


ItemReply = Annotated[dict[str, Any], Documented(Item)]
HealthReply = Annotated[dict[str, Any], Documented(Health)]
GreetingReply = Annotated[dict[str, Any], Documented(Greeting)]
TotalsReply = Annotated[dict[str, Any], Documented(OrderTotals)]
SleptReply = Annotated[dict[str, Any], Documented(Slept)]
BurntReply = Annotated[dict[str, Any], Documented(Burnt)]
UpstreamReply = Annotated[dict[str, Any], Documented(UpstreamSum)]
ProductReply = Annotated[dict[str, Any], Documented(Product)]
ProductPageReply = Annotated[dict[str, Any], Documented(ProductPage)]
DatabaseReply = Annotated[dict[str, Any], Documented(DatabaseRow)]
FileReply = Annotated[dict[str, Any], Documented(FileSum)]
TokenReply = Annotated[dict[str, Any], Documented(Token)]
UserReply = Annotated[dict[str, Any], Documented(User)]
