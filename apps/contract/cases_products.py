"""Cases of ``/products``. Those that insert rely on the seeded rows and change none of them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from apps.contract.case import Case, Endpoint, fault, get, missing, not_a_number, number_fault, post, refused
from apps.contract.cases_io import not_found
from apps.contract.inbound import MALFORMED_JSON, SKU_TAKEN
from apps.contract.inputs import NewProduct, ProductPath, ProductsQuery
from apps.contract.seed import ROWS, product

PATH = "/products"


def products() -> tuple[Endpoint, ...]:
    """Read one, list, insert."""
    return _one(), _page(), _insert()


def _one() -> Endpoint:
    number = ("path", "product_id")

    def make(product_id: int = 7) -> Case:
        product_id = ProductPath(product_id=product_id).product_id
        if product_id > ROWS:
            raise ValueError(f"the seeded products are 1 to {ROWS}")
        return get(f"{product_id}", f"{PATH}/{product_id}", product(product_id))

    cases = (
        replace(make(), name="valid"),
        make(ROWS),
        not_found("absent", f"{PATH}/2147483647"),
        refused("id-zero", f"{PATH}/0", number_fault(number, "greater_than_equal", 1)),
        refused("id-too-big", f"{PATH}/2147483648", number_fault(number, "less_than_equal", 2_147_483_647)),
        refused("id-text", f"{PATH}/seven", not_a_number(*number)),
        refused("id-sql", f"{PATH}/{quote('1 OR 1=1')}", not_a_number(*number)),
        refused("id-union", f"{PATH}/{quote('1;DROP TABLE products')}", not_a_number(*number)),
    )
    return Endpoint("product", "GET", "/products/{product_id}", "one row of the database", cases, make)


def _page() -> Endpoint:
    limit, offset = ("query", "limit"), ("query", "offset")

    def make(limit: int = 10, offset: int = 0) -> Case:
        query = ProductsQuery(limit=limit, offset=offset)
        if query.limit + query.offset > ROWS:
            raise ValueError(f"the seeded products are 1 to {ROWS}")
        rows = [product(query.offset + number + 1) for number in range(query.limit)]
        reply = {"limit": query.limit, "offset": query.offset, "products": rows}
        return get(f"{query.limit}-{query.offset}", f"{PATH}?limit={query.limit}&offset={query.offset}", reply)

    cases = (
        replace(make(5, 10), name="valid"),
        replace(make(), name="defaults", path=PATH),
        make(100, 900),
        get("past-the-end", f"{PATH}?offset=1000000", {"limit": 10, "offset": 1_000_000, "products": []}),
        refused("limit-zero", f"{PATH}?limit=0", number_fault(limit, "greater_than_equal", 1)),
        refused("limit-too-big", f"{PATH}?limit=101", number_fault(limit, "less_than_equal", 100)),
        refused("offset-negative", f"{PATH}?offset=-1", number_fault(offset, "greater_than_equal", 0)),
        refused("offset-too-big", f"{PATH}?offset=1000001", number_fault(offset, "less_than_equal", 1_000_000)),
        refused("limit-sql", f"{PATH}?limit={quote('1;SELECT 1')}", not_a_number(*limit)),
    )
    return Endpoint("products", "GET", PATH, "a page of rows", cases, make)


def _insert() -> Endpoint:
    def created(name: str, value: dict[str, Any], *volatile: str) -> Case:
        row = NewProduct.model_validate(value).model_dump()
        reply = {"id": 0, **row, "sku": row["sku"] or ""}
        return replace(post(name, PATH, value, reply), status=201, volatile=("id", *volatile))

    def make(name: str = "Pencil", price_cents: int = 199) -> Case:
        """One without a SKU, so that it can be inserted any number of times."""
        return created("next", {"name": name, "price_cents": price_cents, "stock": 3}, "sku")

    def wrong(kind: str, value: Any, *faults: dict[str, Any]) -> Case:
        return replace(post(kind, PATH, value, {"detail": list(faults)}), status=422)

    def body(kind: str, status: int, detail: str, media: tuple[tuple[str, str], ...], data: bytes) -> Case:
        case = post(kind, PATH, None, {"detail": detail})
        return replace(case, status=status, headers=media, body=data, volatile=("detail",) if status == 400 else ())

    pen = {"sku": "PEN-0001", "name": "Pen", "price_cents": 250, "stock": 12}
    json_type = (("content-type", "application/json"),)
    pattern = "String should match pattern '{}'"
    no_object = "Input should be a valid dictionary or object to extract fields from"
    cases = (
        replace(make(), name="valid"),
        created("with-sku", pen),
        created("unicode", pen | {"sku": "PEN-0002", "name": "펜 ✒️ “quoted”"}),
        created("sql", pen | {"sku": "PEN-0003", "name": "Robert'); DROP TABLE products;--"}),
        created("smallest", {"sku": "PEN-0004", "name": "x", "price_cents": 0}),
        replace(post("taken", PATH, pen | {"sku": "SKU-0001"}, {"detail": SKU_TAKEN}), status=409),
        wrong("empty", {}, missing("body", "name"), missing("body", "price_cents")),
        wrong(
            "sku-wrong",
            pen | {"sku": "pen-1"},
            fault(("body", "sku"), "string_pattern_mismatch", pattern.format("^[A-Z]{3}-[0-9]{4,9}$")),
        ),
        wrong(
            "name-nul",
            pen | {"name": "a\0b"},
            fault(("body", "name"), "string_pattern_mismatch", pattern.format(r"^[^\x00]+$")),
        ),
        wrong(
            "price-negative", pen | {"price_cents": -1}, number_fault(("body", "price_cents"), "greater_than_equal", 0)
        ),
        wrong("stock-text", pen | {"stock": "some"}, not_a_number("body", "stock")),
        wrong("extra", pen | {"id": 1}, fault(("body", "id"), "extra_forbidden", "Extra inputs are not permitted")),
        replace(wrong("list", [pen], fault(("body",), "model_attributes_type", no_object)), volatile=("detail",)),
        body("malformed", 400, MALFORMED_JSON, json_type, b'{"name": "Pen"'),
        body("latin-1", 400, MALFORMED_JSON, json_type, '{"name": "Stra\xdfe", "price_cents": 1}'.encode("latin-1")),
        body("deep", 400, MALFORMED_JSON, json_type, b"[" * 10_000 + b"]" * 10_000),
        body("not-json", 415, "Unsupported Media Type", (("content-type", "text/csv"),), json.dumps(pen).encode()),
    )
    return Endpoint("product-insert", "POST", PATH, "inserts a row", cases, make)
