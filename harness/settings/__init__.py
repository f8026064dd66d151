"""Defaults of options: ``[tool.harness]`` in the project's ``pyproject.toml``, and ``HARNESS_*`` variables above it.

What the command line says comes before both::

    [tool.harness]               # every command that has the option
    quiet = true

    [tool.harness.run]           # HARNESS_RUN_PROFILE, HARNESS_RUN_TARGET, …
    profile = "standard"
    target = ["shop.web:app@uvicorn,name=shop", "raw-asgi-uvicorn"]

    [tool.harness.check]         # HARNESS_CHECK_MAX_SLOWER, …
    gate = ["shop json cpu < 120us"]

Keys are the options' names, with ``-`` or ``_``. In a variable, several values are parted by spaces (gates and headers:
by line ends).
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.errors import DeclarationError, nearest
from harness.toml_lines import line_of

COMMANDS = ("run", "load", "versus", "check")
SHARED = ("quiet", "seed")
PREFIX = "HARNESS_"
Defaults = dict[str, dict[str, Any]]
"""Command → the parameter of its function → the value that stands where the command line says nothing."""


def defaults(environment: Mapping[str, str] | None = None, folder: Path | None = None) -> Defaults:
    """What the project and the environment say, checked.

    Raises:
        DeclarationError: the file has an unknown key or a value that is none; with file and line.
        UsageError: the same of a variable.
    """
    variables = _variables(os.environ if environment is None else environment)
    found = _table(folder or Path.cwd())
    if found is None and not variables:
        return {}
    from harness.settings.schema import SCHEMAS, checked, checked_variable

    result: Defaults = {command: {} for command in COMMANDS}
    if found is not None:
        file, text, table = found
        for command, values in _by_command(table, file, text).items():
            result[command] |= checked(SCHEMAS[command], values, file, text, command)
    for name, value in variables.items():
        command, _, key = name.removeprefix(PREFIX).lower().partition("_")
        if command in COMMANDS:
            result[command] |= checked_variable(SCHEMAS[command], name, key, value)
            continue
        for each in COMMANDS:
            if command in SCHEMAS[each].model_fields:
                result[each] |= checked_variable(SCHEMAS[each], name, command, value)
    return result


def _variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Those that set options; the toolkit's services and apps have variables of their own."""
    starts = tuple(f"{PREFIX}{command.upper()}_" for command in COMMANDS)
    exact = {f"{PREFIX}{name.upper()}" for name in SHARED}
    # A command's own comes after the shared ones, and so before them.
    names = sorted(environment, key=lambda name: (name not in exact, name))
    return {name: environment[name] for name in names if name in exact or name.startswith(starts)}


def _table(folder: Path) -> tuple[Path, str, dict[str, Any]] | None:
    """The nearest ``pyproject.toml``, from ``folder`` up, that has a ``[tool.harness]``."""
    for parent in (folder, *folder.parents):
        file = parent / "pyproject.toml"
        if not file.is_file():
            continue
        try:
            text = file.read_text("utf-8")
            table = tomllib.loads(text).get("tool", {}).get("harness")
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise DeclarationError(f"cannot be read: {error}", file=str(file)) from None
        if isinstance(table, dict):
            return file, text, table
    return None


def _by_command(table: Mapping[str, Any], file: Path, text: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {command: {} for command in COMMANDS}
    for key, value in table.items():
        if key in COMMANDS and isinstance(value, dict):
            found[key] |= value
        elif key in SHARED:
            for command in COMMANDS:
                if key != "seed" or command != "check":
                    found[command] = {key: value} | found[command]
        else:
            hint = nearest(key, (*COMMANDS, *SHARED)) or f"[tool.harness] holds {', '.join((*COMMANDS, *SHARED))}"
            raise DeclarationError(
                "unknown key", file=str(file), line=_line(text, "tool.harness", key), key=key, hint=hint
            )
    return found


def _line(text: str, table: str, key: str) -> int | None:
    return line_of(text, (table, key)) or line_of(text, (f"{table}.{key}", ""))
