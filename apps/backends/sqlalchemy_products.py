"""Products through SQLAlchemy's ORM, sync with psycopg and async with asyncpg."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from sqlalchemy import FetchedValue, create_engine, make_url, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

from apps.contract.inbound import DATABASE_DOWN, SKU_TAKEN, Refused
from apps.contract.inputs import NewProduct
from apps.contract.settings import settings

# What the dialect of asyncpg has no class for comes as the bare error.
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


def plain(row: ProductRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "sku": row.sku,
        "name": row.name,
        "price_cents": row.price_cents,
        "stock": row.stock,
    }


def _page(limit: int, offset: int) -> Any:
    return select(ProductRow).order_by(ProductRow.id).limit(limit).offset(offset)


def _engine_options() -> dict[str, Any]:
    return {"pool_size": settings().pool_size, "max_overflow": 0, "pool_timeout": settings().pool_timeout_s}


class SyncProducts:
    """For WSGI apps."""

    @cached_property
    def _session(self) -> sessionmaker[Session]:
        url = make_url(settings().database_url).set(drivername="postgresql+psycopg")
        return sessionmaker(create_engine(url, **_engine_options()), expire_on_commit=False)

    def product(self, product_id: int) -> dict[str, Any]:
        """One product; refused (404) where there is none."""
        try:
            with self._session() as session:
                row = session.get(ProductRow, product_id)
        except DOWN as error:
            raise Refused(503, DATABASE_DOWN) from error
        if row is None:
            raise Refused(404)
        return plain(row)

    def products(self, limit: int, offset: int) -> list[dict[str, Any]]:
        """A page of products in the order of their ids."""
        try:
            with self._session() as session:
                return [plain(row) for row in session.scalars(_page(limit, offset))]
        except DOWN as error:
            raise Refused(503, DATABASE_DOWN) from error

    def add(self, new: NewProduct) -> dict[str, Any]:
        """The product as it was inserted; refused (409) where the SKU is taken."""
        row = ProductRow(**new.model_dump(exclude_none=True))
        try:
            with self._session.begin() as session:
                session.add(row)
        except IntegrityError as error:
            raise Refused(409, SKU_TAKEN) from error
        except DOWN as error:
            raise Refused(503, DATABASE_DOWN) from error
        return plain(row)


class AsyncProducts:
    """For ASGI apps."""

    @cached_property
    def _engine(self) -> AsyncEngine:
        url = make_url(settings().database_url).set(drivername="postgresql+asyncpg")
        return create_async_engine(url, **_engine_options())

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
        return plain(row)

    async def products(self, limit: int, offset: int) -> list[dict[str, Any]]:
        """A page of products in the order of their ids."""
        try:
            async with self._session() as session:
                return [plain(row) for row in await session.scalars(_page(limit, offset))]
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
        return plain(row)

    async def close(self) -> None:
        await self._engine.dispose()
