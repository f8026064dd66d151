"""The user's options about who sends a load."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal

from harness.errors import UsageError

SECRET_VARIABLE = "HARNESS_CLUSTER_SECRET"
SHORTEST_SECRET = 8
THIS_MACHINE, ANY_ADDRESS = "127.0.0.1", "0.0.0.0"
DEFAULT_PORT = 5557
LIVE_PORT = 8089


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """The workers that share a load; none where one process sends it.

    Attributes:
        workers: processes of this machine.
        join: workers that other machines start with ``harness worker``.
        listen: address at which the master takes workers; default: this machine only, with ``join`` any address.
        port: default: any that is free, with ``join`` 5557.
        on_lost: what to do about a worker that is lost: end the load, or go on with the rest.
        live: whether Locust's web page shows the load.
        cpus: CPUs of the workers here, one each in turn; empty for no pinning.
        locustfile: the journey, where it is not one that ships.
    """

    workers: int = 0
    join: int = 0
    listen: str = ""
    port: int | None = None
    on_lost: Literal["invalid", "continue"] = "invalid"
    live: bool = False
    cpus: tuple[int, ...] = ()
    locustfile: str = ""

    @property
    def count(self) -> int:
        return self.workers + self.join

    @property
    def host(self) -> str:
        return self.listen or (ANY_ADDRESS if self.join else THIS_MACHINE)

    def check_target(self, host: str) -> None:
        """Raises ``UsageError`` where workers of other machines would load themselves."""
        try:
            own = host == "localhost" or ip_address(host).is_loopback
        except ValueError:
            own = False
        if own and self.join:
            raise UsageError(
                f"{host} means another machine to each worker", hint="name the target as the workers can reach it"
            )


def configured_secret() -> str:
    """The secret in ``HARNESS_CLUSTER_SECRET``; empty where there is none.

    Raises:
        UsageError: it is too short to keep anyone out.
    """
    secret = os.environ.get(SECRET_VARIABLE, "")
    if secret and len(secret) < SHORTEST_SECRET:
        raise UsageError(f"{SECRET_VARIABLE} is too short: at least {SHORTEST_SECRET} characters")
    return secret


def master_keys(secret: str) -> tuple[bytes, bytes]:
    """The master's public and private key, which only those who know the secret can make; slow, against guessing."""
    from zmq import curve_public
    from zmq.utils import z85

    private = z85.encode(hashlib.scrypt(secret.encode(), salt=b"web-harness", n=2**14, r=8, p=1, dklen=32))
    return curve_public(private), private
