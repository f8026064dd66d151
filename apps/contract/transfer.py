"""Files, streams and rows as replies: pure functions, the same in every app."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from apps.contract.inputs import ProductsQuery

EVENT_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
"""For proxies between a stream of events and its reader: cache nothing, and pass on everything at once."""

CHUNK_BYTES = 65_536
KB = 1_024
LINE = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-\n"


def file_sum(name: str, content: bytes) -> dict[str, Any]:
    """Reply of ``GET /io/file`` and ``POST /upload``."""
    return {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def database_row(ms: int, product: Mapping[str, Any]) -> dict[str, Any]:
    """Reply of ``GET /io/db``."""
    return {"slept_ms": ms, "product": product}


def product(row: Any) -> dict[str, Any]:
    """A product from an object of an ORM."""
    return {"id": row.id, "sku": row.sku, "name": row.name, "price_cents": row.price_cents, "stock": row.stock}


def product_page(query: ProductsQuery, products: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Reply of ``GET /products``."""
    return {"limit": query.limit, "offset": query.offset, "products": products}


def upstream_sum(replies: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Reply of ``GET /io/upstream``, from those of the upstream service."""
    return {"calls": len(replies), "delayed_ms": sum(reply["delayed_ms"] for reply in replies)}


def chunks(kb: int) -> Iterator[bytes]:
    """Body of ``GET /download``: ``kb`` times 1,024 bytes of text, in pieces of ``CHUNK_BYTES`` or less."""
    left = kb * KB
    while left > 0:
        length = min(left, CHUNK_BYTES)
        yield LINE * (length // len(LINE))
        left -= length


def event(number: int) -> bytes:
    """One server-sent event of ``GET /stream/events``."""
    return f'event: tick\ndata: {{"n":{number}}}\nid: {number}\n\n'.encode()
