"""Row labels of charts: kept apart, in order, of bounded length, and with room whatever font a browser has."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

THOUSANDS = "datum.value < 1000 ? format(datum.value, '~r') : format(datum.value / 1000, '~r') + 'k'"
"""A label expression; the number format alone would write zero as 0k."""
_CHARACTER = 6.7
"""Pixels per character at 11 px in the widest common sans-serif; a renderer's own font may be narrower."""


def row_labels(names: Sequence[str], most: int, *, room: int = 0) -> tuple[list[str], dict[str, Any]]:
    """Keys for the rows, and the axis that shows them without the number that keeps them unique and in order.

    Args:
        most: the most columns (a wide character takes two) of a name that are shown.
        room: columns to leave free at least, so that charts below each other line up.
    """
    shown = [shorten(name, most) for name in names]
    widest = max([room, *(columns(name) for name in shown)])
    axis = {"labelExpr": "slice(datum.value, 4)", "labelLimit": 0, "minExtent": round(widest * _CHARACTER) + 10}
    return [f"{position:03d} {name}" for position, name in enumerate(shown)], axis


def shorten(name: str, most: int) -> str:
    """Cut in the middle, where names that differ tend to be alike; control characters become spaces."""
    clean = "".join(" " if unicodedata.category(character) in ("Cc", "Cf") else character for character in name)
    if columns(clean) <= most:
        return clean
    head, tail, room = "", "", most - 1
    for index in range(len(clean)):
        for character, front in ((clean[index], True), (clean[-1 - index], False)):
            if columns(head + tail + character) > room:
                return f"{head}…{tail}"
            head, tail = (head + character, tail) if front else (head, character + tail)
    return f"{head}…{tail}"


def columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def log_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten from ``low`` to ``high``; powers of ten alone where there are many."""
    decades = range(-6, 10)
    fine = [step * 10.0**power for power in decades for step in (1, 2, 5) if low <= step * 10.0**power <= high]
    coarse = [10.0**power for power in decades if low <= 10.0**power <= high]
    return fine if len(fine) <= 7 or len(coarse) < 2 else coarse
