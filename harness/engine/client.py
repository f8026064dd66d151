"""Connections of the wire engine: each a socket, at most one request in flight, exactly one outcome for each.

The socket is driven directly by the event loop's readiness callbacks: a request leaves with ``send`` at once and not
at the end of the loop's turn, so that its recorded time is the time of the send.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any, Protocol

from harness.engine.checks import MEMO_BYTES, ReplyCheck
from harness.engine.replies import MAX_REPLY, ReplyError, ReplyReader
from harness.engine.spec import Address
from harness.engine.tally import Traffic
from harness.model.address import Tls, refusal

Peer = tuple[int, Any]
"""Family and address of a socket."""

READ_BYTES = 65536
BACKLOG_PAUSE_S = 0.001
_IN_PROGRESS = (0, errno.EINPROGRESS)
_NOT_YET = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_REFUSED = (errno.ECONNREFUSED, errno.ENOENT)
_LIMITS = {errno.EMFILE: "no-files", errno.ENFILE: "no-files", errno.EADDRNOTAVAIL: "no-ports"}
_RESET = (errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED, errno.ESHUTDOWN)


def peers(address: Address) -> list[Peer]:
    """The socket addresses of ``address``, of which load goes to the first.

    Raises:
        OSError: the host is unknown.
    """
    if address.path:
        return [(socket.AF_UNIX, address.path)]
    known = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    return [(family, resolved) for family, _, _, _, resolved in known]


class Receiver(Protocol):
    """Who sends the requests; each ``Connection.send`` is followed by exactly one of these calls, never within it."""

    def right(self, connection: Connection, moment: float) -> None:
        """A right reply was received whole at ``moment``."""

    def failed(self, connection: Connection, kind: str, detail: str) -> None:
        """The request ended otherwise: a wrong reply, or none."""


class Connection:
    """Opened when a request is to be sent and no earlier, so that none blocks a server that serves one at a time.

    Attributes:
        check: the request in flight; ``None`` when idle.
        sent: when it was sent (``time.perf_counter``); over TLS, not before the end of the handshake.
        planned, number: free for the receiver's use.
    """

    __slots__ = (
        "_address", "_cuts", "_family", "_fd", "_idle_closed", "_loop", "_parsing", "_pending", "_plain",
        "_raw", "_reader", "_receiver", "_recv", "_retried", "_right", "_send", "_served", "_sock",
        "_tls", "_traffic", "_unsent", "check", "number", "planned", "sent",
    )  # fmt: skip

    def __init__(self, receiver: Receiver, traffic: Traffic, peer: Peer, tls: Tls | None, limit: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._receiver, self._traffic, self._tls = receiver, traffic, tls
        self._family, self._address = peer
        self._right = receiver.right
        self._reader = ReplyReader(limit)
        self._sock: socket.socket | None = None
        self._fd = -1
        self._recv: Any = None
        self._send: Any = None
        self._idle_closed = self._served = self._retried = self._parsing = False
        self._pending = b""
        self._raw: bytearray | None = None
        self.check: ReplyCheck | None = None
        self.sent = self.planned = 0.0
        self.number = 0
        self._settle()

    def send(self, check: ReplyCheck, moment: float) -> None:
        """Send a request now, at ``moment``; connects first if needed."""
        self.check = check
        self.sent = moment
        if self._sock is None:
            self._open()
            return
        try:
            count = self._send(check.data)
        except OSError:
            count = 0
        if count != check.size:
            self._send_rest(count)

    def expire(self) -> None:
        """End the request in flight as timed out."""
        self._fail("timeout", "no whole reply within the time-out")

    def close(self) -> None:
        """Close the socket and forget the request in flight, without an outcome."""
        self.check = None
        self._drop()
        self._settle()

    # Opening and sending

    def _open(self) -> None:
        self._traffic.connects += 1
        self._traffic.reconnects += self._idle_closed
        self._idle_closed = self._served = self._plain = False
        try:
            sock = socket.socket(self._family, socket.SOCK_STREAM)
        except OSError as error:
            self._fail_soon(error)
            return
        sock.setblocking(False)
        if self._family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = sock.connect_ex(self._address)
        if code == errno.EAGAIN:
            # A Unix socket whose backlog is full refuses at once where TCP would wait.
            sock.close()
            self._loop.call_later(BACKLOG_PAUSE_S, self._continue, self.sent, self._open)
            return
        if code not in _IN_PROGRESS:
            sock.close()
            self._fail_soon(OSError(code, os.strerror(code)))
            return
        self._sock, self._fd = sock, sock.fileno()
        if self._tls is not None:
            self._loop.add_writer(self._fd, self._begin_tls, self._tls, self.sent)
            return
        self._recv, self._send = sock.recv, sock.send
        self._loop.add_reader(self._fd, self.ready)
        self._send_rest(0)

    def _begin_tls(self, tls: Tls, opened: float) -> None:
        """The socket is connected, or could not be."""
        assert self._sock is not None
        self._loop.remove_writer(self._fd)
        try:
            if code := self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise OSError(code, os.strerror(code))
            sock = tls.context.wrap_socket(
                self._sock, server_hostname=tls.server_name, do_handshake_on_connect=False, suppress_ragged_eofs=True
            )
        except OSError as error:
            self._fail_with(error)
            return
        self._sock, self._recv, self._send = sock, sock.read, sock.write
        self._shake_hands(sock, opened)

    def _shake_hands(self, sock: ssl.SSLSocket, opened: float) -> None:
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        try:
            sock.do_handshake()
        except ssl.SSLWantReadError:
            self._loop.add_reader(self._fd, self._shake_hands, sock, opened)
        except ssl.SSLWantWriteError:
            self._loop.add_writer(self._fd, self._shake_hands, sock, opened)
        except OSError as error:
            self._fail_with(error)
        else:
            self.sent = time.perf_counter()
            self._traffic.handshakes.append(self.sent - opened)
            self._loop.add_reader(self._fd, self.ready)
            self._send_rest(0)

    def _send_rest(self, count: int) -> None:
        assert self.check is not None
        self._plain = False
        self._unsent = memoryview(self.check.data)[count:]
        if not self._flush():
            self._loop.add_writer(self._fd, self._writable)

    def _writable(self) -> None:
        if self._flush() and self._sock is not None:
            self._loop.remove_writer(self._fd)

    def _flush(self) -> bool:
        """Send what can be sent; true when nothing is left, or when it can never be."""
        while self._unsent:
            try:
                self._unsent = self._unsent[self._send(self._unsent) :]
            except _NOT_YET:
                return False
            except OSError as error:
                if error.errno == errno.ENOTCONN:
                    return False
                if error.errno in _REFUSED or (not self._served and error.errno not in _RESET):
                    self._fail_soon(error)
                # Otherwise a reply may have come before the server stopped reading: the reading side decides.
                return True
        return True

    # Receiving

    def ready(self) -> None:
        """The socket is readable."""
        try:
            data = self._recv(READ_BYTES)
        except _NOT_YET:
            return
        except OSError as error:
            self._lost(error)
            return
        check = self.check
        if check is not None and data == check.last and self._plain:
            check.hits += 1
            self.check = None
            self._right(self, time.perf_counter())
            return
        moment = time.perf_counter()
        if check is None:
            self._unexpected(data)
        elif data:
            self._receive(check, data, moment)
        else:
            self._ended(check, moment)

    def _receive(self, check: ReplyCheck, data: bytes, moment: float) -> None:
        if not self._parsing:
            raw = self._pending + data
            keep_alive = check.recall(raw) if not self._unsent else None
            if keep_alive is not None:
                check.hits += 1
                self._complete(keep_alive)
                self._right(self, moment)
                return
            self._plain = False
            if check.is_head(raw):
                self._cuts.append(len(raw))
                self._pending = raw
                return
            self._parsing = True
            self._reader.begin(head_only=check.head_only)
            data = raw
        if self._raw is not None:
            self._raw += data
            self._cuts.append(len(self._raw))
            if len(self._raw) > MEMO_BYTES:
                self._raw = None
        try:
            if self._reader.feed(data):
                self._judge(check, moment)
        except ReplyError as error:
            self._fail(error.kind, str(error))

    def _judge(self, check: ReplyCheck, moment: float) -> None:
        reader, traffic = self._reader, self._traffic
        kind, detail = check.judge(reader.status, reader.media_type, reader.body, reader.encoding)
        traffic.status[reader.status] += 1
        traffic.redirect = traffic.redirect or reader.location
        keep_alive = reader.keep_alive and not self._unsent and not check.closes
        if not kind and self._raw is not None and not self._unsent:
            check.remember(bytes(self._raw), self._cuts, reader.status, keep_alive=keep_alive)
        self._complete(keep_alive)
        if kind:
            self._receiver.failed(self, kind, detail)
        else:
            self._right(self, moment)

    def _ended(self, check: ReplyCheck, moment: float) -> None:
        if not self._parsing and not self._pending:
            self._no_reply("closed", "the server closed the connection without a reply")
            return
        try:
            if not self._parsing:
                self._reader.begin(head_only=check.head_only)
                self._reader.feed(self._pending)
            self._reader.end()
        except ReplyError as error:
            self._fail(error.kind, str(error))
        else:
            self._raw = None
            self._judge(check, moment)

    def _unexpected(self, data: bytes) -> None:
        self._traffic.surplus += bool(data)
        self._drop()
        self._idle_closed = True

    def _lost(self, error: OSError) -> None:
        if self.check is None:
            self._unexpected(b"")
        elif error.errno in _RESET and not self._parsing and not self._pending:
            self._no_reply("reset", "connection reset")
        else:
            self._fail_with(error)

    def _no_reply(self, kind: str, detail: str) -> None:
        if self._served and not self._retried and self.check is not None and self.check.idempotent:
            self._retried = True
            self._traffic.retries += 1
            self._drop()
            self._open()
        else:
            self._fail(kind, detail)

    # Ends

    def _complete(self, keep_alive: bool) -> None:
        self.check = None
        if keep_alive:
            self._served = True
        else:
            self._drop()
        self._settle()
        self._plain = keep_alive

    def _settle(self) -> None:
        self._plain = self._parsing = self._retried = False
        self._pending = b""
        self._raw = bytearray()
        self._cuts: list[int] = []
        self._unsent = memoryview(b"")

    def _fail(self, kind: str, detail: str) -> None:
        name = self.check.request.case.name if self.check is not None else ""
        self.close()
        self._receiver.failed(self, kind, f"{name}: {detail}")

    def _fail_with(self, error: OSError) -> None:
        self._fail(kind_of(error), error_text(error))

    def _fail_soon(self, error: OSError) -> None:
        # Not at once: the receiver sends again on a failure, and would recurse while the server refuses.
        self._drop()
        self._loop.call_soon(self._continue, self.sent, lambda: self._fail_with(error))

    def _continue(self, sent: float, act: Callable[[], None]) -> None:
        """Call ``act`` if the request that was sent at ``sent`` is still in flight."""
        if self.check is not None and self.sent == sent:
            act()

    def _drop(self) -> None:
        if self._sock is not None:
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)
            self._sock.close()
            self._sock = None
            self._unsent = memoryview(b"")


class Pool:
    """Connections to one address, with one timer for all of them: a timer per request would cost more than it."""

    def __init__(
        self, address: Address, count: int, receiver: Receiver, timeout_s: float, limit: int = MAX_REPLY
    ) -> None:
        self._loop, self._timeout_s = asyncio.get_running_loop(), timeout_s
        self.traffic = Traffic()
        peer = peers(address)[0]
        self.connections = [Connection(receiver, self.traffic, peer, address.tls, limit) for _ in range(count)]

    async def wait(self, done: asyncio.Future[None]) -> None:
        """Wait for ``done``; requests in flight for longer than the time-out end meanwhile."""
        self._sweep()
        try:
            await done
        finally:
            self._timer.cancel()

    def in_flight(self) -> list[float]:
        """When each request in flight was sent."""
        return [connection.sent for connection in self.connections if connection.check is not None]

    def close(self) -> None:
        for connection in self.connections:
            connection.close()

    def _sweep(self) -> None:
        oldest = time.perf_counter() - self._timeout_s
        for connection in self.connections:
            if connection.check is not None and connection.sent < oldest:
                connection.expire()
        self._timer = self._loop.call_later(min(0.25, self._timeout_s / 4), self._sweep)


def kind_of(error: OSError) -> str:
    """``refused``, ``reset``, ``timeout``, ``unreachable``, ``tls``, or the resource that this machine ran out of."""
    if isinstance(error, ssl.SSLError):
        # Its number is one of OpenSSL's.
        return "tls"
    if error.errno in _REFUSED:
        return "refused"
    if error.errno in _RESET:
        return "reset"
    return "timeout" if error.errno == errno.ETIMEDOUT else _LIMITS.get(error.errno or 0, "unreachable")


def error_text(error: OSError) -> str:
    return refusal(error) if isinstance(error, ssl.SSLError) else error.strerror or str(error)
