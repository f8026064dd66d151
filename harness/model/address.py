"""Where a server listens, and how its certificate is checked."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, replace
from functools import cache


@dataclass(frozen=True, slots=True)
class Tls:
    """TLS 1.2 or later, HTTP/1.1 by ALPN; every connection makes a whole handshake, none resumes a session.

    Attributes:
        server_name: what the certificate must be for, and what is sent as SNI unless it is an address.
        ca: certificates of the authorities that are trusted, in PEM; empty for the system's.
        verify: whether the certificate is checked at all.
    """

    server_name: str
    ca: str = ""
    verify: bool = True

    @property
    def context(self) -> ssl.SSLContext:
        """For any number of connections.

        Raises:
            ssl.SSLError: ``ca`` holds no certificate.
        """
        return _context(self.ca, self.verify)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens: host and port, or ``path`` of a Unix socket; with ``tls`` where it speaks that."""

    host: str = "127.0.0.1"
    port: int = 0
    path: str = ""
    tls: Tls | None = None

    def __str__(self) -> str:
        """As in a URL."""
        return self.path or f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def authority(self) -> str:
        """As in a ``Host`` header: without a zone, which names an interface of this machine."""
        return str(replace(self, host=self.host.partition("%")[0]))


@cache
def _context(ca: str, verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=ca or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def refusal(error: ssl.SSLError) -> str:
    """Why there is no connection, in words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message.rstrip('.')}"
    if error.reason in ("WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"):
        return "it does not speak TLS there: write http:// or ws://"
    return f"no TLS handshake: {(error.reason or str(error)).replace('_', ' ').lower()}"
