"""Cases of requests that every app refuses alike, wherever they go."""

from __future__ import annotations

import json
from typing import Any

from apps.contract.case import JSON, Case, Endpoint, too_large
from apps.contract.inbound import MALFORMED_JSON, MAX_BODY_BYTES
from apps.contract.payloads import order

_JSON_HEADERS = (("content-type", JSON),)
_JSON_PATHS = ("/orders/raw", "/orders/validated", "/orders/full")


def errors() -> Endpoint:
    """The endpoint ``errors``, which has cases only."""
    cases = (*_not_found(), *_wrong_method(), *_wrong_media_type(), *_malformed(), *_too_large(), _crash())
    return Endpoint("errors", "", "", "what every app refuses alike", cases)


def _case(
    name: str,
    method: str,
    path: str,
    status: int,
    detail: Any,
    *,
    headers: tuple[tuple[str, str], ...] = (),
    body: bytes = b"",
    reply_headers: tuple[tuple[str, str], ...] = (),
    volatile: tuple[str, ...] = (),
) -> Case:
    reply = {"detail": detail}
    return Case(name, method, path, headers, body, status, JSON, reply, None, volatile, reply_headers)


def _not_found() -> list[Case]:
    """No path with a slash at its end: some frameworks lead to the path without it, as their users expect."""
    paths = {"root": "/", "unknown": "/nowhere", "below": "/items/1/more"}
    return [_case(f"not-found-{name}", "GET", path, 404, "Not Found") for name, path in paths.items()]


def _wrong_method() -> list[Case]:
    rows = (
        ("POST", "/json", "GET"),
        ("PUT", "/plaintext", "GET"),
        ("DELETE", "/items/1", "GET"),
        ("PATCH", "/io/sleep?ms=1", "GET"),
        ("GET", "/orders/raw", "POST"),
        ("PUT", "/orders/validated", "POST"),
        ("DELETE", "/orders/full", "POST"),
        ("DELETE", "/products", "GET"),
        ("PUT", "/products/7", "GET"),
        ("POST", "/page", "GET"),
        ("GET", "/auth/token", "POST"),
        ("POST", "/users/me", "GET"),
        ("GET", "/upload", "POST"),
        ("POST", "/stream/events", "GET"),
    )
    return [
        _case(
            f"wrong-method-{method}-{path.partition('?')[0].strip('/').replace('/', '-')}",
            method,
            path,
            405,
            "Method Not Allowed",
            reply_headers=tuple(("allow", one) for one in allow.split()),
        )
        for method, path, allow in rows
    ]


def _wrong_media_type() -> list[Case]:
    body = json.dumps(order(1)).encode()
    kinds: dict[str, tuple[tuple[str, str], ...]] = {
        "none": (),
        "text": (("content-type", "text/plain"),),
        "form": (("content-type", "application/x-www-form-urlencoded"),),
        "text-json": (("content-type", "text/json"),),
    }
    return [
        _case(
            f"media-type-{kind}-{_tail(path)}", "POST", path, 415, "Unsupported Media Type", headers=headers, body=body
        )
        for path in _JSON_PATHS
        for kind, headers in kinds.items()
    ]


def _malformed() -> list[Case]:
    """Frameworks that parse JSON by themselves say in their own words what is wrong with it."""
    deep = 100_000
    bodies = {
        "empty": b"",
        "blank": b"  \n",
        "cut": json.dumps(order(1)).encode()[:-1],
        "single-quotes": b"{'lines': []}",
        "trailing": b"{} {}",
        "not-utf-8": b'{"note": "\xe9\xff"}',
        "latin-1": json.dumps({"note": "caf\xe9"}, ensure_ascii=False).encode("latin-1"),
        "huge-number": b'{"quantity": ' + b"9" * 5_000 + b"}",
        "deep-list": b"[" * deep + b"]" * deep,
        "deep-object": b'{"a":' * deep + b"1" + b"}" * deep,
    }
    special = {"latin-1": (("content-type", f"{JSON}; charset=latin-1"),)}
    return [
        _case(
            f"malformed-{kind}-{_tail(path)}",
            "POST",
            path,
            400,
            MALFORMED_JSON,
            headers=special.get(kind, _JSON_HEADERS),
            body=body,
            volatile=("detail",),
        )
        for path in _JSON_PATHS
        for kind, body in bodies.items()
    ]


def _too_large() -> list[Case]:
    body = b" " * (MAX_BODY_BYTES + 1)
    return [
        too_large(_case(f"too-large-{_tail(path)}", "POST", path, 413, None, headers=_JSON_HEADERS, body=body))
        for path in _JSON_PATHS
    ]


def _crash() -> Case:
    """The control reads keys that are not there: an exception that nobody foresaw, answered without a traceback."""
    return _case("crash", "POST", "/orders/raw", 500, "Internal Server Error", headers=_JSON_HEADERS, body=b"{}")


def _tail(path: str) -> str:
    return path.rpartition("/")[2]
