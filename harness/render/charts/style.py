"""How every chart looks: placeholder colours that become CSS variables, fonts, axes, and marks per target."""

from __future__ import annotations

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


def hue(frameworks: tuple[str, ...], framework: str) -> str:
    """The placeholder of a framework's hue; past the eighth framework hues repeat, and names tell them apart."""
    number = frameworks.index(framework) % HUES if framework in frameworks else 0
    return f"#f1f10{number}"


def fill(colour: str, interface: Interface) -> str:
    """Filled for ``asgi``, hollow for ``wsgi`` and ``native`` (whose shape differs)."""
    return colour if interface == "asgi" else PAPER


def mark(frameworks: tuple[str, ...], target: Target) -> dict[str, Any]:
    """The columns that a target's rows carry: ``stroke``, ``fill`` and ``shape``."""
    colour = hue(frameworks, target.framework)
    shape = "diamond" if target.interface == "native" else "circle"
    return {"stroke": colour, "fill": fill(colour, target.interface), "shape": shape}


def config() -> dict[str, Any]:
    """The ``config`` block of a Vega-Lite specification."""
    axis = {
        "domainColor": MUTED,
        "gridColor": GRID,
        "labelColor": INK,
        "labelFont": FONT,
        "labelFontSize": 11,
        "tickColor": GRID,
        "tickSize": 4,
        "titleColor": MUTED,
        "titleFont": FONT,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
    }
    return {
        "aria": False,
        "background": "transparent",
        "font": FONT,
        "view": {"stroke": None},
        "axis": axis,
        "axisY": {"domain": False, "ticks": False, "labelPadding": 8},
        "legend": {"labelColor": INK, "labelFont": FONT, "labelFontSize": 11, "symbolStrokeColor": INK},
        "text": {"color": INK, "font": FONT, "fontSize": 11},
    }
