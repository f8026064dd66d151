"""The project that a command runs in: ``[tool.harness]`` of its ``pyproject.toml``, and the line of a key in it."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.errors import DeclarationError

TABLE = ("tool", "harness")
_CLOSINGS = ("", "]", "]]", "]]]")


def read_text(file: Path) -> str:
    """Raises ``DeclarationError`` where it cannot be read."""
    try:
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DeclarationError(f"cannot be read: {error}", file=str(file)) from None


def read_toml(file: Path) -> tuple[str, dict[str, Any]]:
    """Its text, and what that says.

    Raises:
        DeclarationError: it cannot be read, or is not TOML.
    """
    text = read_text(file)
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DeclarationError(f"not valid TOML: {error}", file=str(file), hint="see https://toml.io") from None


def project_table(folder: Path) -> tuple[str, str, dict[str, Any]]:
    """File, text and ``[tool.harness]`` of the nearest ``pyproject.toml`` that has one, from ``folder`` up.

    Raises:
        DeclarationError: one on the way cannot be read, or is not TOML.
    """
    for parent in (folder, *folder.parents):
        file = parent / "pyproject.toml"
        if not file.is_file():
            continue
        text, document = read_toml(file)
        table = document.get(TABLE[0], {}).get(TABLE[1])
        if isinstance(table, dict):
            return str(file), text, table
    return "", "", {}


def line_of(text: str, location: Sequence[int | str]) -> int | None:
    """The line (from 1) of a TOML text where the value at ``location`` begins, or the nearest one around it; else none.

    ``("target", 2, "workers")`` is the key ``workers`` of the third ``[[target]]``. The line is the first one up to
    which the text, with its open arrays closed, has the key.
    """
    lines = text.splitlines()
    for depth in range(len(location), 0, -1):
        if not _holds(text, location[:depth]):
            continue
        for number in range(1, len(lines)):
            before = "\n".join(lines[:number])
            if any(_holds(before + closing, location[:depth]) for closing in _CLOSINGS):
                return number
        return len(lines)
    return None


def _holds(text: str, location: Sequence[int | str]) -> bool:
    try:
        here: Any = tomllib.loads(text)
        for step in location:
            here = here[step]
    except (tomllib.TOMLDecodeError, KeyError, IndexError, TypeError):
        return False
    return True
