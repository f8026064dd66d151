"""CPU per request by layer: a stacked bar for each target."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.charts.rows import Marks, rows_chart
from harness.report.charts.style import BAND, PAPER, VARIABLES
from harness.report.charts.svg import Chart, channel
from harness.report.view import View
from harness.results.summary import Layer, ProfileResult

OUTSIDE: Layer = "outside"


def profile_chart(view: View, found: Sequence[ProfileResult], layers: Sequence[Layer], title: str) -> Chart:
    """Args:
    layers: in the order in which they are stacked; each has a hue of its own, and what is outside Python none.
    """
    text = view.language.text
    hues = [colour for colour, name in VARIABLES.items() if name.startswith("--hue-")]
    colours = [BAND if layer == OUTSIDE else hues[number] for number, layer in enumerate(layers)]
    names = [text(f"profile.{layer}") for layer in layers]
    rows = [
        {"row": row, "layer": name, "order": order, "us": each.layers.get(layer, 0.0)}
        for row, each in enumerate(found)
        for order, (layer, name) in enumerate(zip(layers, names, strict=True))
    ]
    x = channel("us:Q", title=text("words.cpu"), stack="zero", axis={"tickCount": 6, "format": "~r"})
    legend = {"orient": "top", "title": None, "columns": 3, "labelLimit": 0, "symbolStrokeWidth": 0}
    fill = channel("layer:N", scale={"domain": names, "range": colours}, legend=legend)
    bars: Marks = "bar", {"height": 15, "stroke": PAPER, "strokeWidth": 1}, {"x": x, "order": "order:Q", "fill": fill}
    words = "profile-chart", title, text("profile.chart", layers=", ".join(names))
    return rows_chart(words, [view.name(each.target) for each in found], rows, [bars], most=32, width=440, step=26)
