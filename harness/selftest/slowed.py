"""An app with a set amount of work added to every request, and a book of the CPU time that this work took.

Served by import string in place of the app itself: ``harness.selftest.slowed:asgi`` or
``harness.selftest.slowed:wsgi``. Both sides of a comparison are served this
way, one with no turns, so that they differ in the loop alone.

``HARNESS_SLOWED_APP``    import string of the app
``HARNESS_SLOWED_TURNS``  turns of the counted loop per request
``HARNESS_SLOWED_BOOK``   file of ``Book``
``HARNESS_SLOWED_SPELL``  length of ``Spells`` in requests, which are noted in a file next to the book; default: none
"""

from __future__ import annotations

import itertools
import mmap
import os
import struct
import threading
import time
from collections.abc import Awaitable, Callable, Iterable
from itertools import repeat
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

APP, TURNS, BOOK = "HARNESS_SLOWED_APP", "HARNESS_SLOWED_TURNS", "HARNESS_SLOWED_BOOK"
SPELL = "HARNESS_SLOWED_SPELL"
SPELLS = ".spells"
"""What the name of the file of ``Spells`` has behind the book's."""
_ENTRY = struct.Struct("=QQ")
_THREADS = 64


class Book:
    """Counts of requests and nanoseconds of CPU in a shared file, an entry per thread of the server."""

    def __init__(self, path: str | Path) -> None:
        size = _ENTRY.size * _THREADS
        if not os.path.exists(path) or os.path.getsize(path) < size:
            Path(path).write_bytes(bytes(size))
        with open(path, "r+b") as file:
            self._map = mmap.mmap(file.fileno(), size)
        self._local, self._lock, self._threads = threading.local(), threading.Lock(), 0

    def add(self, nanoseconds: int) -> None:
        offset = getattr(self._local, "offset", None)
        if offset is None:
            with self._lock:
                offset = self._local.offset = _ENTRY.size * (self._threads % _THREADS)
                self._threads += 1
        count, spent = _ENTRY.unpack_from(self._map, offset)
        _ENTRY.pack_into(self._map, offset, count + 1, spent + nanoseconds)

    def totals(self) -> tuple[int, float]:
        """Requests, and CPU seconds of the loop for all of them."""
        entries = list(_ENTRY.iter_unpack(self._map[:]))
        return sum(count for count, _ in entries), sum(spent for _, spent in entries) * 1e-9

    def close(self) -> None:
        self._map.close()


class Spells:
    """The loop in every second spell of so many requests, and what the process and the loop have used before each."""

    def __init__(self, length: int, book: Book, path: str) -> None:
        self._length, self._book, self._requests = length, book, itertools.count()
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def begun(self) -> bool:
        """Called at every request; returns whether it runs the loop."""
        spell, place = divmod(next(self._requests), self._length)
        if place == 0:
            os.write(self._file, struct.pack("=dd", time.process_time(), self._book.totals()[1]))
        return spell % 2 == 1


class Slowing:
    """What is done at every request before the app sees it, as the environment says."""

    def __init__(self) -> None:
        self._turns, self._book = int(os.environ[TURNS]), Book(os.environ[BOOK])
        length = int(os.environ.get(SPELL, 0))
        self._spells = Spells(length, self._book, os.environ[BOOK] + SPELLS) if length else None

    def burn(self) -> None:
        turns = self._turns if self._spells is None or self._spells.begun() else 0
        began = time.thread_time_ns()
        for _ in repeat(None, turns):
            pass
        self._book.add(time.thread_time_ns() - began)


def __getattr__(name: str) -> Any:
    """``asgi`` and ``wsgi`` are made when a server asks for them."""
    wrap: Any = {"asgi": _asgi, "wsgi": _wsgi}.get(name)
    if wrap is None:
        raise AttributeError(name)
    return wrap(resolve_name(os.environ[APP]), Slowing())


def _asgi(app: Any, slowing: Slowing) -> Callable[..., Awaitable[None]]:
    async def slowed(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            slowing.burn()
        await app(scope, receive, send)

    return slowed


def _wsgi(app: Any, slowing: Slowing) -> Callable[..., Iterable[bytes]]:
    def slowed(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        slowing.burn()
        replies: Iterable[bytes] = app(environ, start_response)
        return replies

    return slowed
