"""Locust's sockets over ZeroMQ's CURVE; imported only in processes of Locust's own, since Locust patches them.

The master's key pair is made from the run's secret, and neither half ever crosses the network. A worker's first message
of the handshake can be made only with the public half and answered only with the private one, so both ends prove the
secret before either reads a message of the other. Every message is encrypted, and none counts twice.
"""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

import gevent
import zmq.green as zmq
from locust import runners
from locust.exception import RPCError
from locust.rpc import zmqrpc
from zmq.utils.monitor import recv_monitor_message

from harness.cluster.options import master_keys

REFUSED = (
    zmq.Event.HANDSHAKE_FAILED_NO_DETAIL,
    zmq.Event.HANDSHAKE_FAILED_PROTOCOL,
    zmq.Event.HANDSHAKE_FAILED_AUTH,
)


def use_secret(secret: str) -> None:
    """Have Locust's runners of this process talk only to those that know the secret."""
    keys = master_keys(secret)
    sockets = SimpleNamespace(Server=partial(SecretServer, keys=keys), Client=partial(SecretClient, keys=keys))
    runners.rpc = sockets  # type: ignore[assignment, attr-defined]


class _Socket(zmqrpc.BaseSocket):
    """One end.

    Attributes:
        rejected: handshakes that failed, and messages that were dropped.
    """

    def __init__(self, kind: int, host: str, port: int) -> None:
        super().__init__(kind, self.ipv4_only(host, port))  # type: ignore[no-untyped-call]
        self.rejected = 0
        gevent.spawn(self._watch, self.socket.get_monitor_socket(zmq.Event.ALL))

    def _watch(self, monitor: Any) -> None:
        while (event := recv_monitor_message(monitor)["event"]) != zmq.Event.MONITOR_STOPPED:
            self.rejected += event in REFUSED


class SecretServer(_Socket):
    """The master's end."""

    def __init__(self, host: str, port: int, keys: tuple[bytes, bytes]) -> None:
        super().__init__(zmq.ROUTER, host, port)
        self.socket.curve_server = True
        self.socket.curve_secretkey = keys[1]
        try:
            self.socket.bind(f"tcp://{host}:{port or '*'}")
        except zmq.ZMQError as error:
            raise RPCError(str(error)) from None
        self.port = int(self.socket.get_string(zmq.LAST_ENDPOINT).rpartition(":")[2])

    def recv_from_client(self) -> tuple[str, Any]:
        """The next message and its worker's id; what does not parse, or speaks for another worker, is dropped."""
        while True:
            try:
                identity, message = super().recv_from_client()  # type: ignore[no-untyped-call]
                if message.node_id == identity:
                    return identity, message
            except RPCError:
                raise
            except Exception:
                # From a worker that knows the secret but not this protocol: the master must not become deaf to others.
                pass
            self.rejected += 1


class SecretClient(_Socket):
    """A worker's end."""

    def __init__(self, host: str, port: int, identity: str, keys: tuple[bytes, bytes]) -> None:
        super().__init__(zmq.DEALER, host, port)
        self.socket.identity = identity.encode()
        self.socket.curve_publickey, self.socket.curve_secretkey = zmq.curve_keypair()
        self.socket.curve_serverkey = keys[0]
        self.socket.connect(f"tcp://{host}:{port}")
