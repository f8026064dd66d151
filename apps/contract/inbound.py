"""Refusing requests, free of any framework: apps turn ``Refused`` and a model's faults into replies of their own."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

MAX_BODY_BYTES = 1_048_576
"""The largest body that an endpoint taking JSON or a form reads, in bytes."""

MAX_UPLOAD_BODY_BYTES = 10_485_760
"""The largest body that ``POST /upload`` reads, in bytes: the file, and the lines around it."""

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"

DETAILS: Mapping[int, str] = {
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
"""What ``detail`` says for each status, whatever Python's or a framework's own phrase is."""

MALFORMED_JSON = "Malformed JSON"
MALFORMED_FORM = "Malformed form"
SKU_TAKEN = "SKU already exists"
DATABASE_DOWN = "Database unavailable"
UPSTREAM_DOWN = "Upstream unavailable"


class Refused(Exception):
    """A request that is answered with an error.

    Attributes:
        status: HTTP status.
        detail: what the reply's ``detail`` holds: a sentence, or the list of faults.
        headers: names and values of further headers of the reply.
    """

    def __init__(self, status: int, detail: Any = None, headers: Sequence[tuple[str, str]] = ()) -> None:
        self.status = status
        self.headers = headers
        self.detail: Any = DETAILS[status] if detail is None else detail
        super().__init__(f"{status}: {self.detail}")


def check_media_type(content_type: str | None) -> None:
    """Refuses what is neither ``application/json`` nor ``application/…+json`` (415)."""
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not (
        media_type.startswith("application/") and media_type.endswith("+json")
    ):
        raise Refused(415)


def check_length(content_length: str | None, limit: int = MAX_BODY_BYTES) -> None:
    """Refuses a declared length past ``limit`` bytes (413); one that is no number is left to the server."""
    if content_length and content_length.isdecimal() and int(content_length) > limit:
        raise Refused(413)


def check_file(content: bytes | None) -> bytes:
    """The uploaded file, refused (422) where there is none, or a text in its place."""
    if content is None:
        raise Refused(422, [{"loc": ["body", "file"], "msg": "Field required", "type": "missing"}])
    return content


def load_json(body: bytes) -> Any:
    """The JSON value in ``body``; refused (400) when empty, malformed, not UTF-8 or nested too deeply."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(400, MALFORMED_JSON) from error


def faults(error: ValidationError, where: str, in_path: Collection[str] = ()) -> list[dict[str, Any]]:
    """Every fault as ``loc``, ``msg`` and ``type``.

    Args:
        where: what ``loc`` begins with: ``query`` or ``body``.
        in_path: names of values of the path, whose ``loc`` begins with ``path``.
    """
    return [
        {
            "loc": ["path" if fault["loc"] and fault["loc"][0] in in_path else where, *fault["loc"]],
            "msg": fault["msg"],
            "type": fault["type"],
        }
        for fault in error.errors(include_url=False, include_context=False, include_input=False)
    ]
