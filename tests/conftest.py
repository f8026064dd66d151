"""What all tests share: apps of a user's own, written into a folder and served from there."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import psutil
import pytest

from harness.declare import parse_target
from harness.servers import interface_of

RAW_ASGI = """
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    {before}
    await send({{"type": "http.response.start", "status": {status}, "headers": [(b"content-type", b"{media}")]}})
    await send({{"type": "http.response.body", "body": {body}}})
"""


def asgi_app(before="pass", status=200, media="application/json", body='b\'{"message": "Hello, World!"}\''):
    return RAW_ASGI.format(before=before, status=status, media=media, body=body)


@pytest.fixture
def own_app(tmp_path, monkeypatch):
    """Writes ``source`` as a module into the working directory; returns its target under ``server``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def write(source: str, server: str = "uvicorn", module: str = "own_app"):
        Path(f"{module}.py").write_text(source)
        return parse_target(f"{module}:app@{server},name={module}", interface_of)

    return write


@pytest.fixture
def no_process_left():
    """Fails where a test leaves a descendant of this process behind."""
    before = {process.pid for process in psutil.Process(os.getpid()).children(recursive=True)}
    yield
    left = [p for p in psutil.Process(os.getpid()).children(recursive=True) if p.pid not in before]
    _, alive = psutil.wait_procs(left, timeout=10)
    assert not alive, [" ".join(process.cmdline()) for process in alive]


@pytest.fixture
def no_room():
    """Caps how many bytes a file may hold, as a full disk would; lifted at the end of the test."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
