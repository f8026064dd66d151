"""Cases of the endpoints that wait on a service: upstream, database, files."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from apps.contract.case import Case, Endpoint, fault, get, missing, not_a_number, number_fault, refused
from apps.contract.inputs import FileQuery, UpstreamQuery
from apps.contract.models import WaitQuery
from apps.contract.seed import product
from apps.contract.settings import FILES


def io() -> tuple[Endpoint, ...]:
    """``/io/upstream``, ``/io/db`` and ``/io/file``."""
    return _upstream(), _database(), _file()


def not_found(name: str, path: str) -> Case:
    """A GET answered with 404."""
    return replace(get(name, path, {"detail": "Not Found"}), status=404)


def _wrong_waits(path: str, longest: int) -> tuple[Case, ...]:
    ms = ("query", "ms")
    return (
        refused("ms-missing", path, missing(*ms)),
        refused("ms-negative", f"{path}?ms=-1", number_fault(ms, "greater_than_equal", 0)),
        refused("ms-too-big", f"{path}?ms={longest + 1}", number_fault(ms, "less_than_equal", longest)),
        refused("ms-text", f"{path}?ms=soon", not_a_number(*ms)),
        refused("ms-sql", f"{path}?ms=1%3B%20DROP%20TABLE%20products", not_a_number(*ms)),
    )


def _upstream() -> Endpoint:
    path, calls = "/io/upstream", ("query", "calls")

    def make(ms: int, calls: int = 1) -> Case:
        query = UpstreamQuery(ms=ms, calls=calls)
        reply = {"calls": query.calls, "delayed_ms": query.calls * query.ms}
        case = get(f"{query.calls}x{query.ms}", f"{path}?ms={query.ms}&calls={query.calls}", reply)
        return replace(case, least_ms=query.ms)

    cases = (
        replace(make(5, 2), name="valid"),
        replace(get("one-call", f"{path}?ms=3", {"calls": 1, "delayed_ms": 3}), least_ms=3),
        make(0, 10),
        *_wrong_waits(path, 1_000),
        refused("calls-zero", f"{path}?ms=1&calls=0", number_fault(calls, "greater_than_equal", 1)),
        refused("calls-too-many", f"{path}?ms=1&calls=21", number_fault(calls, "less_than_equal", 20)),
        refused("calls-text", f"{path}?ms=1&calls=two", not_a_number(*calls)),
    )
    return Endpoint("io-upstream", "GET", path, "calls to another service", cases, make)


def _database() -> Endpoint:
    path = "/io/db"

    def make(ms: int) -> Case:
        ms = WaitQuery(ms=ms).ms
        return replace(get(f"{ms}", f"{path}?ms={ms}", {"slept_ms": ms, "product": product(1)}), least_ms=ms)

    cases = (replace(make(5), name="valid"), replace(make(0), name="zero"), *_wrong_waits(path, 10_000))
    return Endpoint("io-db", "GET", path, "the database sleeps, then gives a row", cases, make)


def _file() -> Endpoint:
    path, name = "/io/file", ("query", "name")

    def reply(file: str) -> dict[str, Any]:
        content = (FILES / file).read_bytes()
        return {"name": file, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}

    def make(file: str = "small.txt") -> Case:
        file = FileQuery(name=file).name
        if not (FILES / file).is_file():
            raise ValueError(f"no file {file!r}; there are: {', '.join(sorted(f.name for f in FILES.iterdir()))}")
        return get(file, f"{path}?name={quote(file)}", reply(file))

    outside = {
        "unknown": "nothing.txt",
        "parent": "../models.py",
        "parents": "../../../../../../etc/passwd",
        "absolute": "/etc/passwd",
        "through": "small.txt/../../models.py",
        "folder": ".",
        "backslash": "..\\models.py",
        "nul": "small.txt\0.py",
        "encoded-twice": "..%2Fmodels.py",
        "sql": "' OR 1=1 --",
        "long": "x" * 200,
    }
    cases = (
        replace(make(), name="valid"),
        make("medium.txt"),
        make("empty.txt"),
        *(not_found(kind, f"{path}?name={quote(file, safe='')}") for kind, file in outside.items()),
        refused("name-missing", path, missing(*name)),
        refused(
            "name-empty", f"{path}?name=", fault(name, "string_too_short", "String should have at least 1 character")
        ),
        refused(
            "name-too-long",
            f"{path}?name={'x' * 201}",
            fault(name, "string_too_long", "String should have at most 200 characters"),
        ),
    )
    return Endpoint("io-file", "GET", path, "reads a seeded file", cases, make)
