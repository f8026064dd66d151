"""Products through Tortoise-ORM, which is async only."""

from __future__ import annotations

from typing import Any

import asyncpg
from tortoise import Model, fields
from tortoise.backends.base.config_generator import expand_db_url
from tortoise.exceptions import DBConnectionError, DoesNotExist, IntegrityError, OperationalError
from tortoise.fields.db_defaults import SqlDefault

from apps.backends import sessions
from apps.contract import transfer
from apps.contract.inbound import DATABASE_DOWN, SKU_TAKEN, Refused
from apps.contract.inputs import NewProduct
from apps.contract.settings import settings

# The driver's own errors come through when a connection breaks.
DOWN = (
    OSError,
    DBConnectionError,
    OperationalError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


class ProductRow(Model):
    id = fields.IntField(primary_key=True)
    sku = fields.CharField(max_length=20, db_default=SqlDefault("''"))
    name = fields.TextField()
    price_cents = fields.IntField()
    stock = fields.IntField()

    class Meta:
        table = "harness_products"


def config() -> dict[str, Any]:
    """Tortoise-ORM's configuration: the address, a pool as large as that of the other apps, and the model."""
    _, _, address = settings().database_url.partition("://")
    connection = expand_db_url(f"asyncpg://{address}")
    connection["credentials"] |= {
        "minsize": 0,
        "maxsize": settings().pool_size,
        "timeout": settings().pool_timeout_s,
        **sessions.asyncpg_pool(),
    }
    return {"connections": {"default": connection}, "apps": {"models": {"models": [__name__]}}}


class TortoiseProducts:
    """The store; the application's lifespan registers Tortoise-ORM."""

    async def product(self, product_id: int) -> dict[str, Any]:
        """One product; refused (404) where there is none."""
        try:
            return transfer.product(await ProductRow.get(id=product_id))
        except DoesNotExist as error:
            raise Refused(404) from error
        except DOWN as error:
            raise Refused(503, DATABASE_DOWN) from error

    async def products(self, limit: int, offset: int) -> list[dict[str, Any]]:
        """A page of products in the order of their ids."""
        try:
            return [transfer.product(row) for row in await ProductRow.all().order_by("id").limit(limit).offset(offset)]
        except DOWN as error:
            raise Refused(503, DATABASE_DOWN) from error

    async def add(self, new: NewProduct) -> dict[str, Any]:
        """The product as it was inserted; refused (409) where the SKU is taken."""
        try:
            return transfer.product(await ProductRow.create(**new.model_dump(exclude_none=True)))
        except IntegrityError as error:
            raise Refused(409, SKU_TAKEN) from error
        except DOWN as error:
            raise Refused(503, DATABASE_DOWN) from error
