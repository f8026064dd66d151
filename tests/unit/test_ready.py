import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.errors import LaunchError
from harness.model import Target
from harness.serve.server import Running, is_ready
from harness.serve.servers import Bind

WAIT_S = 20


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(WAIT_S)
        yield server


@pytest.fixture
def running(listening):
    process = SimpleNamespace(pid=0, returncode=None, poll=lambda: None)
    running = Running(Target("t", "own", "asgi", "uvicorn", "m:app"), Bind(*listening.getsockname()), process, Path())
    yield running
    if running.probe:
        running.probe.close()


def answer(listening, status):
    client, _ = listening.accept()
    with client:
        client.settimeout(WAIT_S)
        assert client.recv(4096).startswith(b"GET /health HTTP/1.1\r\n")
        client.sendall(b"HTTP/1.1 %d Whatever\r\nContent-Length: 0\r\n\r\n" % status if status else b"")


def eventually(running):
    """The first look after the reply came may be too early for it."""
    for _ in range(1000):
        ready = is_ready(running, WAIT_S)
        if ready or running.probe is None:
            return ready
        time.sleep(0.01)
    raise AssertionError("the reply did not arrive")


def test_a_server_that_listens_before_it_works_is_asked_once(listening, running):
    assert not any(is_ready(running, WAIT_S) for _ in range(5))
    answer(listening, 200)
    assert eventually(running)
    assert running.refused is None
    assert running.startup_s > 0
    listening.settimeout(0.2)
    with pytest.raises(TimeoutError):
        listening.accept()


@pytest.mark.parametrize("status", [500, None], ids=["an error", "closed without a reply"])
def test_a_server_that_was_not_ready_is_asked_again(listening, running, status):
    assert not is_ready(running, WAIT_S)
    answer(listening, status)
    assert not eventually(running)
    assert running.refused == (status or 0)
    assert not is_ready(running, WAIT_S)
    answer(listening, 204)
    assert eventually(running)


def test_a_server_whose_first_probe_is_late_still_gets_it(listening, running):
    running.started = time.monotonic() - WAIT_S - 1
    with ThreadPoolExecutor(1) as pool:
        answered = pool.submit(answer, listening, 200)
        assert is_ready(running, WAIT_S)
        answered.result()


def test_a_server_that_is_never_ready_tells_its_last_reply_and_holds_no_connection(listening, running):
    assert not is_ready(running, WAIT_S)
    answer(listening, 503)
    assert not eventually(running)
    assert not is_ready(running, WAIT_S)
    running.started = time.monotonic() - WAIT_S - 1
    with pytest.raises(LaunchError, match="GET /health returned 503, expected a status below 500"):
        is_ready(running, WAIT_S)
    assert running.probe is None


def test_a_request_that_nobody_replies_to_is_sent_anew_in_the_end(listening, running):
    assert not is_ready(running, WAIT_S)
    running.probed_at -= WAIT_S / 2
    assert not is_ready(running, WAIT_S)
    first, _ = listening.accept()
    first.close()
    answer(listening, 200)
    assert eventually(running)
