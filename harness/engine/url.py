"""From a URL and what a user says about the request to the bytes that are sent."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from apps.contract.case import Case
from harness.config.requests import Headers, quoted_target, raw_request, wire_bytes
from harness.engine.client import error_text, peers
from harness.engine.spec import Address, WireRequest
from harness.errors import NotReadyError, UsageError
from harness.model.address import Tls
from harness.model.reason import Reason

Scheme = Literal["http", "ws"]
_SCHEMES: dict[str, Scheme] = {
    "http": "http", "https": "http", "ws": "ws", "wss": "ws", "http+unix": "http", "ws+unix": "ws",
}  # fmt: skip
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


def parse_url(url: str, cacert: str = "", insecure: bool = False) -> Destination:
    """``http://``, which may be left out, ``https://``, ``ws://`` and ``wss://``; for a Unix socket
    ``http+unix://%2Fpath%2Fof.sock/path``.

    Args:
        cacert: file of the authorities that are trusted; empty for the system's.
        insecure: whether certificates are not checked.

    Raises:
        UsageError: it is not such a URL, or the file holds no certificates.
    """
    hint = "write http://127.0.0.1:8000/path"
    if "://" not in url:
        url = f"http://{url}"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"{url!r} is not a URL: {error}", hint=hint) from None
    scheme = _SCHEMES.get(parts.scheme)
    if scheme is None or not parts.hostname:
        raise UsageError(f"{url!r} is not an http://, https://, ws:// or wss:// URL", hint=hint)
    secure = parts.scheme in ("https", "wss")
    if (cacert or insecure) and not secure:
        raise UsageError(f"{url!r} has no certificate: --cacert and --insecure are for https:// and wss://")
    if parts.username is not None:
        raise UsageError(f"{url!r}: a user name in a URL is not sent", hint="use -H 'Authorization: …'")
    target = quoted_target(parts.path or "/", parts.query)
    if parts.scheme.endswith("+unix"):
        return Destination(scheme, Address(path=unquote(parts.netloc)), target, "localhost")
    host, usual = _ascii(unquote(parts.hostname)), 443 if secure else 80
    tls = _tls(host, cacert, insecure) if secure else None
    address = Address(host, usual if port is None else port, tls=tls)
    authority = address.authority.removesuffix(f":{usual}") if port is None else address.authority
    return Destination(scheme, address, target, authority)


def _tls(host: str, cacert: str, insecure: bool) -> Tls:
    try:
        tls = Tls(host.rstrip("."), Path(cacert).read_text("ascii") if cacert else "", not insecure)
        _ = tls.context
    except (OSError, ValueError) as error:
        why = "holds no certificate in PEM form" if isinstance(error, ssl.SSLError | ValueError) else error_text(error)
        raise UsageError(f"--cacert {cacert}: {why}") from None
    return tls


def _ascii(host: str) -> str:
    """An international name as the resolver knows it.

    Raises:
        UsageError: it is not a host name.
    """
    if host.isascii():
        return host
    import idna

    try:
        return idna.encode(host, uts46=True).decode()
    except idna.IDNAError as error:
        raise UsageError(f"{host!r} is not a host name: {error}") from None


def reach(address: Address) -> Address:
    """The first numeric address of the host that accepts a connection, over TLS with its certificate.

    Raises:
        NotReadyError: none does.
    """
    failure: OSError | None = None
    try:
        candidates = peers(address)
    except OSError as error:
        candidates, failure = [], error
    for family, resolved in candidates:
        try:
            with socket.socket(family, socket.SOCK_STREAM) as sock:
                sock.settimeout(CONNECT_S)
                sock.connect(resolved)
                if address.tls is not None:
                    address.tls.context.wrap_socket(sock, server_hostname=address.tls.server_name).close()
            return address if address.path else replace(address, host=_numeric(resolved))
        except OSError as error:
            failure = error
    reason = "" if failure is None else f": {error_text(failure)}"
    hint = "is the server running?"
    if isinstance(failure, ssl.SSLCertVerificationError):
        hint = "--cacert FILE names who is trusted, --insecure checks nothing"
    elif isinstance(failure, ssl.SSLError):
        hint = ""
    raise NotReadyError(f"cannot reach {address}{reason}", hint=hint)


def _numeric(resolved: tuple[Any, ...]) -> str:
    """The numeric address, with its zone."""
    return socket.getnameinfo(resolved, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)[0]


def expects_tls(address: Address) -> tuple[Reason, ...]:
    """A reason if a server that closes every plain connection accepts TLS."""
    if address.tls is not None or address.path:
        return ()
    try:
        reach(replace(address, tls=Tls(address.host, verify=False)))
    except NotReadyError:
        return ()
    return (Reason("speaks-tls"),)


def request_to(
    destination: Destination,
    method: str,
    headers: Headers = (),
    body: bytes = b"",
    status: int = 0,
    text: bytes | None = None,
) -> WireRequest:
    """A request to a user's own app.

    Args:
        status: of a right reply; 0 for any below 400. ``text``: its body, where that is compared.

    Raises:
        UsageError: the method is no token, or a header contradicts the body.
    """
    try:
        raw = raw_request(destination.target, method, headers, body)
    except ValueError as error:
        raise UsageError(str(error)) from None
    case = Case(f"{raw.method} {raw.path}", raw.method, raw.path, raw.headers, body, status, "", None, text)
    return WireRequest(case, wire_bytes(raw.method, raw.path, raw.headers, body, destination.authority))
