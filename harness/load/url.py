"""From a URL and what a user says about the request to the bytes that are sent."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, unquote, urlsplit

from harness.errors import NotReadyError, UsageError
from harness.load.spec import Address

Scheme = Literal["http", "ws"]
_SCHEMES: dict[str, Scheme] = {"http": "http", "ws": "ws", "http+unix": "http", "ws+unix": "ws"}
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
CONNECT_S = 5.0


@dataclass(frozen=True, slots=True)
class Destination:
    """A parsed URL.

    Attributes:
        target: path and query as they stand in the request line.
        authority: value of the Host header.
    """

    scheme: Scheme
    address: Address
    target: str
    authority: str


def parse_url(url: str) -> Destination:
    """``http://`` and ``ws://``, and both as ``…+unix://%2Fpath%2Fof.sock/path`` for a Unix socket.

    Raises:
        UsageError: it is no such URL.
    """
    hint = "write http://127.0.0.1:8000/path"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"{url!r} is not a URL: {error}", hint=hint) from None
    scheme = _SCHEMES.get(parts.scheme)
    if parts.scheme in ("https", "wss"):
        raise UsageError(
            f"{url!r}: TLS is not spoken here, it would measure the cipher", hint="load the server behind the TLS proxy"
        )
    if scheme is None or not parts.hostname:
        raise UsageError(f"{url!r} is not an http:// or ws:// URL", hint=hint)
    if parts.username is not None:
        raise UsageError(f"{url!r}: a user name in a URL is not sent", hint="use -H 'Authorization: …'")
    target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    if parts.query:
        target += "?" + quote(parts.query, safe="/?%:@!$&'()*+,;=~-._[]")
    if parts.scheme.endswith("+unix"):
        return Destination(scheme, Address(path=unquote(parts.netloc)), target, "localhost")
    return Destination(scheme, Address(parts.hostname, 80 if port is None else port), target, parts.netloc)


def reach(destination: Destination, timeout_s: float = CONNECT_S) -> Address:
    """The numeric address, of those that the host has, that accepts a connection.

    Raises:
        NotReadyError: none does.
    """
    address = destination.address
    where = address.path or f"{address.host}:{address.port}"
    try:
        if address.path:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
                sock.settimeout(timeout_s)
                sock.connect(address.path)
            return address
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise NotReadyError(f"cannot reach {where}: {error.strerror or error}", hint="is the server running?") from None
    failure: OSError | None = None
    for family, kind, protocol, _, resolved in found:
        try:
            with socket.socket(family, kind, protocol) as sock:
                sock.settimeout(timeout_s)
                sock.connect(resolved)
            return Address(str(resolved[0]), address.port)
        except OSError as error:
            failure = error
    reason = "" if failure is None else f": {failure.strerror or failure}"
    raise NotReadyError(f"cannot reach {where}{reason}", hint="is the server running?")


def parse_headers(lines: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """``Name: value`` lines.

    Raises:
        UsageError: a line is none.
    """
    headers = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not _TOKEN.fullmatch(name.strip()) or any(mark in value for mark in "\r\n\0"):
            raise UsageError(f"{line!r} is not a header", hint="write -H 'Name: value'")
        headers.append((name.strip(), value.strip()))
    return tuple(headers)


def request_bytes(
    destination: Destination, method: str, headers: Sequence[tuple[str, str]], body: bytes | None
) -> bytes:
    """The whole request. ``Host``, ``Content-Length`` and a guessed ``Content-Type`` are added where they are missing.

    Raises:
        UsageError: the method is no token, or a header is not Latin-1.
    """
    if not _TOKEN.fullmatch(method):
        raise UsageError(f"{method!r} is not an HTTP method")
    given = {name.lower() for name, _ in headers}
    lines = [f"{method} {destination.target} HTTP/1.1"]
    if "host" not in given:
        lines.append(f"Host: {destination.authority}")
    if body is not None:
        if "content-type" not in given:
            lines.append(f"Content-Type: {_guess_type(body)}")
        if "content-length" not in given and "transfer-encoding" not in given:
            lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name}: {value}" for name, value in headers]
    try:
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (body or b"")
    except UnicodeEncodeError as error:
        raise UsageError(f"a header holds {error.object[error.start : error.end]!r}, which is not Latin-1") from None


def _guess_type(body: bytes) -> str:
    try:
        json.loads(body)
    except ValueError:
        return "application/octet-stream"
    return "application/json"
