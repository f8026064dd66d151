import pytest

from apps.contract.case import Case
from harness.errors import UsageError
from harness.model import PlannedRequest, Target
from harness.servers import Bind
from harness.verify import Reply, case_of, cases_of, compare, endpoints_of, verify_all

BIND = Bind("127.0.0.1", 1)

CASE = Case("c", "GET", "/", (), b"", 200, "application/json", {"a": [1, {"b": True}], "token": "x"}, None, ("token",))
JSON = ("content-type", "application/json; charset=utf-8")


def reply(body=b'{"token": "y", "a": [1, {"b": true}]}', status=200, headers=(JSON,)):
    return Reply(status, headers, body)


def test_key_order_spacing_and_volatile_keys_may_differ():
    assert compare(CASE, reply()) == ""


@pytest.mark.parametrize(
    ("got", "difference"),
    [
        (reply(status=500), "status 500 instead of 200"),
        (reply(headers=(("content-type", "text/html"),)), "content type text/html instead of application/json"),
        (reply(headers=()), "content type missing"),
        (reply(b"{"), "body is not JSON"),
        (reply(b'{"token": "y", "a": [1.0, {"b": true}]}'), "a[0] is 1.0 instead of 1"),
        (reply(b'{"token": "y", "a": [1, {"b": 1}]}'), "a[1].b is 1 instead of True"),
        (reply(b'{"token": "y", "a": [1]}'), "a has 1 entries instead of 2"),
        (reply(b'{"a": [1, {"b": true}]}'), "lacks token"),
        (reply(b'{"token": "y", "a": [1, {"b": true}], "c": 1}'), "adds c"),
        (reply(b"[]"), "the reply is [] instead of"),
        (reply(headers=(JSON, ("x-powered-by", "me"))), "header that others lack: x-powered-by"),
    ],
)
def test_a_difference_is_shown(got, difference):
    assert difference in compare(CASE, got)


def test_exact_bodies_and_headers():
    case = Case("c", "GET", "/", (), b"", 405, "text/plain", None, b"no", (), (("allow", "GET"),))
    right = Reply(405, (("content-type", "text/plain"), ("allow", "HEAD, GET")), b"no")
    assert compare(case, right) == ""
    assert "body b'nope'" in compare(case, Reply(405, right.headers, b"nope"))
    assert "header allow: None" in compare(case, Reply(405, right.headers[:1], b"no"))
    assert "header allow: 'POST'" in compare(case, Reply(405, (right.headers[0], ("allow", "POST")), b"no"))


def target(**values):
    return Target("t", "own", "asgi", "uvicorn", "a:b", **values)


def test_declared_endpoints():
    assert "orders-full" in endpoints_of(target(endpoints=("*",)))
    assert "orders-full" not in endpoints_of(target(endpoints=("*",), lacks={"orders-full": "not yet"}))
    assert endpoints_of(target(endpoints=("json",))) == ("json",)
    with pytest.raises(UsageError, match="'jsn', which the contract does not have"):
        endpoints_of(target(endpoints=("jsn",)))


def test_a_scenarios_request_becomes_a_case():
    assert case_of(PlannedRequest("io-sleep", "", {"ms": 20})).path.endswith("ms=20")
    assert case_of(PlannedRequest("json", "valid")).path == "/json"


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (PlannedRequest("jsn", "valid"), "no endpoint 'jsn'"),
        (PlannedRequest("json", "invalid"), "invalid"),
        (PlannedRequest("io-sleep", "", {"seconds": 1}), "missing a required argument: .ms."),
        (PlannedRequest("json", "", {"ms": 1}), "json"),
    ],
)
def test_an_unknown_request_is_refused(request_, message):
    with pytest.raises(UsageError, match=message):
        case_of(request_)


def test_a_case_that_is_declared_as_lacking_must_differ(monkeypatch):
    lacking = target(endpoints=("json",), lacks={"json/valid": "never"})
    monkeypatch.setattr("harness.verify.exchange", lambda bind, case: Reply(500, (), b""))
    assert [entry.difference for entry in verify_all(lacking, BIND)] == [""]
    reply = Reply(200, (("content-type", "application/json"),), b'{"message": "Hello, World!"}')
    monkeypatch.setattr("harness.verify.exchange", lambda bind, case: reply)
    assert "declared as lacking" in verify_all(lacking, BIND)[0].difference
    assert [entry.difference for entry in verify_all(target(endpoints=("json",)), BIND)] == [""]


def test_a_withheld_body_is_not_waited_for_where_that_is_lacking():
    def names(**values):
        return {case.name for _, case in cases_of(target(endpoints=("upload",), **values))}

    assert names() - names(lacks={"early-refusal": "it reads first"}) == {"withheld"}
    assert len(cases_of(target(endpoints=("upload", "json")), every=False)) == 2
