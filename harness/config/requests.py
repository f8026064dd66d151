"""Requests to an app of the user's own: the command line's, those of a scenario file, and a browser's export (HAR)."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlsplit

from harness.errors import UsageError
from harness.model import PlannedRequest, RawRequest
from harness.model.units import number_of

Headers = Sequence[tuple[str, str]]
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
WITH_BODY = ("POST", "PUT", "PATCH")
"""Without a body they say that it has no bytes (RFC 9110 §8.6)."""

_CONNECTION = frozenset({"connection", "content-length", "keep-alive", "proxy-connection", "te", "transfer-encoding"})
"""Headers of one connection and of how a body is sent, which a browser's export holds and this client decides."""


def parse_headers(lines: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """``Name: value`` lines.

    Raises:
        UsageError: a line is not a header.
    """
    headers = []
    for line in lines:
        name, colon, value = line.partition(":")
        fault = _header_fault(name.strip(), value.strip()) if colon else f"{line!r} is not a header"
        if fault:
            raise UsageError(fault, hint="write -H 'Name: value'")
        headers.append((name.strip(), value.strip()))
    return tuple(headers)


def quoted_target(path: str, query: str = "") -> str:
    """Path and query as they stand in the request line: what is not ASCII becomes UTF-8, percent-encoded."""
    safe = "/%:@!$&'()*+,;=~-._"
    return quote(path, safe=safe) + (f"?{quote(query, safe=f'{safe}?[]')}" if query else "")


def guessed_type(body: bytes) -> str:
    """The content type of a body that has none: JSON if it is JSON."""
    try:
        json.loads(body)
    except ValueError:
        return "application/octet-stream"
    return "application/json"


def raw_request(
    path: str,
    method: str = "",
    headers: Headers = (),
    body: bytes = b"",
    status: int = 0,
    volatile: Sequence[str] = (),
) -> RawRequest:
    """The request with defaults for what is missing: GET, or POST with a body, and the body's content type.

    Raises:
        ValueError: a part cannot be sent.
    """
    if not path.startswith("/"):
        raise ValueError(f"path {path!r} must begin with /")
    method = (method or ("POST" if body else "GET")).upper()
    if not TOKEN.fullmatch(method):
        raise ValueError(f"{method!r} is not an HTTP method")
    if status and not 200 <= status <= 599:
        raise ValueError(f"status {status} is not the status of a reply: expected 200 to 599")
    sent_headers = {name.lower(): value for name, value in headers}
    if fault := next(filter(None, (_header_fault(name, value) for name, value in headers)), ""):
        raise ValueError(fault)
    if "transfer-encoding" in sent_headers:
        raise ValueError("header 'Transfer-Encoding' is not supported: a body is sent with its length")
    if (length := sent_headers.get("content-length", str(len(body)))) != str(len(body)):
        raise ValueError(f"header 'Content-Length' is {length}, but the body has {len(body)} bytes")
    sent = [(name, value) for name, value in headers if name.lower() != "content-length"]
    if body and "content-type" not in sent_headers:
        sent.append(("Content-Type", guessed_type(body)))
    path, _, query = path.partition("#")[0].partition("?")
    return RawRequest(
        method, quoted_target(path, query), tuple(sent), body.decode("latin-1"), status, volatile=tuple(volatile)
    )


def wire_bytes(method: str, target: str, headers: Headers, body: bytes, host: str) -> bytes:
    """The whole request, with ``Host`` and ``Content-Length`` where they are missing."""
    names = {name.lower() for name, _ in headers}
    lines = [f"{method} {target} HTTP/1.1"]
    if "host" not in names:
        lines.append(f"Host: {host}")
    lines += [f"{name}: {value}" for name, value in headers]
    if "content-length" not in names and (body or method in WITH_BODY):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def planned(raw: RawRequest, weight: int = 1, name: str = "") -> PlannedRequest:
    return PlannedRequest("", name or f"{raw.method} {raw.path}", weight=weight, raw=raw)


def read_har(document: Any) -> tuple[str, tuple[PlannedRequest, ...], dict[str, int]]:
    """Of a browser's export (HAR): the host of its first request, the requests to it, and the skipped ones by reason.

    Equal requests are one, with their number as its weight.

    Raises:
        ValueError: it is not one, or holds no request that can be sent.
    """
    try:
        entries = [(entry["request"], entry.get("response", {})) for entry in document["log"]["entries"]]
        host = next((urlsplit(request["url"]).netloc for request, _ in entries), "")
        unique: dict[tuple[str, str, str], PlannedRequest] = {}
        skipped: dict[str, int] = {}
        for request, response in entries:
            parts, status = urlsplit(request["url"]), int(response.get("status", 0))
            sent = [(each["name"], each["value"]) for each in request.get("headers", ())]
            names = {name.lower() for name, _ in sent}
            why = _left_out(parts.scheme, parts.netloc, host, status, names)
            if why:
                skipped[why] = skipped.get(why, 0) + 1
                continue
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            # Names that begin with a colon are HTTP/2's own.
            headers = [each for each in sent if each[0][:1] != ":" and each[0].lower() not in _CONNECTION]
            if "host" not in names:
                headers.append(("Host", parts.netloc))
            raw = raw_request(target or "/", request["method"], headers, _body(request), status)
            before = unique.get((raw.method, raw.path, raw.content))
            weight = before.weight + 1 if before else 1
            unique[raw.method, raw.path, raw.content] = replace(before or planned(raw), weight=weight)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a HAR file: {type(error).__name__}: {error}") from None
    if not unique:
        why = ", ".join(f"{count} {reason}" for reason, count in skipped.items())
        raise ValueError(f"no request to an app over HTTP among {number_of(len(entries), 'entry')}: {why or 'empty'}")
    return host, tuple(unique.values()), skipped


def _left_out(scheme: str, netloc: str, host: str, status: int, names: Iterable[str]) -> str:
    """Why an entry is not sent to the app; empty if it is."""
    if scheme in ("ws", "wss") or "sec-websocket-key" in names:
        return "WebSocket"
    if scheme not in ("http", "https"):
        return f"{scheme}: URL"
    if netloc != host:
        return f"to {netloc}"
    if status < 200:
        return "without a reply"
    return f"answered {status}" if status >= 400 else ""


def _body(request: Any) -> bytes:
    data = request.get("postData") or {}
    text = str(data.get("text", ""))
    return b64decode(text) if data.get("encoding") == "base64" else text.encode()


def _header_fault(name: str, value: str) -> str:
    if not TOKEN.fullmatch(name):
        return f"{name!r} is not the name of a header"
    if any(mark in value for mark in "\r\n\0"):
        return f"header {name!r} contains a line end"
    if unsupported := [character for character in value if ord(character) > 255]:
        return f"header {name!r} contains {unsupported[0]!r}, which is not Latin-1: percent-encode it"
    return ""
