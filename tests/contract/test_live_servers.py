"""Every other server, under one app."""

from __future__ import annotations

import socket

import pytest

from apps.contract.endpoints import ENDPOINTS
from harness.serve.servers import missing_for
from harness.verify import SERVER_HEADERS, exchange, verify_all
from harness.verify.features import probe
from tests.contract.conftest import VARIANTS, Live

pytestmark = pytest.mark.live

BOTH = {"date", "server"}
SAMPLE = {
    "fastapi-hypercorn": BOTH,
    "django-daphne": {"server"},
    "starlette-granian": BOTH,
    "flask-granian": BOTH,
    "fastapi-gunicorn-asgi": BOTH,
    "fastapi-gunicorn-uvicorn": BOTH,
    "flask-gunicorn-gevent": {"connection", *BOTH},
    "raw-wsgi-gunicorn-tornado": {"server"},
    "flask-uwsgi": set(),
    "flask-mod-wsgi": BOTH,
    "django-waitress": BOTH,
    "django-cheroot": BOTH,
    "django-uvicorn-a2wsgi": BOTH,
    "raw-wsgi-uvicorn-asgiref": BOTH,
    "raw-asgi-uvicorn-zttp": BOTH,
}
"""Target → what its server says of itself in every reply; all other headers are the contract's."""


def marked(name):
    missing = missing_for(VARIANTS[name])
    return pytest.param(name, marks=pytest.mark.skipif(bool(missing), reason=f"{missing} is not installed"))


@pytest.mark.parametrize("live", [marked(name) for name in SAMPLE], indirect=True)
def test_every_endpoint_is_answered_and_every_capability_as_declared(live: Live) -> None:
    live.around.restore()
    assert [entry for entry in verify_all(live.running, every=False) if entry.difference] == []
    assert [feature for feature in probe(live.running) if not feature.as_declared] == []
    assert live.running.alive


@pytest.mark.parametrize("live", [marked(name) for name in SAMPLE], indirect=True)
def test_what_a_server_says_of_itself_is_known(live: Live) -> None:
    reply = exchange(live.running.bind, ENDPOINTS["health"].case("valid"))
    assert {name for name, _ in reply.headers} & SERVER_HEADERS == SAMPLE[live.running.target.name]


@pytest.mark.parametrize("live", [marked("raw-wsgi-uvicorn-asgiref")], indirect=True)
def test_asgirefs_bridge_answers_requests_that_come_before_the_last_reply_has_ended(live: Live) -> None:
    bind = live.running.bind
    with (
        socket.create_connection((bind.host, bind.port), timeout=60) as connection,
        connection.makefile("rb") as replies,
    ):
        connection.sendall(5 * b"GET /json HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for _ in range(5):
            assert replies.readline() == b"HTTP/1.1 200 OK\r\n"
            headers = dict(line.lower().split(b": ", 1) for line in iter(replies.readline, b"\r\n"))
            replies.read(int(headers[b"content-length"]))
