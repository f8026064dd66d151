from dataclasses import replace

import pytest

from apps.contract.case import Case
from harness.errors import UsageError
from harness.model import PlannedRequest, Target
from harness.serve import Running
from harness.serve.servers import Bind
from harness.verify import Reply, case_of, cases_of, compare, endpoints_of, verify_all


def server(target):
    return Running(target, Bind("127.0.0.1", 1), None)


CASE = Case("c", "GET", "/", (), b"", 200, "application/json", {"a": [1, {"b": True}], "token": "x"}, None, ("token",))
JSON = ("content-type", "application/json; charset=utf-8")
TEXT = ("content-type", "text/plain; charset=utf-8")
LENGTH = ("content-length", "37")


def reply(body=b'{"token": "y", "a": [1, {"b": true}]}', status=200, headers=(JSON, LENGTH), arrived=((0.0, 0),)):
    return Reply(status, headers, body, arrived)


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
        (reply(b'{"token": 7, "a": [1, {"b": true}]}'), "token is 7 instead of 'x'"),
        (reply(b"[]"), "the reply is [] instead of"),
        (reply(headers=(JSON, LENGTH, ("x-powered-by", "me"))), "header that other apps do not send: x-powered-by"),
        (reply(headers=(JSON, LENGTH, ("vary", "Origin"))), "header that other apps do not send: vary"),
        (reply(headers=(JSON, LENGTH, ("content-length", "37"))), "header sent twice: content-length"),
        (reply(headers=(JSON, ("transfer-encoding", "chunked"))), "no Content-Length: the body is chunked"),
        (reply(headers=(JSON, ("connection", "close"))), "no Content-Length: the body is ended by closing"),
    ],
)
def test_a_difference_is_shown(got, difference):
    assert difference in compare(CASE, got)


def test_exact_bodies_and_headers():
    case = Case("c", "GET", "/", (), b"", 405, "text/plain", None, b"no", (), (("allow", "GET"),))
    right = reply(b"no", 405, (TEXT, ("allow", "HEAD, GET"), LENGTH))
    assert compare(case, right) == ""
    assert "body b'nope'" in compare(case, reply(b"nope", 405, right.headers))
    assert "header allow: None" in compare(case, reply(b"no", 405, right.headers[:1]))
    assert "header allow: 'POST'" in compare(case, reply(b"no", 405, (right.headers[0], ("allow", "POST"), LENGTH)))


@pytest.mark.parametrize(
    ("after_s", "difference"),
    [
        (0.0004, "the reply came after 0.4 ms, expected at least 20 ms: the app does not wait"),
        (0.0189, "the reply came after 18.9 ms, expected at least 20 ms"),
        (0.0191, ""),
        (3.0, ""),
    ],
)
def test_a_reply_that_comes_before_its_wait_is_over_differs(after_s, difference):
    found = compare(replace(CASE, least_ms=20), reply(arrived=((after_s, 37),)))
    assert found.startswith(difference) if difference else found == ""


@pytest.mark.parametrize(
    ("arrived", "difference"),
    [
        (((0.0, 11), (0.01, 22), (0.02, 33), (0.02, 33)), ""),
        (((0.02, 33), (0.02, 33)), ""),
        (((0.0, 11), (0.0, 22), (0.02, 33), (0.02, 33)), "event 2 of 3 came after 0.0 ms, expected at least 10 ms"),
        (((0.0, 33), (0.02, 33)), "event 2 of 3 came after 0.0 ms, expected at least 10 ms"),
        (((0.0, 11), (0.01, 22), (0.015, 33)), "event 3 of 3 came after 15.0 ms, expected at least 20 ms"),
    ],
)
def test_an_event_that_comes_before_its_turn_differs(arrived, difference):
    body = 3 * b"data: 123\n\n"
    case = Case("c", "GET", "/", (), b"", 200, "text/event-stream", None, body, streamed=True, least_ms=20)
    found = compare(case, reply(body, headers=(("content-type", "text/event-stream; charset=utf-8"),), arrived=arrived))
    assert found.startswith(difference) if difference else found == ""


def test_a_streamed_body_does_not_say_how_long_it_is():
    case = Case("c", "GET", "/", (), b"", 200, "text/plain", None, b"long", streamed=True)
    for framing in (("transfer-encoding", "chunked"), ("connection", "close")):
        assert compare(case, reply(b"long", headers=(TEXT, framing))) == ""
    assert "Content-Length: the body is not" in compare(case, reply(b"long", headers=(TEXT, ("content-length", "4"))))
    # A server that is told of the end at once may know that there is nothing.
    assert compare(replace(case, text=b""), reply(b"", headers=(TEXT, ("content-length", "0")))) == ""
    assert "header that other apps do not send: etag" in compare(case, reply(b"long", headers=(TEXT, ("etag", "x"))))


@pytest.mark.parametrize(
    ("media_type", "content_type", "difference"),
    [
        ("application/json", "application/json", False),
        ("application/json", "application/json; charset=UTF-8", False),
        ("application/json", "application/json; charset=latin-1", True),
        ("text/plain", "text/plain;charset=utf-8", False),
        ("text/plain", "text/plain", True),
        ("text/plain", "text/plain; charset=us-ascii", True),
        ("text/plain", "text/plain; charset=utf-8; format=flowed", True),
        ("text/html", "text/plain; charset=utf-8", True),
    ],
)
def test_the_charset_of_text_is_the_same_in_all_apps(media_type, content_type, difference):
    case = Case("c", "GET", "/", (), b"", 200, media_type, {}, b"{}")
    found = compare(case, reply(b"{}", headers=(("content-type", content_type), LENGTH)))
    assert found.startswith(f"content type {content_type} instead of {media_type}") if difference else found == ""


def test_what_a_server_says_of_itself_is_no_difference():
    own = (("date", "now"), ("server", "s"), ("connection", "keep-alive"), ("keep-alive", "timeout=5"))
    assert compare(CASE, reply(headers=(JSON, LENGTH, *own))) == ""


def target(**values):
    return Target("t", "own", "asgi", "uvicorn", "a:b", **values)


def test_declared_endpoints():
    assert "orders-full" in endpoints_of(target(endpoints=("*",)))
    assert "orders-full" not in endpoints_of(target(endpoints=("*",), lacks={"orders-full": "not yet"}))
    assert endpoints_of(target(endpoints=("json",))) == ("json",)
    assert "cors" not in endpoints_of(target(endpoints=("*",)))
    assert endpoints_of(target(endpoints=("json", "cors"))) == ("json", "cors")
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
    lacking = target(endpoints=("json",), lacks={"js*/va*": "never"})
    monkeypatch.setattr("harness.verify.exchange", lambda bind, case: reply(b"", 500, ()))
    assert [entry.difference for entry in verify_all(server(lacking))] == [""]
    right = reply(b'{"message": "Hello, World!"}')
    monkeypatch.setattr("harness.verify.exchange", lambda bind, case: right)
    assert "declared as lacking" in verify_all(server(lacking))[0].difference
    assert [entry.difference for entry in verify_all(server(target(endpoints=("json",))))] == [""]


def test_a_withheld_body_is_not_waited_for_where_that_is_lacking():
    def names(**values):
        return {case.name for _, case in cases_of(target(endpoints=("upload",), **values))}

    assert names() - names(lacks={"early-refusal": "it reads first"}) == {"withheld"}
    assert len(cases_of(target(endpoints=("upload", "json")), every=False)) == 2


def test_who_lacks_streaming_says_how_long_every_body_is():
    def streamed(**values):
        return {name for name, case in cases_of(target(endpoints=("download", "json"), **values)) if case.streamed}

    assert streamed() == {"download"}
    assert streamed(lacks={"streaming": "it waits for the whole"}) == set()


def test_headers_that_a_target_adds_are_no_difference(monkeypatch):
    headers = (JSON, LENGTH, ("x-frame-options", "DENY"))
    answer = reply(b'{"message": "Hello, World!"}', headers=headers)
    monkeypatch.setattr("harness.verify.exchange", lambda bind, case: answer)
    adding = target(endpoints=("json",), adds=("x-frame-options",))
    assert [entry.difference for entry in verify_all(server(adding))] == [""]
    plain = verify_all(server(target(endpoints=("json",))))
    assert [entry.difference for entry in plain] == ["header that other apps do not send: x-frame-options"]


@pytest.mark.parametrize(
    ("lacks", "body", "difference"),
    [
        ({"clear-422": "other words"}, b'{"detail": [{"loc": ["query", "ms"]}]}', False),
        ({"clear-422": "other words"}, b'{"detail": "ms is missing"}', True),
        ({"clear-422": "other words"}, b'{"ms": ["missing"]}', True),
        ({}, b'{"detail": [{"loc": ["query", "ms"]}]}', True),
    ],
)
def test_who_lacks_clear_422s_lists_faults_in_other_words(monkeypatch, lacks, body, difference):
    answer = reply(body, 422)
    monkeypatch.setattr("harness.verify.exchange", lambda bind, case: answer)
    checked = verify_all(server(target(endpoints=("io-sleep",), lacks=lacks)))
    assert bool(next(entry.difference for entry in checked if entry.case == "ms-missing")) == difference
    assert next(entry.difference for entry in checked if entry.case == "valid")
