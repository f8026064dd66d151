"""The statements of both drivers; ``{n}`` is the place of the n-th parameter, which the drivers write differently."""

from __future__ import annotations

COLUMNS = "id, sku, name, price_cents, stock"

SLEEP = f"SELECT {COLUMNS} FROM harness_products, pg_sleep({{1}}::float8) WHERE id = {{2}}"
ONE = f"SELECT {COLUMNS} FROM harness_products WHERE id = {{1}}"
PAGE = f"SELECT {COLUMNS} FROM harness_products ORDER BY id LIMIT {{1}} OFFSET {{2}}"
INSERT = (
    "INSERT INTO harness_products (sku, name, price_cents, stock) VALUES ({1}, {2}, {3}, {4}) "
    f"RETURNING {COLUMNS}"
)
INSERT_NEXT = (
    f"INSERT INTO harness_products (name, price_cents, stock) VALUES ({{1}}, {{2}}, {{3}}) RETURNING {COLUMNS}"
)

SLEPT_ROW = 1
"""Id of the row that ``GET /io/db`` reads."""


def numbered(statement: str) -> str:
    """With ``$1``, as asyncpg wants it."""
    return statement.format(*(f"${number}" for number in range(5)))


def positional(statement: str) -> str:
    """With ``%s``, as psycopg wants it; every statement names its parameters in order."""
    return statement.format(*["%s"] * 5)
