"""One TOML file, read and validated; what is wrong is told with file, line and key."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from harness.declare.files import ScenarioFile, TargetsFile
from harness.errors import DeclarationError
from harness.model import Target
from harness.toml_lines import line_of

Model = TypeVar("Model", bound=BaseModel)


def read_scenario(file: Path) -> ScenarioFile:
    """Raises ``DeclarationError``, with file, line and key."""
    return _validated(ScenarioFile, file)


def read_targets(file: Path) -> tuple[dict[str, Target], TargetsFile]:
    declared = _validated(TargetsFile, file)
    targets: dict[str, Target] = {}
    for entry in declared.target:
        if entry.name in targets:
            raise DeclarationError(f"{entry.name!r} is declared twice", file=str(file), key="target.name")
        targets[entry.name] = entry.model()
    names = [ladder.name for ladder in declared.ladder]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise DeclarationError(f"{twice!r} is declared twice", file=str(file), key="ladder.name")
    return targets, declared


def _validated(model: type[Model], file: Path) -> Model:
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DeclarationError(f"cannot be read: {error}", file=str(file)) from None
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DeclarationError(f"not valid TOML: {error}", file=str(file), hint="see https://toml.io") from None
    try:
        return model.model_validate(document)
    except ValidationError as error:
        fault = error.errors()[0]
        location = tuple(fault["loc"])
        message = str(fault["msg"])
        if fault["type"] == "extra_forbidden":
            message = "unknown key; expected one of " + ", ".join(sorted(_keys_at(model, location[:-1])))
        elif "input" in fault and not isinstance(fault["input"], dict | list):
            message += f", not {fault['input']!r}"
        raise DeclarationError(
            message, file=str(file), line=line_of(text, location), key=".".join(map(str, location))
        ) from None


def _keys_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """The keys accepted at a place of the document."""
    for step in location:
        if isinstance(step, int):
            continue
        annotation: Any = model.model_fields[step].annotation
        inner = [part for part in getattr(annotation, "__args__", ()) if isinstance(part, type)]
        if not inner or not issubclass(inner[0], BaseModel):
            return []
        model = inner[0]
    return list(model.model_fields)
