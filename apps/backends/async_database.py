"""PostgreSQL through asyncpg."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg

from apps.backends import sessions, sql
from apps.contract.inbound import DATABASE_DOWN, SKU_TAKEN, Refused
from apps.contract.inputs import NewProduct
from apps.contract.settings import settings

# asyncpg raises its internal error when the server ends a session just as a statement is sent.
DOWN = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
)

_SLEEP, _ONE, _PAGE, _INSERT, _INSERT_NEXT = (
    sql.numbered(statement) for statement in (sql.SLEEP, sql.ONE, sql.PAGE, sql.INSERT, sql.INSERT_NEXT)
)


class Database:
    """A pool that is opened when it is first needed."""

    def __init__(self) -> None:
        self._pool: Any = None
        self._opening = asyncio.Lock()

    async def slept(self, ms: int) -> dict[str, Any]:
        """A row, ``ms`` milliseconds later; the database sleeps."""
        row = await self._row(_SLEEP, ms / 1000, sql.SLEPT_ROW)
        return dict(row)

    async def product(self, product_id: int) -> dict[str, Any]:
        """One product; refused (404) where there is none."""
        row = await self._row(_ONE, product_id)
        if row is None:
            raise Refused(404)
        return dict(row)

    async def products(self, limit: int, offset: int) -> list[dict[str, Any]]:
        """A page of products in the order of their ids."""
        try:
            async with (await self._opened()).acquire(timeout=settings().pool_timeout_s) as connection:
                return [dict(row) for row in await connection.fetch(_PAGE, limit, offset)]
        except DOWN as error:
            raise Refused(503, DATABASE_DOWN) from error

    async def add(self, new: NewProduct) -> dict[str, Any]:
        """The product as it was inserted; refused (409) where the SKU is taken."""
        rest = (new.name, new.price_cents, new.stock)
        try:
            row = await (self._row(_INSERT, new.sku, *rest) if new.sku else self._row(_INSERT_NEXT, *rest))
        except asyncpg.UniqueViolationError as error:
            raise Refused(409, SKU_TAKEN) from error
        return dict(row)

    async def close(self) -> None:
        if self._pool is not None:
            self._pool.terminate()
            self._pool = None

    async def _row(self, statement: str, *values: Any) -> Any:
        try:
            async with (await self._opened()).acquire(timeout=settings().pool_timeout_s) as connection:
                return await connection.fetchrow(statement, *values)
        except DOWN as error:
            raise Refused(503, DATABASE_DOWN) from error

    async def _opened(self) -> Any:
        if self._pool is None:
            async with self._opening:
                if self._pool is None:
                    self._pool = await asyncpg.create_pool(
                        settings().database_url,
                        min_size=0,
                        max_size=settings().pool_size,
                        timeout=settings().pool_timeout_s,
                        **sessions.asyncpg_pool(),
                    )
        return self._pool
