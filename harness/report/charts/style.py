"""How every chart looks: placeholder colours that become CSS variables, fonts, axes, marks per target, and labels that
do not overlap: in order, of bounded length, and with room whatever font a browser has."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from typing import Any

from harness.model import Interface, Target

HUES = 8
INK, MUTED, GRID, PAPER, BAND = "#0f0f01", "#0f0f02", "#0f0f03", "#0f0f04", "#0f0f05"
FONT = "system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', Arial, sans-serif"

VARIABLES: dict[str, str] = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--grid",
    PAPER: "--paper",
    BAND: "--band",
    **{f"#f1f10{number}": f"--hue-{number}" for number in range(HUES)},
}
"""Placeholder → CSS variable; the placeholders are colours that no theme uses."""

DASH: dict[Interface, list[int]] = {"asgi": [1, 0], "wsgi": [5, 3], "native": [1, 3]}
THOUSANDS = "datum.value < 1000 ? format(datum.value, '~r') : format(datum.value / 1000, '~r') + 'k'"
"""A label expression; the number format alone would write zero as 0k."""
LINE = 13
"""Pixels between the labels of two lines that end close to each other."""
_CHARACTER = 6.7
"""Pixels per character at 11 px in the widest common sans-serif; a renderer's own font may be narrower."""
_LABELS: dict[str, Any] = {"labelColor": INK, "labelFont": FONT, "labelFontSize": 11}
CONFIG: dict[str, Any] = {
    "aria": False,
    "background": "transparent",
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        **_LABELS,
        "domainColor": MUTED,
        "gridColor": GRID,
        "tickColor": GRID,
        "tickSize": 4,
        "titleColor": MUTED,
        "titleFont": FONT,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
    },
    "axisY": {"domain": False, "ticks": False, "labelPadding": 8},
    "legend": {**_LABELS, "symbolStrokeColor": INK},
    "text": {"color": INK, "font": FONT, "fontSize": 11},
}
"""The ``config`` block of every Vega-Lite specification."""


def hue_number(frameworks: Sequence[str], target: Target) -> int:
    """Of its framework; past the eighth hues repeat, and names distinguish them."""
    return frameworks.index(target.framework) % HUES if target.framework in frameworks else 0


def look(frameworks: Sequence[str], target: Target) -> dict[str, str]:
    """The columns that a target's rows carry: ``stroke``, ``fill`` and ``shape``.

    Filled for ``asgi``, hollow for ``wsgi`` and ``native`` (whose shape differs).
    """
    colour = f"#f1f10{hue_number(frameworks, target)}"
    shape = "diamond" if target.interface == "native" else "circle"
    return {"stroke": colour, "fill": colour if target.interface == "asgi" else PAPER, "shape": shape}


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


def spread(ends: Sequence[dict[str, Any]], domain: tuple[float, float], height: float) -> list[dict[str, Any]]:
    """Ends of lines at ``y`` of a log axis of so many pixels, moved apart until no label covers another.

    Upwards, and from the top of the axis down again.
    """
    step = math.exp(math.log(domain[1] / domain[0]) * LINE / height)
    placed = sorted((row for row in ends if row["y"] > 0), key=lambda row: row["y"])
    level = 0.0
    for index, row in enumerate(placed):
        placed[index] = row | {"y": max(row["y"], level)}
        level = placed[index]["y"] * step
    level = domain[1]
    for index in reversed(range(len(placed))):
        placed[index] = placed[index] | {"y": min(placed[index]["y"], level)}
        level = placed[index]["y"] / step
    return placed
