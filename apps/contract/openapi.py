"""The OpenAPI 3.1 document of the contract, made from its operations and models, for frameworks without one of their
own that keeps Pydantic models."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from apps.contract import replies
from apps.contract.inbound import DETAILS, MULTIPART
from apps.contract.operations import EVENTS, JSON, OPERATIONS, Operation

TITLE, VERSION = "Contract", "1.0.0"
TOKEN_URL = "auth/token"
SCHEME = "OAuth2PasswordBearer"
FILE = {
    "type": "object",
    "title": "UploadedFile",
    "properties": {"file": {"type": "string", "contentMediaType": "application/octet-stream", "title": "File"}},
    "required": ["file"],
}
EVENT = {
    "type": "object",
    "properties": {
        "data": {"type": "string"},
        "event": {"type": "string"},
        "id": {"type": "string"},
        "retry": {"type": "integer", "minimum": 0},
    },
}
"""What OpenAPI says of one server-sent event; 3.1 has no word for a stream of them, and FastAPI takes that of 3.2."""
_REFS = "#/components/schemas/{model}"


@cache
def document() -> dict[str, Any]:
    """The whole document; not to be changed."""
    used = sorted({*_inputs(), *_outputs()}, key=lambda pair: (pair[0].__name__, pair[1]))
    references, definitions = models_json_schema(used, ref_template=_REFS)
    schemas = {**definitions["$defs"], "UploadedFile": FILE}
    parameters = {
        model.__name__ for operation in OPERATIONS for model in (operation.in_path, operation.in_query) if model
    }
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        described = _describe(operation, references, schemas)
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    flow = {"password": {"scopes": {}, "tokenUrl": TOKEN_URL}}
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": VERSION},
        "paths": paths,
        "components": {
            "schemas": {name: schema for name, schema in schemas.items() if name not in parameters},
            "securitySchemes": {SCHEME: {"type": "oauth2", "flows": flow}},
        },
    }


def _inputs() -> Iterator[tuple[type[BaseModel], JsonSchemaMode]]:
    for operation in OPERATIONS:
        for model in (operation.in_path, operation.in_query, operation.body):
            if model is not None:
                yield model, "validation"


def _outputs() -> Iterator[tuple[type[BaseModel], JsonSchemaMode]]:
    yield replies.Invalid, "serialization"
    yield replies.Problem, "serialization"
    for operation in OPERATIONS:
        if operation.reply is not None:
            yield operation.reply, "serialization"


def _describe(operation: Operation, references: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {"operationId": operation.name, "summary": operation.summary}
    parameters = [
        {"name": name, "in": where, "required": required, "schema": schema}
        for where, model in (("path", operation.in_path), ("query", operation.in_query))
        if model is not None
        for name, schema, required in _fields(references[model, "validation"], schemas)
    ]
    if parameters:
        described["parameters"] = parameters
    if operation.body is not None:
        schema = references[operation.body, "validation"]
        described["requestBody"] = {"required": True, "content": {operation.body_media: {"schema": schema}}}
    elif operation.body_media == MULTIPART:
        content = {MULTIPART: {"schema": {"$ref": _REFS.format(model="UploadedFile")}}}
        described["requestBody"] = {"required": True, "content": content}
    responses = {str(operation.status): _reply(operation.status, operation.media, _content(operation, references))}
    for status in sorted(operation.refusals):
        if status == 413:
            responses[str(status)] = {"description": DETAILS[status]}
            continue
        model = replies.Invalid if status == 422 else replies.Problem
        responses[str(status)] = _reply(status, JSON, {"schema": references[model, "serialization"]})
    described["responses"] = responses
    if operation.secured:
        described["security"] = [{SCHEME: []}]
    return described


def _content(operation: Operation, references: Any) -> dict[str, Any]:
    if operation.media == EVENTS:
        return {"itemSchema": EVENT}
    return {"schema": references[operation.reply, "serialization"] if operation.reply else {"type": "string"}}


def _fields(reference: dict[str, Any], schemas: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], bool]]:
    schema = schemas[reference["$ref"].rpartition("/")[2]]
    for name, field in schema["properties"].items():
        shown = {key: value for key, value in field.items() if (key, value) != ("default", None)}
        yield name, shown, name in schema.get("required", [])


def _reply(status: int, media: str, content: dict[str, Any]) -> dict[str, Any]:
    return {"description": HTTPStatus(status).phrase, "content": {media: content}}
