"""What an OpenAPI document says, without how it words or names it."""

from __future__ import annotations

import http.client
import json
from typing import Any

from harness.serve.servers import Bind

WORDING = {"title", "description", "summary", "operationId", "tags"}


def fetch(bind: Bind, path: str) -> Any:
    connection = http.client.HTTPConnection(bind.host, bind.port, timeout=15)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        assert response.status == 200
        return json.loads(response.read())
    finally:
        connection.close()


def substance(document: dict[str, Any]) -> dict[str, Any]:
    """Security schemes and operations, with every reference resolved and all wording left out.

    A default of ``null`` says no more than that a value need not be there, which ``required`` says already.
    """
    assert document["openapi"].startswith("3.1")
    return {
        "schemes": plain(document, document["components"]["securitySchemes"]),
        "operations": {
            f"{method.upper()} {path}": operation(document, described)
            for path, item in document["paths"].items()
            for method, described in item.items()
        },
    }


def operation(document: dict[str, Any], described: dict[str, Any]) -> dict[str, Any]:
    parameters = {(p["in"], p["name"]): plain(document, p) for p in described.get("parameters", [])}
    body = described.get("requestBody")
    return {
        "parameters": parameters,
        "body": plain(document, body) if body else None,
        "responses": {status: plain(document, reply) for status, reply in described["responses"].items()},
        "security": described.get("security", []),
    }


def plain(document: dict[str, Any], value: Any, *, names: bool = False) -> Any:
    """``value`` without references and wording; ``names`` where the keys of ``value`` are names and not keywords."""
    if isinstance(value, list):
        items = [plain(document, item) for item in value]
        return sorted(items, key=str) if all(isinstance(item, str) for item in items) else items
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        found: Any = document
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return plain(document, found)
    return {
        key: plain(document, inner, names=key == "properties")
        for key, inner in value.items()
        if names or (key not in WORDING and (key, inner) != ("default", None))
    }
