"""The contract agrees with itself: domain, models, payloads and cases."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import BaseModel, ValidationError

from apps.contract import domain, inbound
from apps.contract.case import Case, CaseError
from apps.contract.endpoints import BASELINE, ENDPOINTS
from apps.contract.models import CpuQuery, FullOrder, ItemPath, ItemQuery, Order, WaitQuery
from apps.contract.payloads import FAULTS, SIZES, faulty, invalid_bodies, order
from apps.contract.replies import Rows

ALL_CASES = [(endpoint.name, case) for endpoint in ENDPOINTS.values() for case in endpoint.cases]
Model = TypeVar("Model", bound=BaseModel)
CHECKED = ("orders-validated", "orders-full")


def case_id(value: object) -> str | None:
    return value.name if isinstance(value, Case) else None


def cases_of(*names: str) -> list[Case]:
    return [case for name in names for case in ENDPOINTS[name].cases]


def read(model: type[Model], value: Any, where: str) -> Model:
    """``value`` as a ``model``, read as FastAPI reads it, refused with its faults."""
    try:
        return model.model_validate(value, from_attributes=True)
    except ValidationError as error:
        raise inbound.Refused(422, inbound.faults(error, where, ["item_id"])) from error


def read_query(model: type[Model], case: Case) -> Model:
    values = parse_qs(urlsplit(case.path).query, keep_blank_values=True)
    return read(model, {name: given if name == "tags" else given[-1] for name, given in values.items()}, "query")


def reply_to_item(case: Case) -> Any:
    path = read(ItemPath, {"item_id": urlsplit(case.path).path.removeprefix("/items/")}, "path")
    return domain.item(path.item_id, read_query(ItemQuery, case))


def answer(compute: Callable[[], Any]) -> tuple[int, Any]:
    """Status and JSON value that an app must answer with."""
    try:
        return 200, compute()
    except inbound.Refused as refused:
        return refused.status, {"detail": refused.detail}


@pytest.mark.parametrize(
    ("quantity", "price", "percent", "expected"),
    [
        (1, 0, None, (0, 0)),
        (3, 199, None, (597, 0)),
        (3, 199, 0, (597, 0)),
        (1, 50, 1, (50, 1)),
        (1, 49, 1, (49, 0)),
        (1, 333, 50, (333, 167)),
        (999, 100_000_000, 100, (99_900_000_000, 99_900_000_000)),
    ],
)
def test_line_amounts_round_half_up(quantity: int, price: int, percent: int | None, expected: tuple[int, int]) -> None:
    assert domain.line_amounts(quantity, price, percent) == expected


@pytest.mark.parametrize("size", SIZES)
def test_raw_and_validated_totals_agree(size: str) -> None:
    value = order(SIZES[size])
    assert domain.raw_totals(value) == domain.totals(Order.model_validate(value))


@pytest.mark.parametrize("size", SIZES)
def test_full_order_adds_up(size: str) -> None:
    reply = FullOrder.model_validate(domain.full_order(Order.model_validate(order(SIZES[size]))))
    assert len(reply.lines) == SIZES[size] == reply.totals.lines
    assert reply.totals.total_cents == sum(line.total_cents for line in reply.lines)
    assert all(line.gross_cents == line.discount_cents + line.total_cents for line in reply.lines)


@pytest.mark.parametrize("value", [{}, {"lines": []}, {"currency": "EUR", "lines": [{}]}, [], None, 3])
def test_raw_totals_check_nothing(value: Any) -> None:
    with pytest.raises((KeyError, TypeError)):
        domain.raw_totals(value)


def test_burn_is_set_and_grows() -> None:
    assert domain.burn(5) == domain.burn(5)
    assert domain.burn(1)["result"] != domain.burn(2)["result"]
    assert (1_103_515_245 + 12_345) & 0x7FFFFFFF == 1_103_527_590
    state = 1
    for _ in range(domain.ROUNDS_PER_UNIT):
        state = (1_103_515_245 * state + 12_345) % 2**31
    assert domain.burn(1) == {"units": 1, "result": state}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", FAULTS)
def test_faulty_orders_have_just_the_faults_they_name(size: str, kind: str) -> None:
    value, expected = faulty(size, kind)
    with pytest.raises(inbound.Refused) as refused:
        read(Order, json.loads(json.dumps(value)), "body")
    assert refused.value.status == 422
    assert refused.value.detail == expected


@pytest.mark.parametrize("kind", invalid_bodies())
def test_invalid_bodies_have_just_the_faults_they_name(kind: str) -> None:
    value, expected = invalid_bodies()[kind]
    with pytest.raises(inbound.Refused) as refused:
        read(Order, inbound.load_json(json.dumps(value).encode()), "body")
    assert refused.value.detail == expected


def test_payloads_are_fresh() -> None:
    first, second = order(20), order(20)
    assert first == second
    first["lines"][0]["quantity"] = 0
    assert second["lines"][0]["quantity"] == 1


@pytest.mark.parametrize("case", cases_of(*CHECKED), ids=case_id)
def test_checked_orders_answer_what_the_domain_answers(case: Case) -> None:
    reply = domain.totals if case.path.endswith("validated") else full_json
    found = answer(lambda: reply(read(Order, inbound.load_json(case.body), "body")))
    assert found == (case.status, case.json)


def full_json(value: Order) -> Any:
    return json.loads(FullOrder.model_validate(domain.full_order(value)).model_dump_json())


@pytest.mark.parametrize("case", ENDPOINTS["orders-raw"].cases, ids=case_id)
def test_raw_orders_answer_what_the_domain_answers(case: Case) -> None:
    assert case.status == 200
    assert domain.raw_totals(inbound.load_json(case.body)) == case.json


@pytest.mark.parametrize("case", ENDPOINTS["items"].cases, ids=case_id)
def test_items_answer_what_the_domain_answers(case: Case) -> None:
    found = answer(lambda: reply_to_item(case))
    assert found == (case.status, case.json)


@pytest.mark.parametrize("case", cases_of("io-sleep", "io-blocking", "cpu"), ids=case_id)
def test_queries_are_judged_as_the_cases_say(case: Case) -> None:
    if case.path.startswith("/cpu"):
        found = answer(lambda: domain.burn(read_query(CpuQuery, case).units))
    else:
        found = answer(lambda: domain.waited(read_query(WaitQuery, case).ms))
    assert found == (case.status, case.json)


@pytest.mark.parametrize("name", ["rows", "rows-raw"])
def test_rows_are_their_models_own_json(name: str) -> None:
    case = ENDPOINTS[name].case("", n=500)
    assert 95_000 <= len(json.dumps(case.json, separators=(",", ":"))) <= 105_000
    assert json.loads(Rows.model_validate({"rows": domain.rows(500)}).model_dump_json()) == case.json
    assert ENDPOINTS[name].case("valid").json == {"rows": domain.rows(1)}


def test_the_page_has_no_text_that_a_browser_would_take_for_markup() -> None:
    page = (ENDPOINTS["page"].case("", rows=2).text or b"").decode()
    assert "<td>Row &lt;2&gt; &amp; co</td><td>Made up, weighs &lt; 3 kg, sent in two days</td><td>173</td>" in page
    assert page.count("<tr>") == 3


def test_every_wait_has_its_least_time() -> None:
    right = [(name, case) for name, case in ALL_CASES if case.status == 200]
    waits = {(name, case.name): case.least_ms for name, case in right if case.least_ms or "ms=" in case.path}
    expected = {
        ("io-sleep", "valid"): 5,
        ("io-sleep", "zero"): 0,
        ("io-blocking", "valid"): 5,
        ("io-blocking", "zero"): 0,
        ("io-upstream", "valid"): 5,
        ("io-upstream", "one-call"): 3,
        ("io-upstream", "10x0"): 0,
        ("io-db", "valid"): 5,
        ("io-db", "zero"): 0,
        ("stream-events", "valid"): 20,
        ("stream-events", "1000"): 0,
    }
    assert waits == expected
    assert ENDPOINTS["io-sleep"].case("", ms=20).least_ms == 20
    assert ENDPOINTS["io-upstream"].case("", ms=50, calls=4).least_ms == 50
    assert ENDPOINTS["stream-events"].case("", n=11, interval_ms=100).least_ms == 1_000


@pytest.mark.parametrize("case", ENDPOINTS["errors"].cases, ids=case_id)
def test_refusals_are_refused_for_the_reason_they_name(case: Case) -> None:
    if case.status in (404, 405):
        assert not case.body
        assert (case.status == 405) == any(name == "allow" for name, _ in case.reply_headers)
        return
    if case.status == 500:
        with pytest.raises(KeyError):
            domain.raw_totals(inbound.load_json(case.body))
        return

    def receive() -> Any:
        inbound.check_media_type(dict(case.headers).get("content-type"))
        inbound.check_length(str(len(case.body)))
        return inbound.load_json(case.body)

    status, reply = answer(receive)
    assert status == case.status
    assert reply == case.json or status == 413


@pytest.mark.parametrize(("endpoint", "case"), ALL_CASES, ids=case_id)
def test_cases_are_well_formed(endpoint: str, case: Case) -> None:
    assert case.path.startswith("/")
    assert case.path.isascii()
    assert " " not in case.path
    assert case.status in {status.value for status in HTTPStatus}
    own = {"host"} if case.withhold else {"host", "content-length"}
    assert not {name.lower() for name, _ in case.headers} & own
    assert case.withhold == any(name == "content-length" for name, _ in case.headers)
    assert (case.media_type in ("application/json", "")) == (case.text is None) or case.preflight
    assert (case.media_type == "") == (case.status == 413) or case.preflight
    if case.media_type == "application/json":
        assert json.loads(json.dumps(case.json)) == case.json
    if endpoint not in ("errors", "cors"):
        assert case.method == ENDPOINTS[endpoint].method


@pytest.mark.parametrize("name", ENDPOINTS)
def test_case_names_are_unique(name: str) -> None:
    names = [case.name for case in ENDPOINTS[name].cases]
    assert len(names) == len(set(names))
    assert "" not in names


def test_baseline_names_exist() -> None:
    assert set(ENDPOINTS) > BASELINE


@pytest.mark.parametrize(
    ("endpoint", "params", "path", "reply"),
    [
        ("io-sleep", {"ms": 20}, "/io/sleep?ms=20", {"slept_ms": 20}),
        ("io-sleep", {"ms": 20.0}, "/io/sleep?ms=20", {"slept_ms": 20}),
        ("io-blocking", {"ms": 0}, "/io/blocking?ms=0", {"slept_ms": 0}),
        ("cpu", {"units": 2}, "/cpu?units=2", domain.burn(2)),
        ("items", {"item_id": 3, "q": "a b", "tags": "x,y"}, "/items/3?q=a+b&limit=10&tags=x&tags=y", None),
        ("orders-raw", {"size": "M"}, "/orders/raw", None),
        ("orders-full", {"size": "L"}, "/orders/full", None),
    ],
)
def test_cases_from_parameters(endpoint: str, params: dict[str, Any], path: str, reply: Any) -> None:
    case = ENDPOINTS[endpoint].case("", **params)
    assert (case.path, case.status) == (path, 200)
    if reply is not None:
        assert case.json == reply


@pytest.mark.parametrize("endpoint", ["orders-raw", *CHECKED])
def test_made_orders_are_the_named_cases(endpoint: str) -> None:
    for size in SIZES:
        assert ENDPOINTS[endpoint].case("", size=size) == ENDPOINTS[endpoint].case(size)
    faulty_case = ENDPOINTS[endpoint].case("", size="M", fault="bad-quantity")
    assert faulty_case == ENDPOINTS[endpoint].case("M-bad-quantity")


@pytest.mark.parametrize(
    ("endpoint", "name", "params", "message"),
    [
        ("json", "nope", {}, "no case 'nope'; there are: valid"),
        ("json", "", {}, "takes no parameters"),
        ("errors", "", {"ms": 1}, "takes no parameters"),
        ("io-sleep", "valid", {"ms": 1}, "'valid' takes no parameters, but got ms"),
        ("io-sleep", "", {"ms": 1, "seconds": 1}, "^io-sleep: got an unexpected keyword argument 'seconds'$"),
        ("io-sleep", "", {"ms": -1}, "^io-sleep: ms: Input should be greater than or equal to 0$"),
        ("io-sleep", "", {"ms": "soon"}, "valid integer"),
        ("cpu", "", {"units": 0}, "greater than or equal to 1"),
        ("items", "", {"limit": 101}, "less than or equal to 100"),
        ("items", "", {"item_id": 0}, "greater than or equal to 1"),
        ("orders-full", "", {"size": "XL"}, "no size 'XL'; there are: S, M, L"),
        ("orders-full", "", {"size": "S", "fault": "ugly"}, "no fault 'ugly'"),
        ("orders-full", "", {}, "^orders-full: missing a required argument: 'size'$"),
    ],
)
def test_wrong_names_and_parameters(endpoint: str, name: str, params: dict[str, Any], message: str) -> None:
    with pytest.raises(CaseError, match=message):
        ENDPOINTS[endpoint].case(name, **params)


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 0),
        ("Application/JSON ; charset=utf-8", 0),
        ("application/problem+json", 0),
        ("text/json", 415),
        ("application/jsonp", 415),
        ("text/plain+json", 415),
        ("", 415),
        (None, 415),
    ],
)
def test_media_types(content_type: str | None, status: int) -> None:
    if not status:
        inbound.check_media_type(content_type)
        return
    with pytest.raises(inbound.Refused) as refused:
        inbound.check_media_type(content_type)
    assert refused.value.status == status


@pytest.mark.parametrize("length", [None, "", "0", str(inbound.MAX_BODY_BYTES), "-1", "many"])
def test_lengths_that_pass(length: str | None) -> None:
    inbound.check_length(length)


def test_a_declared_length_past_the_limit_is_refused() -> None:
    with pytest.raises(inbound.Refused) as refused:
        inbound.check_length(str(inbound.MAX_BODY_BYTES + 1))
    assert refused.value.status == 413


def test_full_order_model_refuses_a_wrong_reply() -> None:
    reply = domain.full_order(Order.model_validate(order(1)))
    reply["lines"][0]["total_cents"] = -1
    with pytest.raises(ValidationError, match="total_cents"):
        FullOrder.model_validate(reply)


def test_contract_needs_no_framework_and_apps_need_no_cases() -> None:
    program = (
        "import sys, apps.contract.endpoints\n"
        "frameworks = {'fastapi', 'flask', 'django', 'tornado', 'starlette', 'harness'}\n"
        "assert not frameworks & set(sys.modules), frameworks & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    program = (
        "import sys, apps.baseline.asgi, apps.flask_app, apps.fastapi_app, apps.starlette_app, apps.tornado_app\n"
        "import apps.django_app.wsgi\n"
        "assert 'apps.contract.case' not in sys.modules\n"
        "assert 'harness' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
