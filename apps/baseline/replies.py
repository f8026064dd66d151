"""What both raw apps answer: status, content type and body."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from pydantic import ValidationError

from apps.contract import domain
from apps.contract.inbound import DETAILS, Refused, faults
from apps.contract.models import WaitQuery

Reply = tuple[int, str, bytes]


def as_json(value: Any, status: int = 200) -> Reply:
    return status, "application/json", json.dumps(value, separators=(",", ":")).encode()


def refusal(refused: Refused) -> Reply:
    return as_json({"detail": refused.detail}, refused.status)


def plaintext() -> Reply:
    return 200, "text/plain; charset=utf-8", domain.GREETING.encode()


def wait_query(query_string: str) -> WaitQuery:
    """The query of ``GET /io/sleep``; ``Refused`` when it is wrong."""
    try:
        return WaitQuery.model_validate(dict(parse_qsl(query_string, keep_blank_values=True)))
    except ValidationError as error:
        raise Refused(422, faults(error, "query")) from error


def simple(method: str, path: str) -> Reply:
    """The reply to a request that does no I/O; 404 for what the raw apps do not know."""
    make = _SIMPLE.get((method, path))
    return make() if make else as_json({"detail": DETAILS[404]}, 404)


_SIMPLE: dict[tuple[str, str], Callable[[], Reply]] = {
    ("GET", "/health"): lambda: as_json(domain.health()),
    ("GET", "/json"): lambda: as_json(domain.greeting()),
    ("GET", "/plaintext"): plaintext,
}
