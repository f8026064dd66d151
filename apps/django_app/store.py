"""The store of products that the settings name."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from django.conf import settings


@cache
def product_store() -> Any:
    """What ``PRODUCT_STORE`` names: sync methods under WSGI, async ones under ASGI."""
    module, _, attribute = settings.PRODUCT_STORE.partition(":")
    return getattr(import_module(module), attribute)
