"""What breaks around an app is answered with a clear JSON error, and mends without a restart or a lost worker."""

from __future__ import annotations

import http.client
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from harness.serve import serving
from harness.serve.services import services
from tests.targets import ALL, REFERENCES

pytestmark = pytest.mark.live

ORM = [
    "fastapi-sqlalchemy-uvicorn",
    "fastapi-tortoise-uvicorn",
    "flask-sqlalchemy-gunicorn-gthread",
    "django-orm-gunicorn-gthread",
    "django-orm-uvicorn",
]
LIMITS = {"HARNESS_POOL_SIZE": "2", "HARNESS_POOL_TIMEOUT_S": "1", "HARNESS_UPSTREAM_TIMEOUT_S": "0.5"}
MENDS_S = 90.0
DATABASE_DOWN = {"detail": "Database unavailable"}
UPSTREAM_DOWN = {"detail": "Upstream unavailable"}


@pytest.fixture(scope="module")
def around():
    with services({"database", "upstream"}) as started:
        yield started


@pytest.fixture
def site(request, around):
    environment = {**around.environment, **LIMITS}
    with serving(ALL[request.param], environment=environment) as running:
        workers = family(running.pid)
        yield Site(running.bind.host, running.bind.port, running.log)
        assert running.alive
        assert family(running.pid) == workers, "a worker was lost"
        assert "Traceback" not in "\n".join(running.log())


def family(pid):
    return {process.pid for process in psutil.Process(pid).children(recursive=True)}


class Site:
    def __init__(self, host, port, log):
        self.host, self.port, self.log = host, port, log

    def send(self, method, path, body=None, headers=()):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            content = response.read()
            assert b"Traceback" not in content
            return response.status, json.loads(content)
        finally:
            connection.close()

    def get(self, path):
        return self.send("GET", path)

    def wait_for(self, path, status):
        deadline = time.monotonic() + MENDS_S
        while (found := self.get(path))[0] != status:
            assert time.monotonic() < deadline, found
            time.sleep(0.05)
        return found


@pytest.mark.parametrize("site", REFERENCES + ORM, indirect=True)
def test_the_database_goes_and_comes_back_under_load(site, around):
    assert site.get("/products/7")[0] == 200
    seen, over = [], threading.Event()

    def load():
        while not over.is_set():
            seen.append(site.get("/products/7"))

    threads = [threading.Thread(target=load) for _ in range(3)]
    try:
        for thread in threads:
            thread.start()
        around.postgres.stop()
        found = site.wait_for("/products/7", 503)
        assert found == (503, DATABASE_DOWN)
        assert site.get("/health") == (200, {"status": "ok"})
    finally:
        around.postgres.start()
        over.set()
        for thread in threads:
            thread.join()
    site.wait_for("/products/7", 200)
    for _ in range(10):
        site.wait_for("/products?limit=2", 200)
    assert {status for status, _ in seen} <= {200, 503}, site.log()
    assert all(reply == DATABASE_DOWN for status, reply in seen if status == 503)


@pytest.mark.parametrize("site", REFERENCES, indirect=True)
def test_an_exhausted_pool_is_told_and_recovers(site):
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(site.get, ["/io/db?ms=2500"] * 6))
    assert {status for status, _ in found} == {200, 503}
    assert all(reply == DATABASE_DOWN for status, reply in found if status == 503)
    assert site.wait_for("/io/db?ms=0", 200)[1]["slept_ms"] == 0


@pytest.mark.parametrize("site", REFERENCES, indirect=True)
def test_an_upstream_that_is_slow_or_down_is_told_and_recovers(site, around):
    assert site.get("/io/upstream?ms=1000&calls=2") == (503, UPSTREAM_DOWN)
    assert site.get("/io/upstream?ms=1&calls=2") == (200, {"calls": 2, "delayed_ms": 2})
    try:
        around.upstream.stop()
        assert site.get("/io/upstream?ms=1") == (503, UPSTREAM_DOWN)
        assert site.get("/io/upstream?ms=1&calls=5") == (503, UPSTREAM_DOWN)
    finally:
        around.upstream.start()
    assert site.wait_for("/io/upstream?ms=1&calls=3", 200)[1] == {"calls": 3, "delayed_ms": 3}


JSON = (("content-type", "application/json"),)
FORM = (("content-type", "application/x-www-form-urlencoded"),)
HOSTILE = [
    ("GET", "/io/file?name=..%2F..%2F..%2Fetc%2Fpasswd", None, (), {404}),
    ("GET", "/io/file?name=%2Fproc%2Fself%2Fenviron", None, (), {404}),
    # What is no UTF-8 is replaced by most frameworks; Tornado refuses it.
    ("GET", "/io/file?name=%FF%FE", None, (), {400, 404}),
    ("GET", "/docs/assets/..%2F..%2F__init__.py", None, (), {404}),
    ("GET", "/docs/assets/%2e%2e%2fapps.py", None, (), {404}),
    ("GET", "/items/1?q=%FF", None, (), {200, 400}),
    ("GET", "/products/1'%20OR%20'1'='1", None, (), {422}),
    ("GET", "/products?offset=1%3BDELETE%20FROM%20harness_products", None, (), {422}),
    ("GET", "/io/db?ms=0%29%3B--", None, (), {422}),
    ("POST", "/products", b"[" * 10_000, JSON, {400}),
    ("POST", "/products", b'{"a":' * 10_000, JSON, {400}),
    ("POST", "/products", "{}".encode("utf-16"), JSON, {422}),
    ("POST", "/products", b"\xff\xfe\xfd", JSON, {400}),
    ("POST", "/products", b'{"name":"\\ud800","price_cents":1}', JSON, {422}),
    ("POST", "/orders/validated", b'{"note": "\xff"}', (("content-type", "application/json; charset=utf-7"),), {400}),
    ("POST", "/auth/token", b"username=%00&password=%FF", FORM, {400, 401}),
    ("POST", "/auth/token", b"username[]=a&password[$ne]=b", FORM, {422}),
    ("POST", "/auth/token", b"&" * 5_000, FORM, {400, 422}),
    ("POST", "/upload", b"no multipart", (("content-type", "multipart/form-data; boundary=x"),), {400, 422}),
    ("GET", "/users/me", None, (("authorization", "Bearer " + "x" * 4_000),), {401}),
    ("GET", "/users/me", None, (("authorization", "Bearer eyJhbGciOiJub25lIn0.e30."),), {401}),
]


@pytest.mark.parametrize("site", REFERENCES, indirect=True)
def test_hostile_requests_are_refused_clearly(site):
    wrong = []
    for method, path, body, headers, statuses in HOSTILE:
        status, reply = site.send(method, path, body, headers)
        if status not in statuses or (status >= 400 and set(reply) != {"detail"}):
            wrong.append((method, path, (body or b"")[:30], status, reply))
    assert wrong == []
    status, page = site.get("/products?limit=1&offset=999")
    assert (status, page["products"][0]["id"]) == (200, 1_000)
