"""Cases of the ``/orders/*`` endpoints. Expected amounts are computed here on their own, not by the apps' functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from apps.contract.case import Case, Endpoint, post
from apps.contract.payloads import FAULTS, SIZES, faulty, invalid_bodies, order

Reply = Callable[[dict[str, Any]], dict[str, Any]]


def orders() -> tuple[Endpoint, ...]:
    """The endpoints that take an order."""
    return (
        _endpoint("orders-raw", "/orders/raw", "JSON in, totals out; nothing is validated", _totals, checked=False),
        _endpoint("orders-validated", "/orders/validated", "order validated, totals out", _totals),
        _endpoint("orders-full", "/orders/full", "order validated, priced order validated and out", _full),
        _injected(),
    )


def _endpoint(name: str, path: str, summary: str, reply: Reply, *, checked: bool = True) -> Endpoint:
    cases = [_make(path, reply, checked, size) for size in SIZES]
    if checked:
        cases += [_make(path, reply, checked, size, kind) for size in SIZES for kind in FAULTS]
        cases += [_invalid(kind, path, value, faults) for kind, (value, faults) in invalid_bodies().items()]
        cases.append(_minimal(path, reply))
    else:
        cases.append(_make(path, reply, checked, "M", "bad-quantity"))
    return Endpoint(name, "POST", path, summary, tuple(cases), partial(_make, path, reply, checked))


def _injected() -> Endpoint:
    """The same as ``orders-full`` to a client, so a few of its cases are enough."""
    path, summary = "/orders/injected", "orders-full, priced by what a dependency gives"
    cases = [_make(path, _full, True, size) for size in SIZES]
    cases += [_make(path, _full, True, "S", kind) for kind in FAULTS]
    cases.append(_minimal(path, _full))
    return Endpoint("orders-injected", "POST", path, summary, tuple(cases), partial(_make, path, _full, True))


def _make(path: str, reply: Reply, checked: bool, size: str, fault: str = "") -> Case:
    if size not in SIZES:
        raise ValueError(f"no size {size!r}; there are: {', '.join(SIZES)}")
    if not fault:
        value = order(SIZES[size])
        return post(size, path, value, reply(value))
    if fault not in FAULTS:
        raise ValueError(f"no fault {fault!r}; there are: {', '.join(FAULTS)}")
    value, faults = faulty(size, fault)
    if checked:
        return _refused(f"{size}-{fault}", path, value, faults)
    return post(f"{size}-{fault}", path, value, reply(value))


def _refused(name: str, path: str, value: Any, faults: list[dict[str, Any]]) -> Case:
    return replace(post(name, path, value, {"detail": faults}), status=422)


def _invalid(name: str, path: str, value: Any, faults: list[dict[str, Any]]) -> Case:
    """FastAPI words the fault of a body that is not an object in another way than Pydantic: it reads attributes too."""
    case = _refused(name, path, value, faults)
    return case if isinstance(value, dict) else replace(case, volatile=("detail",))


def _minimal(path: str, reply: Reply) -> Case:
    """Only what is required, and numbers as text, which the validator takes."""
    value = order(1)
    del value["note"]
    del value["lines"][0]["tags"]
    expected = reply(value)
    value["lines"][0]["quantity"] = str(value["lines"][0]["quantity"])
    return post("bare", path, value, expected)


def _totals(value: dict[str, Any]) -> dict[str, Any]:
    amounts = [_amounts(line) for line in value["lines"]]
    return {"currency": value["currency"], **_sums(value, amounts)}


def _full(value: dict[str, Any]) -> dict[str, Any]:
    amounts = [_amounts(line) for line in value["lines"]]
    sums = _sums(value, amounts)
    defaults: dict[str, Any] = {"discount_percent": None, "tags": []}
    return {
        "reference": f"{value['currency']}-{sums['lines']}-{sums['total_cents']}",
        "note": None,
        **value,
        "lines": [defaults | line | extra for line, extra in zip(value["lines"], amounts, strict=True)],
        "totals": sums,
    }


def _sums(value: dict[str, Any], amounts: list[dict[str, int]]) -> dict[str, int]:
    keys = ("gross_cents", "discount_cents", "total_cents")
    return {
        "lines": len(amounts),
        "quantity": sum(line["quantity"] for line in value["lines"]),
        **{key: sum(amount[key] for amount in amounts) for key in keys},
    }


def _amounts(line: dict[str, Any]) -> dict[str, int]:
    gross = line["quantity"] * line["unit_price_cents"]
    whole, rest = divmod(gross * line.get("discount_percent", 0), 100)
    discount = whole + (rest >= 50)
    return {"gross_cents": gross, "discount_cents": discount, "total_cents": gross - discount}
