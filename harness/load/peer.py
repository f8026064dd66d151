"""The other end of connections, and what went on with them."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from typing import Any

from harness.load.spec import Address


@dataclass(slots=True)
class Traffic:
    """What connections did beside requests.

    Attributes:
        connects: connections opened; ``reconnects``: those among them that replace one closed while idle.
        retries: requests sent again since a kept connection was closed without a byte of a reply (RFC 9112 §9.3.1).
        surplus: times that a server sent bytes without being asked.
        statuses: status → replies that were read in full; ``ReplyCheck.hits`` counts the others.
    """

    connects: int = 0
    reconnects: int = 0
    retries: int = 0
    surplus: int = 0
    statuses: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Peer:
    """A resolved address."""

    family: int
    address: Any


def resolve(address: Address) -> Peer:
    """The first socket address of ``address``.

    Raises:
        OSError: the host is unknown.
    """
    if address.path:
        return Peer(socket.AF_UNIX, address.path)
    family, _, _, _, resolved = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
    return Peer(family, resolved)
