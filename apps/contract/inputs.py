"""Pydantic models of the requests that do I/O, sign in or carry files, shared by all apps."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from apps.contract.models import Cents, ItemId, Strict


class UpstreamQuery(BaseModel):
    """Query of ``GET /io/upstream``: ``calls`` requests that take ``ms`` milliseconds each.

    One after the other, as sync apps make them, they hold a worker for 20 seconds at most.
    """

    ms: Annotated[int, Field(ge=0, le=1_000)]
    calls: Annotated[int, Field(ge=1, le=20)] = 1


class FileQuery(BaseModel):
    """Query of ``GET /io/file``."""

    name: Annotated[str, Field(min_length=1, max_length=200)]


class ProductPath(BaseModel):
    """Path of ``/products/{product_id}``."""

    product_id: ItemId


class ProductsQuery(BaseModel):
    """Query of ``GET /products``."""

    limit: Annotated[int, Field(ge=1, le=100)] = 10
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class NewProduct(Strict):
    """Body of ``POST /products``; one without ``sku`` gets the next free one. PostgreSQL texts hold no NUL."""

    sku: Annotated[str, Field(pattern=r"^[A-Z]{3}-[0-9]{4,9}$")] | None = None
    name: Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00]+$")]
    price_cents: Cents
    stock: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class PasswordForm(BaseModel):
    """Form of ``POST /auth/token``: the password grant of OAuth2, as FastAPI's own form has it."""

    grant_type: Annotated[str, Field(pattern=r"^password$")] | None = None
    username: str
    password: Annotated[str, Field(json_schema_extra={"format": "password"})]
    scope: str = ""
    client_id: str | None = None
    client_secret: Annotated[str | None, Field(json_schema_extra={"format": "password"})] = None


class DownloadQuery(BaseModel):
    """Query of ``GET /download``; a kB is 1,024 bytes."""

    kb: Annotated[int, Field(ge=0, le=10_240)]


class EventsQuery(BaseModel):
    """Query of ``GET /stream/events``: ``n`` events, ``interval_ms`` apart."""

    n: Annotated[int, Field(ge=1, le=1_000)] = 3
    interval_ms: Annotated[int, Field(ge=0, le=1_000)] = 0
