"""The stores of products, sync for WSGI and async for ASGI."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, InterfaceError, OperationalError

from apps.contract import transfer
from apps.contract.inbound import DATABASE_DOWN, SKU_TAKEN, Refused
from apps.contract.inputs import NewProduct
from apps.django_app.orm.models import Product

DOWN = (OperationalError, InterfaceError)


class SyncProducts:
    """For WSGI."""

    def product(self, product_id: int) -> dict[str, Any]:
        """One product; refused (404) where there is none."""
        try:
            return transfer.product(Product.objects.get(pk=product_id))
        except Product.DoesNotExist as error:
            raise Refused(404) from error
        except DOWN as error:
            raise Refused(503, DATABASE_DOWN) from error

    def products(self, limit: int, offset: int) -> list[dict[str, Any]]:
        """A page of products in the order of their ids."""
        try:
            return [transfer.product(row) for row in Product.objects.order_by("id")[offset : offset + limit]]
        except DOWN as error:
            raise Refused(503, DATABASE_DOWN) from error

    def add(self, new: NewProduct) -> dict[str, Any]:
        """The product as it was inserted; refused (409) where the SKU is taken."""
        try:
            return transfer.product(Product.objects.create(**new.model_dump(exclude_none=True)))
        except IntegrityError as error:
            raise Refused(409, SKU_TAKEN) from error
        except DOWN as error:
            raise Refused(503, DATABASE_DOWN) from error


class AsyncProducts:
    """For ASGI; Django runs the statements in a thread."""

    async def product(self, product_id: int) -> dict[str, Any]:
        """One product; refused (404) where there is none."""
        try:
            return transfer.product(await Product.objects.aget(pk=product_id))
        except Product.DoesNotExist as error:
            raise Refused(404) from error
        except DOWN as error:
            raise Refused(503, DATABASE_DOWN) from error

    async def products(self, limit: int, offset: int) -> list[dict[str, Any]]:
        """A page of products in the order of their ids."""
        try:
            return [transfer.product(row) async for row in Product.objects.order_by("id")[offset : offset + limit]]
        except DOWN as error:
            raise Refused(503, DATABASE_DOWN) from error

    async def add(self, new: NewProduct) -> dict[str, Any]:
        """The product as it was inserted; refused (409) where the SKU is taken."""
        try:
            return transfer.product(await Product.objects.acreate(**new.model_dump(exclude_none=True)))
        except IntegrityError as error:
            raise Refused(409, SKU_TAKEN) from error
        except DOWN as error:
            raise Refused(503, DATABASE_DOWN) from error


sync_products = SyncProducts()
async_products = AsyncProducts()
