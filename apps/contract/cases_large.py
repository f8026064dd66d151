"""Cases of large replies: many rows as JSON, and as a page of HTML."""

from __future__ import annotations

import html
from dataclasses import replace
from functools import partial
from typing import Any

from apps.contract.case import Case, Endpoint, get, missing, not_a_number, number_fault, refused
from apps.contract.domain import rows
from apps.contract.models import PageQuery, RowsQuery

FIRST: dict[str, Any] = {
    "id": 1,
    "sku": "ROW-0001",
    "name": "Row <1> & co",
    "description": "Made up, weighs < 2 kg, sent in two days",
    "price_cents": 136,
    "in_stock": True,
    "tags": ["gift"],
    "updated_at": "2025-03-14T09:01:53Z",
}
PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Rows</title></head>
<body>
<table>
<tr><th>Name</th><th>Description</th><th>Cents</th></tr>
{}</table>
</body>
</html>"""


def large() -> tuple[Endpoint, ...]:
    """``/rows``, ``/rows/raw`` and ``/page``."""
    return (
        _rows("rows", "/rows", "a large reply, validated and serialized by a model"),
        _rows("rows-raw", "/rows/raw", "the same reply, serialized as the plain data that it is"),
        _page(),
    )


def _rows(name: str, path: str, summary: str) -> Endpoint:
    make = partial(_make_rows, path)
    cases = (
        get("valid", f"{path}?n=1", {"rows": [FIRST]}),
        make(500),
        make(1_000),
        *_wrong_counts(path, "n"),
    )
    return Endpoint(name, "GET", path, summary, cases, make)


def _make_rows(path: str, n: int = 500) -> Case:
    n = RowsQuery(n=n).n
    return get(f"{n}", f"{path}?n={n}", {"rows": rows(n)})


def _page() -> Endpoint:
    cases = (
        replace(_make_page(3), name="valid"),
        _make_page(1_000),
        *_wrong_counts("/page", "rows"),
    )
    return Endpoint("page", "GET", "/page", "a page of HTML from a template", cases, _make_page)


def _make_page(rows: int = 50) -> Case:
    count = PageQuery(rows=rows).rows
    body = PAGE.format("".join(_line(number) for number in range(1, count + 1)))
    return Case(f"{count}", "GET", f"/page?rows={count}", (), b"", 200, "text/html", None, body.encode())


def _line(number: int) -> str:
    description = f"Made up, weighs < {number % 50 + 1} kg, sent in two days"
    cells = (f"Row <{number}> & co", description, f"{number * 37 % 10_000 + 99}")
    return f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in cells)}</tr>\n"


def _wrong_counts(path: str, name: str) -> tuple[Case, ...]:
    count = ("query", name)
    return (
        refused(f"{name}-missing", path, missing(*count)),
        refused(f"{name}-zero", f"{path}?{name}=0", number_fault(count, "greater_than_equal", 1)),
        refused(f"{name}-too-big", f"{path}?{name}=1001", number_fault(count, "less_than_equal", 1_000)),
        refused(f"{name}-text", f"{path}?{name}=many", not_a_number(*count)),
    )
