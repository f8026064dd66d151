"""How servers behave, whatever they serve: what they write under load, their connections and their processes."""

from __future__ import annotations

import http.client
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.engine.clocks import TreeClock
from harness.model import Target
from harness.serve import Running, serving
from harness.serve.servers import Bind, load_server, missing_for, resolved
from tests.targets import ALL

pytestmark = pytest.mark.live

# More than any target has threads, so that requests wait for one.
CONNECTIONS = 24
REQUESTS = 96
LOG_S = 0.5
# Hypercorn closes a connection after 1,000 of them unless told otherwise.
KEPT_REQUESTS = 1_010
CLOSE = ({"worker_class": "sync"}, {"frontend": "socket"})
"""Options of servers that close a connection after each reply."""


def programs() -> dict[str, Target]:
    """A target for each program and way of serving with it, raw ones first, and the frameworks' reference targets."""
    chosen: dict[tuple[object, ...], Target] = {}
    for target in sorted(ALL.values(), key=lambda one: (one.framework != "raw", one.variant)):
        way = [target.options.get(name) for name in ("worker_class", "parser", "bridge", "frontend")]
        chosen.setdefault((target.server, target.interface, *way), target)
    references = [target for target in ALL.values() if target.reference]
    return {target.name: target for target in [*chosen.values(), *references]}


def marked(target: Target) -> Any:
    missing = missing_for(target)
    skip = pytest.mark.skipif(bool(missing), reason=f"{missing} is not installed")
    return pytest.param(target, marks=skip, id=f"{target.name}-{target.workers}")


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    with serving(request.param, deadline_s=120) as started:
        yield started


every_program = pytest.mark.parametrize("running", [marked(target) for target in programs().values()], indirect=True)


def send(bind: Bind, paths: list[str]) -> int:
    """One request after the other on a connection, which is opened again where the server has closed it; how often."""
    opened = 0
    connection = http.client.HTTPConnection(bind.host, bind.port, timeout=60)
    try:
        for path in paths:
            opened += connection.sock is None
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
            assert response.status == (404 if path == "/missing" else 200), path
    finally:
        connection.close()
    return opened


def lines_written(running: Running) -> list[str]:
    """What a server writes while it answers requests, of which some wait and some are refused."""
    before = len(running.log_file.read_text("utf-8").splitlines())
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        paths = ["/json", "/io/sleep?ms=5", "/missing", "/json"]
        assert len(paths) * CONNECTIONS == REQUESTS
        list(pool.map(lambda _: send(running.bind, paths), range(CONNECTIONS)))
    time.sleep(LOG_S)
    return running.log_file.read_text("utf-8").splitlines()[before:]


@every_program
def test_no_server_writes_a_line_per_request(running: Running) -> None:
    assert lines_written(running) == []


@every_program
def test_a_connection_is_kept_unless_the_server_cannot(running: Running) -> None:
    closes = any(option.items() <= running.target.options.items() for option in CLOSE)
    requests = 10 if closes else KEPT_REQUESTS
    assert send(running.bind, ["/json"] * requests) == (requests if closes else 1)


@every_program
def test_a_server_has_the_processes_that_are_listed(running: Running) -> None:
    assert len(TreeClock(running.pid).pids) == resolved(running.target).processes


@pytest.mark.parametrize(
    "running",
    [marked(replace(ALL[name], workers=2)) for name in ("raw-asgi-uvicorn", "raw-asgi-hypercorn", "tornado-native")],
    indirect=True,
)
def test_several_workers_are_processes_too(running: Running) -> None:
    # Workers come one after the other, and the first one is ready before the last.
    deadline = time.monotonic() + 30
    while len(TreeClock(running.pid).pids) < resolved(running.target).processes and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(TreeClock(running.pid).pids) == resolved(running.target).processes


def sockets_of(running: Running) -> dict[str, int]:
    """The sockets that listen on a server's port → how many of its processes have each open."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = {
        line[9] for line in lines if line[3] == "0A" and int(line[1].rpartition(":")[2], 16) == running.bind.port
    }
    opened = [
        {os.readlink(file).strip("socket:[]") for file in Path(f"/proc/{pid}/fd").iterdir() if file.is_symlink()}
        for pid in TreeClock(running.pid).pids
    ]
    return {socket: sum(socket in files for files in opened) for socket in listening}


@pytest.mark.skipif(sys.platform != "linux", reason="sockets are read from /proc")
@pytest.mark.parametrize(
    "running",
    [
        marked(replace(target, workers=3))
        for target in {(each.server, resolved(each).listener): each for each in programs().values()}.values()
        if load_server(target.server).workers
    ],
    indirect=True,
)
def test_workers_listen_as_their_server_module_says(running: Running) -> None:
    expected = {"shared": (1, True), "reuseport": (3, False), "router": (1, False)}[resolved(running.target).listener]
    deadline = time.monotonic() + 60
    while True:
        found = sockets_of(running)
        by_workers = max(found.values(), default=0) >= running.target.workers
        if (len(found), by_workers) == expected or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    assert (len(found), by_workers) == expected


@pytest.mark.skipif(sys.platform != "linux", reason="what a process has loaded is read from /proc")
@pytest.mark.parametrize(
    ("running", "library", "loaded"),
    [
        pytest.param(*marked(ALL[name]).values, library, loaded, marks=marked(ALL[name]).marks, id=name)
        for name, library, loaded in (
            ("raw-wsgi-gunicorn-gthread", "gunicorn_h1c", False),
            ("raw-wsgi-gunicorn-gthread-fast", "gunicorn_h1c", True),
            ("tornado-native", "uvloop", False),
            ("tornado-native-uvloop", "uvloop", True),
        )
    ],
    indirect=["running"],
)
def test_a_parser_or_a_loop_is_used_where_it_is_asked_for(running: Running, library: str, loaded: bool) -> None:
    send(running.bind, ["/json"])
    maps = [Path(f"/proc/{pid}/maps").read_text() for pid in TreeClock(running.pid).pids]
    assert any(library in each for each in maps) == loaded


@pytest.mark.parametrize(
    "running",
    [marked(replace(ALL["raw-wsgi-gunicorn-gthread"], environment={"GUNICORN_CMD_ARGS": "--access-logfile=-"}))],
    indirect=True,
)
def test_a_line_per_request_would_be_seen(running: Running) -> None:
    assert len(lines_written(running)) >= REQUESTS


FACTORY = """
import os

def make(reply, times=1):
    body = f"{reply * times} {os.environ['MODE']}".encode()

    def wsgi(environ, start_response):
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    async def asgi(scope, receive, send):
        if scope["type"] == "http":
            headers = [(b"content-length", b"%d" % len(body))]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body})

    return wsgi if os.environ["INTERFACE"] == "wsgi" else asgi
"""


@pytest.mark.parametrize(
    "target",
    [marked(target) for target in programs().values() if target.framework == "raw" and target.interface != "native"],
)
def test_every_server_serves_what_a_factory_makes(target, tmp_path):
    (tmp_path / "factory.py").write_text(FACTORY)
    (tmp_path / ".env").write_text("MODE=from-file\n")
    made = replace(
        target,
        framework="own",
        application="factory:make('ab', times=2)",
        cwd=str(tmp_path),
        env_file=str(tmp_path / ".env"),
        environment={"INTERFACE": target.interface},
    )
    with serving(made, deadline_s=120) as started:
        connection = http.client.HTTPConnection(started.bind.host, started.bind.port, timeout=30)
        try:
            connection.request("GET", "/")
            assert connection.getresponse().read() == b"abab from-file"
        finally:
            connection.close()
