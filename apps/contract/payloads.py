"""Orders of three sizes, and the ways in which they can be faulty. Everything is built afresh and deterministic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from apps.contract.case import fault, missing, number_fault

SIZES: Mapping[str, int] = {"S": 1, "M": 20, "L": 500}
"""Name of a size → lines of its order."""

Faults = list[dict[str, Any]]
_CURRENCIES = ("EUR", "KRW", "USD")
_TAGS = ("gift", "fragile", "bulk", "eco")


def order(lines: int) -> dict[str, Any]:
    """A valid order, as JSON values."""
    return {
        "customer": {"name": "Kim Minjun", "email": "minjun.kim@example.org", "country": "KR"},
        "currency": _CURRENCIES[lines % 3],
        "created_at": "2025-03-14T09:26:53Z",
        "note": "Bitte nicht knicken: 깨지기 쉬움",
        "lines": [_line(number) for number in range(lines)],
    }


def _line(number: int) -> dict[str, Any]:
    line: dict[str, Any] = {
        "sku": f"{chr(65 + number % 26)}BC-{number:04d}",
        "quantity": 1 + number * 7 % 40,
        "unit_price_cents": 199 + number * 131 % 20_000,
        "tags": list(_TAGS[: number % 4]),
    }
    if number % 3 == 1:
        line["discount_percent"] = 5 + number % 20
    return line


def _bad_quantity(value: dict[str, Any]) -> Faults:
    last = len(value["lines"]) - 1
    value["lines"][last]["quantity"] = 0
    return [number_fault(("body", "lines", last, "quantity"), "greater_than_equal", 1)]


def _bad_sku(value: dict[str, Any]) -> Faults:
    value["lines"][0]["sku"] = "abc-12"
    pattern = "^[A-Z]{3}-[0-9]{4}$"
    return [
        fault(("body", "lines", 0, "sku"), "string_pattern_mismatch", f"String should match pattern '{pattern}'"),
    ]


def _missing_customer(value: dict[str, Any]) -> Faults:
    del value["customer"]
    return [missing("body", "customer")]


def _extra_key(value: dict[str, Any]) -> Faults:
    value["lines"][0]["colour"] = "red"
    return [fault(("body", "lines", 0, "colour"), "extra_forbidden", "Extra inputs are not permitted")]


def _wrong_types(value: dict[str, Any]) -> Faults:
    value["customer"]["name"] = 7
    value["currency"] = "XXX"
    value["created_at"] = "2025-03-14T09:26:53"
    value["note"] = ["a", "list"]
    value["lines"][0].update(quantity="many", unit_price_cents=2.5, tags=["gift", 7])
    line = ("body", "lines", 0)
    return [
        fault(("body", "customer", "name"), "string_type", "Input should be a valid string"),
        fault(("body", "currency"), "enum", "Input should be 'EUR', 'KRW' or 'USD'"),
        fault(("body", "created_at"), "timezone_aware", "Input should have timezone info"),
        fault(("body", "note"), "string_type", "Input should be a valid string"),
        fault(
            (*line, "quantity"),
            "int_parsing",
            "Input should be a valid integer, unable to parse string as an integer",
        ),
        fault(
            (*line, "unit_price_cents"),
            "int_from_float",
            "Input should be a valid integer, got a number with a fractional part",
        ),
        fault((*line, "tags", 1), "string_type", "Input should be a valid string"),
    ]


def _every_line(value: dict[str, Any]) -> Faults:
    faults: Faults = []
    for number, line in enumerate(value["lines"]):
        line["quantity"] = 1000
        del line["unit_price_cents"]
        faults.append(number_fault(("body", "lines", number, "quantity"), "less_than_equal", 999))
        faults.append(missing("body", "lines", number, "unit_price_cents"))
    return faults


FAULTS: Mapping[str, Callable[[dict[str, Any]], Faults]] = {
    "bad-quantity": _bad_quantity,
    "bad-sku": _bad_sku,
    "missing-customer": _missing_customer,
    "extra-key": _extra_key,
    "wrong-types": _wrong_types,
    "every-line": _every_line,
}
"""Name of a kind of fault → what spoils an order in place and returns the faults that a reply must list."""


def faulty(size: str, kind: str) -> tuple[dict[str, Any], Faults]:
    """An order of a size, spoilt, and the faults that a reply must list."""
    value = order(SIZES[size])
    return value, FAULTS[kind](value)


def invalid_bodies() -> Mapping[str, tuple[Any, Faults]]:
    """Bodies that are JSON but no valid order, whatever the size: name → value and its faults."""
    no_object = "Input should be a valid dictionary or object to extract fields from"
    no_lines = order(1) | {"lines": []}
    surrogate = order(1) | {"note": "\ud800"}
    not_finite = order(1)
    not_finite["lines"][0]["quantity"] = float("nan")
    short = "List should have at least 1 item after validation, not 0"
    return {
        "list": ([1, 2], [fault(("body",), "model_attributes_type", no_object)]),
        "string": ("order", [fault(("body",), "model_attributes_type", no_object)]),
        "empty-object": ({}, [missing("body", name) for name in ("customer", "currency", "created_at", "lines")]),
        "no-lines": (no_lines, [fault(("body", "lines"), "too_short", short)]),
        "surrogate": (
            surrogate,
            [
                fault(
                    ("body", "note"),
                    "string_unicode",
                    "Input should be a valid string, unable to parse raw data as a unicode string",
                ),
            ],
        ),
        "not-finite": (
            not_finite,
            [fault(("body", "lines", 0, "quantity"), "finite_number", "Input should be a finite number")],
        ),
    }
