"""Reading replies from a connection's bytes."""

from __future__ import annotations

from typing import Any

import httptools

from harness.model.units import MIB

MAX_REPLY = 64 * 1024 * 1024
"""Bytes of one reply, head and body, past which it is refused as ``too-large``."""


class ReplyError(Exception):
    """Why there is no right reply; ``kind`` is one of the kinds of error that are counted."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


class ReplyReader:
    """Reads one reply after another from a connection (RFC 9112), whatever pieces they arrive in.

    Attributes:
        complete: whether the reply begun last is whole.
        keep_alive: whether the connection can carry another request; valid once ``complete``.
    """

    def __init__(self, limit: int = MAX_REPLY) -> None:
        self._limit = limit
        self._parser: Any = None
        self._reusable = False
        self.begin(head_only=False)

    def begin(self, *, head_only: bool) -> None:
        """Expect a new reply; ``head_only`` for the reply to a HEAD request."""
        if not self._reusable:
            self._parser = httptools.HttpResponseParser(self)
            # Obsolete line folding, which a client must read (RFC 9112 §5.2).
            self._parser.set_dangerous_leniencies(lenient_headers=True)
        self._reusable = False
        self._head_only = head_only
        self._received = 0
        self._surplus = self.complete = self.keep_alive = False
        self._reset()

    def _reset(self) -> None:
        self.status = 0
        self.media_type = self.encoding = self.location = self._connection = ""
        self._headers_done = self._delimited = False
        self._pieces: list[bytes] = []

    def feed(self, data: bytes) -> bool:
        """Take bytes; true once the reply is whole.

        Raises:
            ReplyError: ``malformed`` or ``too-large``.
        """
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            raise ReplyError("malformed", "the server switched protocols without being asked") from None
        except httptools.HttpParserError as error:
            if self.complete:
                raise ReplyError("malformed", "bytes follow the reply's end") from None
            raise ReplyError("malformed", _protocol_of(data) if self._received == len(data) else str(error)) from None
        if self._surplus:
            raise ReplyError("malformed", "bytes follow the reply's end")
        if self._received > self._limit:
            raise ReplyError("too-large", f"a reply of more than {self._limit / MIB:.3g} MiB is not read to its end")
        return self.complete

    def end(self) -> None:
        """The server closed: the reply is whole if its body has no other end.

        Raises:
            ReplyError: ``truncated``.
        """
        if not self._headers_done or self._delimited or self.status < 200:
            raise ReplyError("truncated", f"the server closed after {self._received} bytes of a reply")
        self.complete = True

    @property
    def body(self) -> bytes:
        return b"".join(self._pieces)

    def take(self) -> bytes:
        """Remove and return what the body has received since the last call."""
        body, self._pieces = self.body, []
        return body

    def on_message_begin(self) -> None:
        if self.complete:
            self._surplus = True

    def on_header(self, name: bytes, value: bytes) -> None:
        lowered = name.lower()
        if lowered == b"content-length":
            self._delimited = True
        elif lowered == b"transfer-encoding":
            self._delimited = value.rpartition(b",")[2].strip().lower() == b"chunked"
        elif lowered == b"content-type":
            self.media_type = value.partition(b";")[0].strip().lower().decode("latin-1")
        elif lowered == b"content-encoding":
            self.encoding = value.strip().lower().decode("latin-1")
        elif lowered == b"location":
            self.location = value.strip().decode("latin-1")
        elif lowered == b"connection":
            self._connection = value.lower().decode("latin-1")

    def on_headers_complete(self) -> None:
        self._headers_done = True
        self.status = self._parser.get_status_code()
        if self._head_only and self.status >= 200:
            self.complete = True
            # The parser itself waits for a body, until the connection's end where no header says how long it is.
            wanted = "keep-alive" if self._parser.get_http_version() == "1.0" else "close"
            self.keep_alive = (wanted in self._connection) == (wanted == "keep-alive")

    def on_body(self, body: bytes) -> None:
        if self.complete:
            self._surplus = True
        else:
            self._pieces.append(body)

    def on_message_complete(self) -> None:
        if self.status < 200:
            self._reset()
        elif not self.complete:
            self.complete = True
            self.keep_alive = self._reusable = self._parser.should_keep_alive()


def _protocol_of(data: bytes) -> str:
    """What a server speaks, from first bytes that are not HTTP/1."""
    if data[:2] in (b"\x15\x03", b"\x16\x03"):
        return "the server speaks TLS there: write https:// or wss://"
    if data[3:9] == b"\x04\x00\x00\x00\x00\x00":
        return "the server speaks HTTP/2 there, and HTTP/1.1 is sent"
    return f"not HTTP/1: {data[:40]!r}"
