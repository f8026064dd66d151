"""What all tests share: apps of a user's own, written into a folder and served from there."""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import signal
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import psutil
import pytest

from harness.prepare.select import parse_target

RAW_ASGI = """
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    {before}
    body = {body}
    headers = [(b"content-type", b"{media}"), (b"content-length", b"%d" % len(body))]
    await send({{"type": "http.response.start", "status": {status}, "headers": headers}})
    await send({{"type": "http.response.body", "body": body}})
"""


def asgi_app(before="pass", status=200, media="application/json", body='b\'{"message": "Hello, World!"}\''):
    return RAW_ASGI.format(before=before, status=status, media=media, body=body)


class Turns:
    """Among the workers of pytest-xdist: tests that measure have the machine to themselves, the others run next to
    each other."""

    def __init__(self, run: str) -> None:
        folder = Path(tempfile.gettempdir())
        # Who waits for the gate keeps the door, so that a quiet test need not wait for a moment without any other.
        self._door, self._gate = ((folder / f"harness-tests-{run}.{name}").open("w") for name in ("door", "gate"))

    @contextlib.contextmanager
    def take(self, alone: bool) -> Iterator[None]:
        fcntl.flock(self._door, fcntl.LOCK_EX)
        fcntl.flock(self._gate, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(self._door, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(self._gate, fcntl.LOCK_UN)

    def close(self) -> None:
        for file in (self._door, self._gate):
            file.close()
            Path(file.name).unlink(missing_ok=True)


TURNS = pytest.StashKey[Turns]()


def measures(item: pytest.Item) -> bool:
    return any(item.iter_markers("measure")) or any(item.iter_markers("quiet"))


def pytest_configure(config: pytest.Config) -> None:
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        # A shell without job control starts background jobs so, and the commands under test would inherit it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(config, "workerinput"):
        config.stash[TURNS] = Turns(config.workerinput["testrunuid"])


def pytest_unconfigure(config: pytest.Config) -> None:
    if TURNS in config.stash:
        config.stash[TURNS].close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that measure come last, so that nobody waits for the machine while others could run."""
    items.sort(key=measures)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Around set-up and tear-down too: fixtures measure as well."""
    turns = item.config.stash.get(TURNS, None)
    with turns.take(measures(item)) if turns else contextlib.nullcontext():
        return (yield)


ATTEMPTS = 8
"""Other processes only ever add to a time, so a test that reads a clock passes with one quiet attempt of these."""


@pytest.fixture
def attempts(record_property):
    """Numbers from 1 to at most ``ATTEMPTS``; the summary says where a test needed more than one."""
    needed = []

    def count():
        for number in range(1, ATTEMPTS + 1):
            needed.append(number)
            yield number

    yield count()
    record_property("attempts", len(needed))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for report in [each for reports in terminalreporter.stats.values() for each in reports]:
        needed = dict(getattr(report, "user_properties", ())).get("attempts", 0)
        if needed > 1:
            terminalreporter.write_line(f"{report.nodeid}: {needed} attempts")


@pytest.fixture
def own_app(tmp_path, monkeypatch):
    """Writes ``source`` as a module into the working directory; returns its target under ``server``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def write(source: str, server: str = "uvicorn", module: str = "own_app"):
        Path(f"{module}.py").write_text(source)
        return parse_target(f"{module}:app@{server},name={module}")

    return write


@pytest.fixture
def no_process_left():
    """Fails where a test leaves a descendant of this process behind."""
    before = {process.pid for process in psutil.Process(os.getpid()).children(recursive=True)}
    yield
    left = [p for p in psutil.Process(os.getpid()).children(recursive=True) if p.pid not in before]
    _, alive = psutil.wait_procs(left, timeout=60)
    assert not alive, [" ".join(process.cmdline()) for process in alive]


class NoRoom:
    """Caps how many bytes a file may hold, as a full disk would: from ``begin``, or at once where a size is given, to
    the end of the ``with`` block.

    As short as can be, since what pytest writes meanwhile is capped too.
    """

    def __init__(self, size: int | None = None) -> None:
        self._size = size
        self._before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def begin(self, size: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, self._before[1]))

    def __enter__(self) -> NoRoom:
        if self._size is not None:
            self.begin(self._size)
        return self

    def __exit__(self, *_: object) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self._before)


@pytest.fixture(autouse=True)
def no_settings_of_django(monkeypatch):
    """An app of Django that a test imported names its settings in the environment, which processes would inherit."""
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
