"""Reading and refusing requests, free of any framework.

A framework that validates by itself needs little of this; the others call these functions and turn ``Refused`` into
their own reply. The faults are worded as FastAPI words them, so that all apps answer alike.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping, MutableMapping, Sequence
from functools import cache
from typing import Any, TypeVar, get_origin

from pydantic import BaseModel, ValidationError

from apps.contract.models import ItemPath, ItemQuery

MAX_BODY_BYTES = 1_048_576
"""The largest body that an endpoint taking JSON or a form reads, in bytes."""

MAX_UPLOAD_BYTES = 10_485_760
"""The largest file that ``POST /upload`` takes, in bytes."""

MAX_UPLOAD_BODY_BYTES = MAX_UPLOAD_BYTES + 65_536
"""The largest body of an upload: the file, and room for the multipart envelope."""

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

Message = MutableMapping[str, Any]
Model = TypeVar("Model", bound=BaseModel)


class Refused(Exception):
    """A request that is answered with an error.

    Attributes:
        status: HTTP status.
        detail: what the reply's ``detail`` holds: a sentence, or the list of faults.
        headers: names and values that the reply carries besides.
    """

    def __init__(self, status: int, detail: Any = None, headers: Sequence[tuple[str, str]] = ()) -> None:
        self.status = status
        self.headers = headers
        self.detail: Any = DETAILS[status] if detail is None else detail
        super().__init__(f"{status}: {self.detail}")


def check_head(content_type: str | None, content_length: str | None) -> None:
    """Refuses, before the body is read, what is not JSON (415) or declares too long a body (413)."""
    check_media_type(content_type)
    check_length(content_length)


def check_media_type(content_type: str | None) -> None:
    """Refuses what is neither ``application/json`` nor ``application/…+json`` (415)."""
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not (
        media_type.startswith("application/") and media_type.endswith("+json")
    ):
        raise Refused(415)


def check_form(content_type: str | None, content_length: str | None, wanted: str = FORM) -> None:
    """Refuses, before the body is read, what is no form (415), is too long (413) or has no boundary (400)."""
    media_type, _, parameters = (content_type or "").partition(";")
    if media_type.strip().lower() != wanted:
        raise Refused(415)
    check_length(content_length, MAX_BODY_BYTES if wanted == FORM else MAX_UPLOAD_BODY_BYTES)
    if wanted == MULTIPART and "boundary=" not in parameters:
        raise Refused(400, MALFORMED_FORM)


def check_length(content_length: str | None, limit: int = MAX_BODY_BYTES) -> None:
    """Refuses a declared length past ``limit`` bytes (413); one that is no number is left to the server."""
    if content_length and content_length.isdecimal() and int(content_length) > limit:
        raise Refused(413)


def check_file(content: bytes | None, texts: Sequence[str]) -> bytes:
    """The uploaded file, refused (413) past ``MAX_UPLOAD_BYTES``, or (422) where there is none.

    Args:
        texts: what came under the file's name, but as text.
    """
    if content is None:
        no_file = "Value error, Expected UploadFile, received: <class 'str'>"
        fault = ("value_error", no_file) if texts else ("missing", "Field required")
        raise Refused(422, [{"loc": ["body", "file"], "msg": fault[1], "type": fault[0]}])
    if len(content) > MAX_UPLOAD_BYTES:
        raise Refused(413)
    return content


async def collect(chunks: AsyncIterable[bytes]) -> bytes:
    """The whole body, refused (413) as soon as more than ``MAX_BODY_BYTES`` have come."""
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise Refused(413)
    return bytes(body)


def counted(receive: Callable[[], Awaitable[Message]], limit: int) -> Callable[[], Awaitable[Message]]:
    """An ASGI ``receive`` that refuses (413) as soon as more than ``limit`` bytes of a body have come."""
    read = 0

    async def count() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > limit:
            raise Refused(413)
        return message

    return count


def load_json(body: bytes) -> Any:
    """The JSON value in ``body``; refused (400) when empty, malformed, not UTF-8 or nested too deeply."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(400, MALFORMED_JSON) from error


def read_body(model: type[Model], value: Any) -> Model:
    """``value`` as a ``model``; refused (422) with every fault. Attributes are read as FastAPI does."""
    try:
        return model.model_validate(value, from_attributes=True)
    except ValidationError as error:
        raise Refused(422, faults(error, "body")) from error


def read_query(model: type[Model], getlist: Callable[[str], Sequence[str]]) -> Model:
    """The query string as a ``model``; refused (422) with every fault.

    Args:
        getlist: all values of a name, in order; empty when it is absent. The last counts where one is wanted.
    """
    try:
        return model.model_validate(_query_values(model, getlist))
    except ValidationError as error:
        raise Refused(422, faults(error, "query")) from error


def read_path(model: type[Model], **values: str) -> Model:
    """Values from the path as a ``model``; refused (422) with every fault."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise Refused(422, faults(error, "path")) from error


def read_form(model: type[Model], getlist: Callable[[str], Sequence[str]]) -> Model:
    """A form as a ``model``; refused (422) with every fault. ``getlist`` as for ``read_query``."""
    try:
        return model.model_validate(_query_values(model, getlist))
    except ValidationError as error:
        raise Refused(422, faults(error, "body")) from error


def read_item(item_id: str, getlist: Callable[[str], Sequence[str]]) -> tuple[int, ItemQuery]:
    """Path and query of ``GET /items/{item_id}``; refused (422) with the faults of both."""
    found: list[dict[str, Any]] = []
    number, query = 0, None
    try:
        number = ItemPath.model_validate({"item_id": item_id}).item_id
    except ValidationError as error:
        found += faults(error, "path")
    try:
        query = read_query(ItemQuery, getlist)
    except Refused as refused:
        found += refused.detail
    if found or query is None:
        raise Refused(422, found)
    return number, query


def faults(error: ValidationError, where: str) -> list[dict[str, Any]]:
    """Every fault as ``loc`` (beginning with ``where``), ``msg`` and ``type``."""
    return [
        {"loc": [where, *fault["loc"]], "msg": fault["msg"], "type": fault["type"]}
        for fault in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def _query_values(model: type[BaseModel], getlist: Callable[[str], Sequence[str]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, many in _query_fields(model):
        if given := getlist(name):
            values[name] = list(given) if many else given[-1]
    return values


@cache
def _query_fields(model: type[BaseModel]) -> tuple[tuple[str, bool], ...]:
    return tuple((name, get_origin(field.annotation) is list) for name, field in model.model_fields.items())
