"""PostgreSQL through psycopg and its pool."""

from __future__ import annotations

import atexit
import threading
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from apps.backends import sessions, sql
from apps.contract.inbound import DATABASE_DOWN, SKU_TAKEN, Refused
from apps.contract.inputs import NewProduct
from apps.contract.settings import settings

_SLEEP, _ONE, _PAGE, _INSERT, _INSERT_NEXT = (
    sql.positional(statement) for statement in (sql.SLEEP, sql.ONE, sql.PAGE, sql.INSERT, sql.INSERT_NEXT)
)
# A request that finds the pool empty starts the next attempt, so that none need go on for long without one.
_RECONNECT_S = 1.0


class Database:
    """A pool that is opened when it is first needed."""

    def __init__(self) -> None:
        self._pool: Any = None
        self._opening = threading.Lock()

    def slept(self, ms: int) -> dict[str, Any]:
        """A row, ``ms`` milliseconds later; the database sleeps."""
        row: dict[str, Any] = self._rows(_SLEEP, ms / 1000, sql.SLEPT_ROW)[0]
        return row

    def product(self, product_id: int) -> dict[str, Any]:
        """One product; refused (404) where there is none."""
        rows = self._rows(_ONE, product_id)
        if not rows:
            raise Refused(404)
        row: dict[str, Any] = rows[0]
        return row

    def products(self, limit: int, offset: int) -> list[dict[str, Any]]:
        """A page of products in the order of their ids."""
        return self._rows(_PAGE, limit, offset)

    def add(self, new: NewProduct) -> dict[str, Any]:
        """The product as it was inserted; refused (409) where the SKU is taken."""
        rest = (new.name, new.price_cents, new.stock)
        try:
            row: dict[str, Any] = (self._rows(_INSERT, new.sku, *rest) if new.sku else self._rows(_INSERT_NEXT, *rest))[
                0
            ]
        except psycopg.errors.UniqueViolation as error:
            raise Refused(409, SKU_TAKEN) from error
        return row

    def _rows(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        try:
            with self._opened().connection() as connection:
                rows: list[dict[str, Any]] = connection.execute(statement, values).fetchall()
                return rows
        except (PoolTimeout, psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise Refused(503, DATABASE_DOWN) from error

    def _opened(self) -> Any:
        if self._pool is None:
            with self._opening:
                if self._pool is None:
                    self._pool = ConnectionPool(
                        settings().database_url,
                        min_size=0,
                        max_size=settings().pool_size,
                        timeout=settings().pool_timeout_s,
                        reconnect_timeout=_RECONNECT_S,
                        kwargs={"row_factory": dict_row, **sessions.psycopg_connection()},
                        open=True,
                    )
                    atexit.register(self._pool.close)
        return self._pool
