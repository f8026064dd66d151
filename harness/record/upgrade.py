"""Files of older schemas, brought up to the present one while they are read; what is on disk stays as it was.

======  ========================================================================================================
schema  what it brought
======  ========================================================================================================
1       the first
2       ``writer`` and ``packages`` in the manifest: the toolkit's version, and what is installed where a target has
        an interpreter of its own
======  ========================================================================================================

A change that an old reader cannot understand, or that a new one cannot do without, makes a new schema and one more
function here. The fixtures under ``tests/data`` hold a run of each.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.errors import SchemaError

SCHEMA = 2

Document = dict[str, Any]


def upgraded(value: object, path: Path) -> Document:
    """The document in the present schema.

    Raises:
        SchemaError: it says no schema, or one that is newer than this version reads.
    """
    schema = value.get("schema") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        raise SchemaError(f"{path} says no schema version: it is not a file of this toolkit")
    if schema > SCHEMA:
        raise SchemaError(
            f"{path} has schema {schema}; this version reads up to {SCHEMA}",
            hint=f"install the version that wrote it, or a later one: {_install(value.get('writer'))}",
        )
    document: Document = value
    for step in range(schema, SCHEMA):
        document = {**STEPS[step](document), "schema": step + 1}
    return document


def _install(writer: object) -> str:
    if isinstance(writer, str) and writer and all(part.isalnum() for part in writer.replace("+", ".").split(".")):
        return f"pip install 'web-harness>={writer}'"
    return "pip install --upgrade web-harness"


def _first_to_second(document: Document) -> Document:
    """Only manifests change: a record of a slot or a window has no plan."""
    if "plan" not in document:
        return document
    versions = document.get("versions")
    writer = versions.get("web-harness", "") if isinstance(versions, dict) else ""
    return {**document, "writer": writer, "packages": {}}


STEPS: dict[int, Callable[[Document], Document]] = {1: _first_to_second}
"""Schema → the step to the next."""
