"""CPU per request with nothing, the request, and everything validated: one line per target, one mark per step."""

from __future__ import annotations

from collections.abc import Sequence

from harness.render.charts.labels import row_labels
from harness.render.charts.style import PAPER, mark
from harness.render.charts.svg import Chart, draw
from harness.render.view import Place, View

SHAPES = {"circle": "○", "square": "□", "triangle-up": "△", "diamond": "◇", "triangle-down": "▽", "cross": "+"}
"""Shape of a step's mark → the character that stands for it in the description."""


def validation_chart(view: View, places: Sequence[Place], title: str, key: str) -> Chart | None:
    """``None`` where no reference target has a number at any of the points.

    Args:
        places: the steps, in order; all at one payload size and concurrency.
    """
    import altair as alt

    steps = list(dict.fromkeys(place.scenario for place in places))
    rows = []
    for target in view.reference:
        for place in places:
            found = view.cell(target.name, place.id)
            if not found or found[1].status != "ok" or found[1].cpu_us is None:
                continue
            estimate = found[1].cpu_us
            rows.append(
                {
                    "target": target.name,
                    "step": place.scenario,
                    "value": estimate.value,
                    "low": estimate.value if estimate.ci_low is None else max(0.0, estimate.ci_low),
                    "high": estimate.value if estimate.ci_high is None else estimate.ci_high,
                    "stroke": mark(view.frameworks, target)["stroke"],
                }
            )
    if not rows:
        return None
    names = list(dict.fromkeys(str(row["target"]) for row in rows))
    keys, labels = row_labels(names, 32)
    for row in rows:
        row["target"] = keys[names.index(str(row["target"]))]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("target:N", title=None, sort=None, axis=alt.Axis(**labels))
    )
    colour = alt.Stroke("stroke:N", scale=None)
    axis = alt.Axis(tickCount=6, format="~r")
    link = base.mark_line(strokeWidth=1.2, opacity=0.7).encode(
        x=alt.X("value:Q", title=view.language.text("words.cpu"), axis=axis, scale=alt.Scale(zero=True)),
        detail="target:N",
        stroke=colour,
    )
    interval = base.mark_rule(strokeWidth=4, opacity=0.45).encode(x="low:Q", x2="high:Q", stroke=colour)
    chosen = [list(SHAPES)[i % len(SHAPES)] for i in range(len(steps))]
    shapes = alt.Scale(domain=steps, range=chosen)
    dots = base.mark_point(size=60, strokeWidth=2, opacity=1, fill=PAPER).encode(
        x="value:Q", shape=alt.Shape("step:N", scale=shapes, legend=None), stroke=colour
    )
    chart = (link + interval + dots).properties(width=440, height=alt.Step(26))
    legend = ", ".join(f"{SHAPES[shape]} {step}" for shape, step in zip(chosen, steps, strict=True))
    return draw(key, title, view.language.text("validation.chart", legend=legend), chart)
