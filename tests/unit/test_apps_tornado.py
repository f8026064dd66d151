"""Bodies under Tornado: each path has its limit, which holds before a body is read whole."""

from __future__ import annotations

import asyncio
import json

import pytest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from apps.contract.cases_transfer import BOUNDARY, multipart
from apps.contract.inbound import MAX_BODY_BYTES, MAX_UPLOAD_BODY_BYTES
from apps.contract.payloads import order
from apps.tornado_app import app

ORDER = json.dumps(order(1)).encode()
JSON = "application/json"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
DEADLINE_S = 30


async def answer(path: str, media_type: str, headers: tuple[str, ...], body: bytes) -> bytes:
    """Everything that the server sends until it closes the connection."""
    [listening] = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(app)
    server.add_socket(listening)
    try:
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        head = (f"POST {path} HTTP/1.1", "Host: x", f"Content-Type: {media_type}", *headers, "", "")
        writer.write("\r\n".join(head).encode() + body)
        received = await asyncio.wait_for(reader.read(), DEADLINE_S)
        writer.close()
        return received
    finally:
        server.stop()


def chunked(body: bytes, size: int = 65_536) -> bytes:
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (*parts, b""))


@pytest.mark.parametrize(
    ("path", "media_type", "body", "status"),
    [
        ("/orders/full", JSON, ORDER, 200),
        ("/orders/full", JSON, ORDER.ljust(MAX_BODY_BYTES), 200),
        ("/orders/full", JSON, ORDER.ljust(MAX_BODY_BYTES + 1), 400),
        ("/upload", FORM, multipart(b"x" * MAX_BODY_BYTES), 200),
        ("/upload", FORM, multipart(b"x" * MAX_UPLOAD_BODY_BYTES), 400),
    ],
    ids=["short", "at-the-limit", "past-the-limit", "file", "file-past-the-limit"],
)
def test_chunked_bodies(path: str, media_type: str, body: bytes, status: int) -> None:
    """Past the limit of a body whose length nobody declared, the server itself says 400."""
    headers = ("Transfer-Encoding: chunked", "Connection: close")
    received = asyncio.run(answer(path, media_type, headers, chunked(body)))
    assert received.startswith(b"HTTP/1.1 %d " % status)


@pytest.mark.parametrize("path", ["/orders/full", "/auth/token", "/upload"])
def test_a_length_past_the_limit_is_refused_at_once_and_the_connection_closed(path: str) -> None:
    received = asyncio.run(answer(path, JSON, (f"Content-Length: {MAX_UPLOAD_BODY_BYTES + 1}",), b"{"))
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413 ")
    assert b"\r\nConnection: close" in head
    assert json.loads(body) == {"detail": "Content Too Large"}
