"""What several commands read from their options: durations, and contents that may stand in a file."""

from __future__ import annotations

import math
from pathlib import Path

from harness.errors import UsageError
from harness.units import parse_duration


def seconds(option: str, text: str) -> float:
    """The duration that ``text`` says; ``option`` is named where it says none.

    Raises:
        UsageError: it is no duration.
    """
    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None


def content(option: str, text: str) -> bytes:
    """``text`` itself, or the bytes of the file that is named after an ``@``.

    Raises:
        UsageError: the file cannot be read.
    """
    if not text.startswith("@"):
        return text.encode()
    try:
        return Path(text[1:]).read_bytes()
    except OSError as error:
        raise UsageError(f"{option} {text}: {error.strerror}", hint="after @ stands the name of a file") from None


def share(option: str, text: str) -> float | None:
    """0.03 from ``3%`` or ``0.03``; ``None`` from nothing.

    Raises:
        UsageError: it is no share, or below zero.
    """
    if not text:
        return None
    try:
        value = float(text.rstrip("%")) / 100 if text.endswith("%") else float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise UsageError(f"{option} {text!r} is no share", hint="write 3%")
    return value
