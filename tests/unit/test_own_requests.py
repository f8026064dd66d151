"""Requests of a user's own: from what is written to what is sent, and what their replies are held to."""

from dataclasses import replace

import pytest

from harness.config.requests import parse_headers, planned, raw_request
from harness.engine.checks import ReplyCheck
from harness.engine.wire import wire_request
from harness.errors import UsageError
from harness.model.difference import json_difference
from harness.verify import Reply, case_of, compare
from harness.verify.alike import agreed, error_page


def sent(*words, **options) -> str:
    return wire_request(case_of(planned(raw_request(*words, **options))), "h:1").data.decode("latin-1")


def test_a_path_that_is_not_ascii_goes_percent_encoded_as_utf8():
    assert sent("/caf\u00e9?q=\u65e5 1&a=%20#part").startswith("GET /caf%C3%A9?q=%E6%97%A5%201&a=%20 HTTP/1.1\r\n")


def test_host_and_length_are_sent_once_and_a_body_has_a_type():
    head = sent("/", headers=[("HOST", "shop.example"), ("content-length", "8")], body=b'{"a": 1}').lower()
    assert head.startswith("post / ")
    assert head.count("host:") == head.count("host: shop.example\r\n") == 1
    assert head.count("content-length:") == head.count("content-length: 8\r\n") == 1
    assert "content-type: application/json\r\n" in head
    assert "content-type: application/octet-stream" in sent("/", body=b"hello").lower()
    assert sent("/", headers=[("content-type", "text/csv")], body=b"1,2").lower().count("content-type") == 1


@pytest.mark.parametrize(
    ("words", "options", "message"),
    [
        (("shop",), {}, "must begin with /"),
        (("/", "G ET"), {}, "is not an HTTP method"),
        (("/",), {"headers": [("X", "\u65e5")]}, "which is not Latin-1"),
        (("/",), {"headers": [("X Y", "1")]}, "is not the name of a header"),
        (("/",), {"headers": [("X", "a\r\nb")]}, "contains a line end"),
        (("/",), {"headers": [("Content-Length", "3")]}, "is 3, but the body has 0 bytes"),
        (("/",), {"headers": [("Transfer-Encoding", "chunked")]}, "is not supported"),
        (("/",), {"status": 42}, "expected 200 to 599"),
    ],
)
def test_what_cannot_be_sent_is_told(words, options, message):
    with pytest.raises(ValueError, match=message):
        raw_request(*words, **options)


@pytest.mark.parametrize("line", ["no colon", "X: \u65e5", "X Y: 1", "X: a\nb"])
def test_a_header_line_that_is_none(line):
    with pytest.raises(UsageError):
        parse_headers([line])


@pytest.mark.parametrize(
    ("a", "b", "volatile", "equal"),
    [
        ({"at": 1, "x": 1}, {"at": 2, "x": 1}, ["at"], True),
        ({"at": 1, "x": 1}, {"at": 2, "x": 2}, ["at"], False),
        ({"meta": {"at": "a"}}, {"meta": {"at": "b"}}, ["meta.at"], True),
        ({"meta": {"at": "a"}, "at": 1}, {"meta": {"at": "a"}, "at": 2}, ["meta.at"], False),
        ([{"id": 1}, {"id": 2}], [{"id": 3}, {"id": 4}], ["*.id"], True),
        ({"items": [{"id": 1, "n": 1}]}, {"items": [{"id": 2, "n": 1}]}, ["items.*.id"], True),
        ({"items": [{"id": 1, "n": 1}]}, {"items": [{"id": 2, "n": 2}]}, ["items.*.id"], False),
        ({"at": 1}, {"at": "1"}, ["at"], False),
        ({"at": 1}, {}, ["at"], False),
        ({"a": 1, "b": ["x", "y"]}, {"a": 2.5, "b": ["z"]}, ["**"], True),
        ({"a": 1, "b": [{"c": 1}]}, {"a": 1, "b": [{"c": "1"}]}, ["**"], False),
        ({"a": None}, {"a": {"b": 1}}, ["**"], True),
        ({"a": 1}, {"a": 1, "b": 1}, ["**"], False),
        ({"a": True}, {"a": 1}, ["**"], False),
    ],
)
def test_what_may_change_in_json(a, b, volatile, equal):
    assert (json_difference(a, b, volatile) == "") is equal


def test_replies_with_a_time_in_them_are_compared_but_for_it():
    one, two = b'{"meta": {"at": 1}, "n": 5}', b'{"meta": {"at": 2}, "n": 5}'
    body, volatile, told = agreed([one, two], [two, one], ["meta.at"])
    assert (body, volatile, told) == (one, ("meta.at",), "")
    request = planned(replace(raw_request("/", volatile=volatile), status=200, body=one.decode()))
    check = ReplyCheck(wire_request(case_of(request), "h"))
    assert check.judge(200, "text/x", b'{"n": 5, "meta": {"at": 99}}') == ("", "")
    assert check.judge(200, "text/x", b'{"n": 6, "meta": {"at": 99}}')[0] == "wrong-body"
    assert compare(case_of(request), Reply(200, (), two)) == ""
    assert compare(case_of(request), Reply(200, (), b"{}"))


def test_a_status_that_nobody_named_is_any_below_400():
    case = case_of(planned(raw_request("/")))
    assert compare(case, Reply(302, (), b"")) == ""
    assert compare(case, Reply(404, (), b"")).startswith("status 404 instead of a status below 400")
    check = ReplyCheck(wire_request(case, "h"))
    assert (check.judge(204, "", b"")[0], check.judge(400, "", b"")[0]) == ("", "wrong-status")


def test_what_differs_beyond_the_volatile_fields_is_told():
    assert agreed([b'{"at": 1, "n": 1}'], [b'{"at": 2, "n": 2}'], ["at"]) == (None, (), "n is 2 instead of 1")
    assert agreed([b"<p>1"], [b"<p>2"], ["**"]) == (None, (), "")
    assert agreed([b"<p>1"], [b"<p>22"], ["at"])[2] == "4 bytes in A, 5 in B"
    assert agreed([b"[1]"], [b"[1]"], []) == (b"[1]", (), "")


@pytest.mark.parametrize(
    ("media", "body", "told"),
    [
        ("text/html", b"<html><title>Page not found</title>", "not found"),
        ("text/html", b"<title>Shop</title><h1 class='x'>Internal Server <b>Error</b></h1>", "Internal Server Error"),
        ("text/html; charset=utf-8", b"<TITLE>Log in | Django site admin</TITLE>", "Log in"),
        ("text/html", b"<title>503 - later</title>", "503"),
        ("text/html", b"<title>Products</title><p>no error here</p>", ""),
        ("text/html", b"<title>Terror and Logins</title>", ""),
        ("application/json", b'{"error": "no such product"}', "no such product"),
        ("application/json", b'{"success": false}', "success: false"),
        ("application/json", b'{"status": "error", "x": 1}', "status: error"),
        ("application/json", b'{"errors": [], "status": "ok", "success": true}', ""),
        ("application/json", b"[1]", ""),
    ],
)
def test_an_error_page_with_status_200_is_recognised(media, body, told):
    said = error_page(Reply(200, (("content-type", media),), body))
    assert told in said if told else not said
