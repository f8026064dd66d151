"""Which options may have defaults, of what type, and under which name the command's function takes them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.errors import DeclarationError, UsageError, nearest
from harness.toml_lines import line_of


class Settings(BaseModel):
    """Options without a default here are ``None``: they are left to the command."""

    model_config = ConfigDict(extra="forbid")
    parameters: ClassVar[Mapping[str, str]] = {}
    """Option → the function's parameter, where it is called otherwise."""
    by_line: ClassVar[tuple[str, ...]] = ("header", "gate")
    quiet: bool | None = None


class RunSettings(Settings):
    parameters: ClassVar[Mapping[str, str]] = {"target": "targets", "scenario": "scenarios"}
    target: list[str] | None = None
    scenario: list[str] | None = None
    profile: str | None = None
    budget: str | None = None
    seed: int | None = None
    name: str | None = None


class LoadSettings(Settings):
    parameters: ClassVar[Mapping[str, str]] = {"header": "headers", "cpu": "cpus"}
    connections: int | None = None
    duration: str | None = None
    rate: float | None = None
    arrivals: str | None = None
    header: list[str] | None = None
    timeout: str | None = None
    processes: int | None = None
    cpu: list[int] | None = None
    seed: int | None = None


class VersusSettings(Settings):
    parameters: ClassVar[Mapping[str, str]] = {"header": "headers"}
    path: str | None = None
    scenario: str | None = None
    header: list[str] | None = None
    concurrency: int | None = None
    metric: str | None = None
    budget: str | None = None
    fail_if_slower: str | None = None
    control: bool | None = None
    seed: int | None = None


class CheckSettings(Settings):
    parameters: ClassVar[Mapping[str, str]] = {"gate": "gates"}
    gate: list[str] | None = None
    against: str | None = None
    max_slower: str | None = None
    max_p99: str | None = None
    anchor: str | None = None
    strict: bool | None = None


SCHEMAS: Mapping[str, type[Settings]] = {
    "run": RunSettings,
    "load": LoadSettings,
    "versus": VersusSettings,
    "check": CheckSettings,
}


def checked(schema: type[Settings], values: Mapping[str, Any], file: Path, text: str, command: str) -> dict[str, Any]:
    """The parameters that a table of the file gives.

    Raises:
        DeclarationError: an unknown key, or a value of another type.
    """
    named = {key.replace("-", "_"): (key, value) for key, value in values.items()}
    try:
        found = schema.model_validate({name: value for name, (_, value) in named.items()}, strict=True)
    except ValidationError as error:
        fault = error.errors()[0]
        key = named[str(fault["loc"][0])][0]
        message, hint = f"{fault['msg']}, not {fault['input']!r}", ""
        if fault["type"] == "extra_forbidden":
            message, hint = _unknown(schema, key)
        table = f"tool.harness.{command}"
        line = line_of(text, (table, key)) or line_of(text, ("tool.harness", key))
        raise DeclarationError(message, file=str(file), line=line, key=f"{table}.{key}", hint=hint) from None
    return _parameters(found)


def checked_variable(schema: type[Settings], name: str, key: str, value: str) -> dict[str, Any]:
    """The parameter that a ``HARNESS_*`` variable gives; none where it is empty.

    Raises:
        UsageError: no option is called so, or it takes another type.
    """
    if not value:
        return {}
    field = schema.model_fields.get(key)
    if field is None:
        message, hint = _unknown(schema, key)
        raise UsageError(f"{name}: {message}", hint=hint)
    listed = "list" in str(field.annotation)
    parts = value.splitlines() if key in schema.by_line else value.split()
    try:
        found = schema.model_validate({key: parts if listed else value})
    except ValidationError as error:
        raise UsageError(f"{name}: {error.errors()[0]['msg']}, not {value!r}") from None
    return _parameters(found)


def _unknown(schema: type[Settings], key: str) -> tuple[str, str]:
    known = [name.replace("_", "-") for name in schema.model_fields]
    return "unknown option", nearest(key.replace("_", "-"), known) or f"known are {', '.join(known)}"


def _parameters(found: Settings) -> dict[str, Any]:
    given = found.model_dump(exclude_none=True)
    return {found.parameters.get(name, name): value for name, value in given.items()}
