"""Every other server: one app under each as a rule, all that are declared with ``-m slow``."""

from __future__ import annotations

import socket

import pytest

from harness.servers import missing_for
from harness.verify import verify_all
from harness.verify.features import probe
from tests.contract.conftest import VARIANTS, Live

SAMPLE = [
    "fastapi-hypercorn",
    "django-daphne",
    "starlette-granian",
    "flask-granian",
    "raw-rsgi-granian",
    "fastapi-gunicorn-asgi",
    "fastapi-gunicorn-uvicorn",
    "flask-gunicorn-gevent",
    "raw-wsgi-gunicorn-tornado",
    "flask-uwsgi",
    "flask-mod-wsgi",
    "django-waitress",
    "django-cheroot",
    "django-uvicorn-a2wsgi",
    "raw-wsgi-uvicorn-asgiref",
    "raw-asgi-uvicorn-zttp",
]


def marked(name):
    missing = missing_for(VARIANTS[name])
    return pytest.param(name, marks=pytest.mark.skipif(bool(missing), reason=f"{missing} is not installed"))


@pytest.mark.parametrize("live", [marked(name) for name in SAMPLE], indirect=True)
def test_every_endpoint_is_answered_and_every_capability_as_declared(live: Live) -> None:
    check(live, every=False)


@pytest.mark.slow
@pytest.mark.parametrize("live", [marked(name) for name in VARIANTS], indirect=True)
def test_every_case_is_answered_and_every_capability_as_declared(live: Live) -> None:
    check(live, every=True)


def check(live: Live, every: bool) -> None:
    target, bind, secret = live.running.target, live.running.bind, live.running.secret
    live.around.restore()
    checked = verify_all(target, bind, secret, every=every)
    assert [entry for entry in checked if entry.difference] == []
    found = probe(target, bind, secret)
    assert [feature for feature in found if not feature.as_declared] == []
    assert live.running.alive


@pytest.mark.parametrize("live", [marked("raw-wsgi-uvicorn-asgiref")], indirect=True)
def test_asgirefs_bridge_answers_requests_that_come_before_the_last_reply_has_ended(live: Live) -> None:
    bind = live.running.bind
    with (
        socket.create_connection((bind.host, bind.port), timeout=10) as connection,
        connection.makefile("rb") as replies,
    ):
        connection.sendall(5 * b"GET /json HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for _ in range(5):
            assert replies.readline() == b"HTTP/1.1 200 OK\r\n"
            headers = dict(line.lower().split(b": ", 1) for line in iter(replies.readline, b"\r\n"))
            replies.read(int(headers[b"content-length"]))
