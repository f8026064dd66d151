"""Journeys: plain locustfiles, read without being run, since importing Locust would patch this process.

A locustfile says in constants, all of them optional, what the harness should know of it:

=================  ========================================================================================
``REQUESTS``       class of request → (endpoint, case) of the contract: verified before any load is sent
``CAPABILITIES``   capabilities that a target must have besides, such as ``websocket``
``USERS``          how many users there are at the same time
=================  ========================================================================================
"""

from __future__ import annotations

import ast
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.config import PACKAGED
from harness.errors import DeclarationError, UsageError
from harness.model import Journey, PlannedRequest

DEFAULT_USERS = 16
MAX_USERS = 10_000


class _Declared(BaseModel):
    model_config = ConfigDict(strict=True)

    REQUESTS: dict[str, tuple[str, str]] = {}
    CAPABILITIES: tuple[str, ...] = ()
    USERS: Annotated[int, Field(ge=1, le=MAX_USERS)] = DEFAULT_USERS


def find_journeys(folder: Path | None = None) -> dict[str, Journey]:
    """Name → journey: those of the package, and then those of ``scenarios/`` in ``folder`` (the working directory).

    Raises:
        DeclarationError: one cannot be read.
    """
    journeys: dict[str, Journey] = {}
    for directory in dict.fromkeys([PACKAGED / "scenarios", (folder or Path.cwd()) / "scenarios"]):
        for file in sorted(directory.glob("*.py")):
            if not file.name.startswith("_") and (journey := read_journey(file)) is not None:
                journeys[journey.name] = journey
    return journeys


def journey_of(path: str, users: int | None = None) -> Journey:
    """The journey of a locustfile of the user's own.

    Raises:
        UsageError: there is no such file, or it is not a locustfile.
    """
    file = Path(path)
    if not file.is_file():
        raise UsageError(f"--locustfile {path}: there is no such file")
    journey = read_journey(file)
    if journey is None:
        raise UsageError(f"--locustfile {path}: it does not import locust", hint="see https://docs.locust.io")
    return journey if users is None else replace(journey, users=users)


def read_journey(file: Path) -> Journey | None:
    """The journey in a locustfile; ``None`` where the file does not import Locust.

    Raises:
        DeclarationError: it is not Python, or one of its constants is wrong.
    """
    try:
        text = file.read_text("utf-8")
        tree = ast.parse(text)
    except (OSError, UnicodeDecodeError, SyntaxError, ValueError) as error:
        line = error.lineno if isinstance(error, SyntaxError) else None
        raise DeclarationError(f"cannot be read: {error}", file=str(file), line=line) from None
    if not any(_imports_locust(node) for node in ast.walk(tree)):
        return None
    declared, lines = _constants(tree, file)
    try:
        values = _Declared.model_validate(declared)
    except ValidationError as error:
        fault = error.errors()[0]
        name = str(fault["loc"][0])
        raise DeclarationError(str(fault["msg"]), file=str(file), line=lines.get(name), key=name) from None
    return Journey(
        name=file.stem,
        title=(ast.get_docstring(tree) or file.stem).splitlines()[0].rstrip("."),
        file=str(file.resolve()),
        digest=hashlib.sha256(text.encode()).hexdigest(),
        users=values.USERS,
        requests=tuple(PlannedRequest(endpoint, case) for endpoint, case in values.REQUESTS.values()),
        capabilities=values.CAPABILITIES,
    )


def _imports_locust(node: ast.AST) -> bool:
    if isinstance(node, ast.Import):
        return any(alias.name.split(".")[0] == "locust" for alias in node.names)
    return isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "locust"


def _constants(tree: ast.Module, file: Path) -> tuple[dict[str, object], dict[str, int]]:
    values: dict[str, object] = {}
    lines: dict[str, int] = {}
    for node in tree.body:
        match node:
            case ast.Assign([ast.Name(name)], value) | ast.AnnAssign(ast.Name(name), _, ast.expr() as value):
                pass
            case _:
                continue
        if name in _Declared.model_fields:
            lines[name] = node.lineno
            try:
                values[name] = ast.literal_eval(value)
            except ValueError:
                raise DeclarationError(
                    "must be written out, since it is read without running the file",
                    file=str(file), line=node.lineno, key=name,
                ) from None  # fmt: skip
    return values, lines
