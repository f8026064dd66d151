"""An app with a set amount of work added to every request, and a book of the CPU time that this work took.

Served by import string in place of the app itself: ``harness.truth.slowed:asgi`` or ``harness.truth.slowed:wsgi``. Both
sides of a comparison are served this way, one with no turns, so that they differ in the loop alone.

``HARNESS_SLOWED_APP``    import string of the app
``HARNESS_SLOWED_TURNS``  turns of the counted loop per request
``HARNESS_SLOWED_BOOK``   file of ``Book``
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
import time
from collections.abc import Awaitable, Callable, Iterable
from importlib import import_module
from itertools import repeat
from pathlib import Path
from typing import Any

APP, TURNS, BOOK = "HARNESS_SLOWED_APP", "HARNESS_SLOWED_TURNS", "HARNESS_SLOWED_BOOK"
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


def _burn(turns: int, book: Book) -> None:
    began = time.thread_time_ns()
    for _ in repeat(None, turns):
        pass
    book.add(time.thread_time_ns() - began)


def _served() -> tuple[Any, int, Book]:
    module, _, attribute = os.environ[APP].partition(":")
    app = import_module(module)
    for name in attribute.split("."):
        app = getattr(app, name)
    return app, int(os.environ[TURNS]), Book(os.environ[BOOK])


def __getattr__(name: str) -> Any:
    """``asgi`` and ``wsgi`` are made when a server asks for them."""
    if name == "asgi":
        return _asgi(*_served())
    if name == "wsgi":
        return _wsgi(*_served())
    raise AttributeError(name)


def _asgi(app: Any, turns: int, book: Book) -> Callable[..., Awaitable[None]]:
    async def slowed(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            _burn(turns, book)
        await app(scope, receive, send)

    return slowed


def _wsgi(app: Any, turns: int, book: Book) -> Callable[..., Iterable[bytes]]:
    def slowed(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        _burn(turns, book)
        replies: Iterable[bytes] = app(environ, start_response)
        return replies

    return slowed
