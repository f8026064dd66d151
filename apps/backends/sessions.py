"""What a request asks of the database, the same with every driver and ORM.

As a rule (``HARNESS_SESSIONS=alike``) every request with a row is one prepared statement and nothing else: connections
commit by themselves, and nothing is reset when one goes back to its pool, since no statement here changes what a
session remembers. With ``HARNESS_SESSIONS=default`` (the targets ``*-own-sessions-*``) each driver and ORM does what
it does by default, so that this difference is a step of its own:

=====================  ======================================  ================================================
driver or ORM          a request, by default                   what makes it alike
=====================  ======================================  ================================================
psycopg and its pool   BEGIN, statement, COMMIT; prepared      ``autocommit``, ``prepare_threshold``
                       when a connection has executed it
                       five times
asyncpg and its pool   statement; SELECT, CLOSE, UNLISTEN      ``reset`` does nothing
                       and RESET on return to the pool
SQLAlchemy, psycopg    BEGIN, statement, ROLLBACK or COMMIT;   isolation level ``AUTOCOMMIT``,
                       a SELECT is parsed anew each time,      ``prepare_threshold``
                       since psycopg forgets what it prepared
                       at a ROLLBACK
SQLAlchemy, asyncpg    BEGIN, statement, ROLLBACK or COMMIT    isolation level ``AUTOCOMMIT``
Tortoise-ORM, asyncpg  as asyncpg                              as asyncpg
Django's ORM, psycopg  a statement with its values in it,      ``server_side_binding``, ``prepare_threshold``
                       parsed anew each time
=====================  ======================================  ================================================

None of them checks a connection before it is used. ``tests/contract/test_statements.py`` counts the statements of
each, and every run whose database is the embedded one records and shows those of its targets.
"""

from __future__ import annotations

from typing import Any

from apps.contract.settings import settings

_PREPARED_AT_ONCE = {"prepare_threshold": 0}
"""With this, psycopg prepares a statement when a connection executes it for the first time, as asyncpg does."""


def alike() -> bool:
    """Whether this process uses the database as all apps do, and not as its driver or ORM does by default."""
    return settings().sessions == "alike"


async def keep(connection: Any) -> None:
    """What asyncpg's pool does with a connection that is returned: nothing."""


def asyncpg_pool() -> dict[str, Any]:
    """Options of asyncpg's pool."""
    return {"reset": keep} if alike() else {}


def psycopg_connection() -> dict[str, Any]:
    """Options of psycopg's connections."""
    return {"autocommit": True, **_PREPARED_AT_ONCE} if alike() else {}


def sqlalchemy_engine(driver: str) -> dict[str, Any]:
    """Options of SQLAlchemy's engine."""
    connect = _PREPARED_AT_ONCE if driver == "psycopg" else {}
    return {"isolation_level": "AUTOCOMMIT", "connect_args": connect} if alike() else {}


def django_options() -> dict[str, Any]:
    """``OPTIONS`` of Django's database."""
    return {"server_side_binding": True, **_PREPARED_AT_ONCE} if alike() else {}
