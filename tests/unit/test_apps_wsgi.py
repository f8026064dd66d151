"""Chunked bodies under Flask: they declare no length, so the limit must hold while they are read."""

from __future__ import annotations

import json
from io import BytesIO

import pytest

from apps.contract.inbound import MAX_BODY_BYTES
from apps.contract.payloads import order
from apps.flask_app import app

ORDER = json.dumps(order(1)).encode()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (ORDER, 200),
        (ORDER.ljust(MAX_BODY_BYTES), 200),
        (ORDER.ljust(MAX_BODY_BYTES + 1), 413),
        (ORDER.ljust(2 * MAX_BODY_BYTES), 413),
        (ORDER[:-1], 400),
        (b"", 400),
    ],
    ids=["short", "at-the-limit", "past-the-limit", "far-past-the-limit", "cut", "empty"],
)
def test_chunked_bodies(body: bytes, status: int) -> None:
    stream = BytesIO(body)
    reply = app.test_client().post(
        "/orders/full",
        input_stream=stream,
        headers={"Content-Type": "application/json", "Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert reply.status_code == status
    assert reply.is_json
    assert stream.tell() <= MAX_BODY_BYTES + 1
