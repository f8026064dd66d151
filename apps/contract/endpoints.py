"""Every endpoint of the contract with its cases: what an app is verified against and what load is made of.

An app does not import this module: the cases would count in its memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from apps.contract.case import Case, Endpoint, fault, get, missing, not_a_number, number_fault, refused
from apps.contract.cases_access import access
from apps.contract.cases_io import io
from apps.contract.cases_large import large
from apps.contract.cases_products import products
from apps.contract.cases_transfer import transfers
from apps.contract.domain import GREETING, burn, item, waited
from apps.contract.errors import errors
from apps.contract.models import CpuQuery, ItemPath, ItemQuery, WaitQuery
from apps.contract.orders import orders

BASELINE = frozenset({"health", "plaintext", "json", "io-sleep"})
"""Names of the endpoints that the raw apps implement."""


def _health() -> Endpoint:
    return Endpoint("health", "GET", "/health", "readiness", (get("valid", "/health", {"status": "ok"}),))


def _plaintext() -> Endpoint:
    case = Case("valid", "GET", "/plaintext", (), b"", 200, "text/plain", None, GREETING.encode())
    return Endpoint("plaintext", "GET", "/plaintext", "a short text: the floor", (case,))


def _json() -> Endpoint:
    case = get("valid", "/json", {"message": GREETING})
    return Endpoint("json", "GET", "/json", "a small JSON object: the floor", (case,))


def _make_item(item_id: int = 7, q: str | None = None, limit: int = 10, tags: str = "") -> Case:
    """``tags`` is a list separated by commas."""
    item_id = ItemPath(item_id=item_id).item_id
    query = ItemQuery(q=q, limit=limit, tags=[tag for tag in tags.split(",") if tag])
    pairs = [("q", q)] if q is not None else []
    pairs += [("limit", str(query.limit)), *(("tags", tag) for tag in query.tags)]
    return get(f"{item_id}", f"/items/{item_id}?{urlencode(pairs)}", item(item_id, query))


def _items() -> Endpoint:
    def reply(item_id: int, price_cents: int, q: str | None = None, limit: int = 10, *tags: str) -> dict[str, Any]:
        return {
            "item_id": item_id,
            "name": f"Item {item_id}",
            "price_cents": price_cents,
            "q": q,
            "limit": limit,
            "tags": list(tags),
        }

    limit = ("query", "limit")
    item_id = ("path", "item_id")
    too_long = "String should have at most 50 characters"
    cases = (
        get("valid", "/items/7?q=blue%20pen&limit=5&tags=a&tags=b", reply(7, 358, "blue pen", 5, "a", "b")),
        get("defaults", "/items/1", reply(1, 136)),
        get("plus-and-unicode", "/items/300?q=a+b%ED%8E%9C%26%3D", reply(300, 1199, "a b펜&=")),
        get("empty-q", "/items/1?q=", reply(1, 136, "")),
        get("unknown-key", "/items/1?colour=red", reply(1, 136)),
        get("limit-highest", "/items/1?limit=100", reply(1, 136, None, 100)),
        get("id-highest", "/items/2147483647", reply(2147483647, 5038)),
        refused("limit-too-big", "/items/1?limit=101", number_fault(limit, "less_than_equal", 100)),
        refused("limit-too-small", "/items/1?limit=0", number_fault(limit, "greater_than_equal", 1)),
        refused("limit-text", "/items/1?limit=ten", not_a_number(*limit)),
        refused("limit-empty", "/items/1?limit=", not_a_number(*limit)),
        refused("limit-fraction", "/items/1?limit=2.5", not_a_number(*limit)),
        refused("id-text", "/items/seven", not_a_number(*item_id)),
        refused("id-zero", "/items/0", number_fault(item_id, "greater_than_equal", 1)),
        refused("id-too-big", "/items/2147483648", number_fault(item_id, "less_than_equal", 2_147_483_647)),
        refused("q-too-long", f"/items/1?q={'x' * 51}", fault(("query", "q"), "string_too_long", too_long)),
        refused(
            "tag-empty",
            "/items/1?tags=a&tags=",
            fault(("query", "tags", 1), "string_too_short", "String should have at least 1 character"),
        ),
        refused(
            "two-wrong",
            f"/items/1?limit=no&q={'x' * 51}",
            fault(("query", "q"), "string_too_long", too_long),
            not_a_number(*limit),
        ),
    )
    return Endpoint("items", "GET", "/items/{item_id}", "typed path and query", cases, _make_item)


def _waits(name: str, path: str, summary: str) -> Endpoint:
    def make(ms: int) -> Case:
        ms = WaitQuery(ms=ms).ms
        return replace(get(f"{ms}", f"{path}?ms={ms}", waited(ms)), least_ms=ms)

    ms = ("query", "ms")
    cases = (
        replace(get("valid", f"{path}?ms=5", {"slept_ms": 5}), least_ms=5),
        get("zero", f"{path}?ms=0", {"slept_ms": 0}),
        refused("ms-missing", path, missing(*ms)),
        refused("ms-negative", f"{path}?ms=-1", number_fault(ms, "greater_than_equal", 0)),
        refused("ms-too-big", f"{path}?ms=10001", number_fault(ms, "less_than_equal", 10_000)),
        refused("ms-text", f"{path}?ms=soon", not_a_number(*ms)),
    )
    return Endpoint(name, "GET", path, summary, cases, make)


def _cpu() -> Endpoint:
    def make(units: int) -> Case:
        units = CpuQuery(units=units).units
        return get(f"{units}", f"/cpu?units={units}", burn(units))

    units = ("query", "units")
    cases = (
        replace(make(5), name="valid"),
        refused("units-missing", "/cpu", missing(*units)),
        refused("units-zero", "/cpu?units=0", number_fault(units, "greater_than_equal", 1)),
        refused("units-too-big", "/cpu?units=1001", number_fault(units, "less_than_equal", 1_000)),
    )
    return Endpoint("cpu", "GET", "/cpu", "a set amount of pure Python work", cases, make)


def _all() -> tuple[Endpoint, ...]:
    return (
        _health(),
        _plaintext(),
        _json(),
        _items(),
        _cpu(),
        *large(),
        *orders(),
        _waits("io-sleep", "/io/sleep", "a wait that costs no CPU"),
        _waits("io-blocking", "/io/blocking", "a wait that blocks its thread, and so an event loop"),
        *io(),
        *products(),
        *access(),
        *transfers(),
        errors(),
    )


ENDPOINTS: Mapping[str, Endpoint] = MappingProxyType({endpoint.name: endpoint for endpoint in _all()})
"""Name → endpoint."""

OPT_IN = frozenset({"cors"})
"""Endpoints that ``*`` does not include: they cost every request of the app, so a small app of its own has them."""
