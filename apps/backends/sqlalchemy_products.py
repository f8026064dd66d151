"""Products through SQLAlchemy's ORM, sync with psycopg and async with asyncpg."""

from __future__ import annotations

from functools import cache, cached_property
from typing import Any

from sqlalchemy import FetchedValue, create_engine, make_url, select
from sqlalchemy.exc import DBAPIError, IntegrityError, TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

from apps.backends import sessions
from apps.contract import transfer
from apps.contract.inbound import DATABASE_DOWN, SKU_TAKEN, Refused
from apps.contract.inputs import NewProduct
from apps.contract.settings import settings

# Errors that the dialect of asyncpg has no class for are not wrapped.
DOWN = (OSError, PoolTimeout, DBAPIError)


class Base(DeclarativeBase):
    pass


class ProductRow(Base):
    __tablename__ = "harness_products"

    id: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(server_default=FetchedValue())
    name: Mapped[str]
    price_cents: Mapped[int]
    stock: Mapped[int]


def page(limit: int, offset: int) -> Any:
    return select(ProductRow).order_by(ProductRow.id).limit(limit).offset(offset)


def _new_engine(create: Any, driver: str) -> Any:
    url = make_url(settings().database_url).set(drivername=f"postgresql+{driver}")
    return create(
        url,
        pool_size=settings().pool_size,
        max_overflow=0,
        pool_timeout=settings().pool_timeout_s,
        **sessions.sqlalchemy_engine(driver),
    )


@cache
def make_session() -> sessionmaker[Session]:
    """Makes blocking sessions, of one pool per process."""
    return sessionmaker(_new_engine(create_engine, "psycopg"), expire_on_commit=False)


class SyncProducts:
    """For WSGI apps."""

    def product(self, product_id: int) -> dict[str, Any]:
        """One product; refused (404) where there is none."""
        try:
            with make_session()() as session:
                row = session.get(ProductRow, product_id)
        except DOWN as error:
            raise Refused(503, DATABASE_DOWN) from error
        if row is None:
            raise Refused(404)
        return transfer.product(row)

    def products(self, limit: int, offset: int) -> list[dict[str, Any]]:
        """A page of products in the order of their ids."""
        try:
            with make_session()() as session:
                return [transfer.product(row) for row in session.scalars(page(limit, offset))]
        except DOWN as error:
            raise Refused(503, DATABASE_DOWN) from error

    def add(self, new: NewProduct) -> dict[str, Any]:
        """The product as it was inserted; refused (409) where the SKU is taken."""
        row = ProductRow(**new.model_dump(exclude_none=True))
        try:
            with make_session().begin() as session:
                session.add(row)
        except IntegrityError as error:
            raise Refused(409, SKU_TAKEN) from error
        except DOWN as error:
            raise Refused(503, DATABASE_DOWN) from error
        return transfer.product(row)


class AsyncProducts:
    """For ASGI apps."""

    @cached_property
    def _engine(self) -> AsyncEngine:
        engine: AsyncEngine = _new_engine(create_async_engine, "asyncpg")
        return engine

    @cached_property
    def _session(self) -> async_sessionmaker[AsyncSession]:
        return async_sessionmaker(self._engine, expire_on_commit=False)

    async def product(self, product_id: int) -> dict[str, Any]:
        """One product; refused (404) where there is none."""
        try:
            async with self._session() as session:
                row = await session.get(ProductRow, product_id)
        except DOWN as error:
            raise Refused(503, DATABASE_DOWN) from error
        if row is None:
            raise Refused(404)
        return transfer.product(row)

    async def products(self, limit: int, offset: int) -> list[dict[str, Any]]:
        """A page of products in the order of their ids."""
        try:
            async with self._session() as session:
                return [transfer.product(row) for row in await session.scalars(page(limit, offset))]
        except DOWN as error:
            raise Refused(503, DATABASE_DOWN) from error

    async def add(self, new: NewProduct) -> dict[str, Any]:
        """The product as it was inserted; refused (409) where the SKU is taken."""
        row = ProductRow(**new.model_dump(exclude_none=True))
        try:
            async with self._session.begin() as session:
                session.add(row)
        except IntegrityError as error:
            raise Refused(409, SKU_TAKEN) from error
        except DOWN as error:
            raise Refused(503, DATABASE_DOWN) from error
        return transfer.product(row)

    async def close(self) -> None:
        await self._engine.dispose()
