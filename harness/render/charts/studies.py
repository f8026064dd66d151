"""Charts of load on one target alone: marks on a logarithmic axis of milliseconds, and lines per target."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from harness.model import Target
from harness.render.charts.labels import log_ticks, row_labels, shorten
from harness.render.charts.style import DASH, MUTED, fill, hue, mark
from harness.render.charts.svg import Chart, draw
from harness.render.charts.sweep import spread
from harness.render.view import View

WIDTH, HEIGHT = 320, 200
LABEL = 24
ROOM = 150
"""Pixels to the right of the lines for the names of their targets."""

Line = tuple[Target, Sequence[tuple[float, float]]]


def moved_chart(
    view: View,
    rows: Sequence[tuple[Target, float, float]],
    bounds: tuple[float, float],
    text: tuple[str, str, str, str],
) -> Chart:
    """A row per target: a hollow mark for before, a filled one for after, and the way between them.

    Args:
        rows: target, milliseconds before and after.
        bounds: of the axis, in milliseconds.
        text: key, title, description, axis title.
    """
    import altair as alt

    key, title, note, axis_title = text
    keys, labels = row_labels([target.name for target, _, _ in rows], 26)
    data = [
        {"target": unique, "before": before, "after": after} | mark(view.frameworks, target)
        for unique, (target, before, after) in zip(keys, rows, strict=True)
    ]
    scale = alt.Scale(type="log", domain=list(bounds), nice=False)
    axis = alt.Axis(values=log_ticks(*bounds), format="~r")
    base = alt.Chart(alt.InlineData(values=data)).encode(
        y=alt.Y("target:N", title=None, sort=None, axis=alt.Axis(**labels)), stroke=alt.Stroke("stroke:N", scale=None)
    )
    way = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("before:Q", title=axis_title, scale=scale, axis=axis), x2="after:Q"
    )
    first = base.mark_tick(thickness=2, size=12).encode(x=alt.X("before:Q", scale=scale))
    second = base.mark_point(size=55, strokeWidth=2, opacity=1).encode(
        x=alt.X("after:Q", scale=scale), fill=alt.Fill("fill:N", scale=None), shape=alt.Shape("shape:N", scale=None)
    )
    return draw(key, title, note, (way + first + second).properties(width=230, height=alt.Step(22)))


def lines_chart(
    view: View,
    lines: Sequence[Line],
    text: tuple[str, str, str, str, str],
    *,
    x_values: Sequence[tuple[float, str]] = (),
    bound: float | None = None,
) -> Chart | None:
    """A line per target on a logarithmic axis of milliseconds, its name at the end; ``None`` without a point.

    Args:
        lines: target and (x, milliseconds).
        text: key, title, description, titles of the x and y axes.
        x_values: ticks of the x axis and their labels; a logarithmic axis of plain numbers without them.
        bound: milliseconds at which a line is drawn across.
    """
    import altair as alt

    key, title, note, x_title, y_title = text
    points = [point for _, line in lines for point in line if point[0] > 0 and point[1] > 0]
    if not points:
        return None
    high = max([y for _, y in points] + ([bound] if bound else [])) * 1.3
    domain = min(y for _, y in points) / 1.3, high
    xs = [x for x, _ in points] + [x for x, _ in x_values]
    x_scale = alt.Scale(type="log", domain=[min(xs) / 1.05, max(xs) * 1.05], nice=False)
    if x_values:
        cases = " : ".join(f"abs(datum.value / {x} - 1) < 1e-6 ? '{label}'" for x, label in x_values)
        x_axis = alt.Axis(values=[x for x, _ in x_values], labelExpr=f"{cases} : ''")
    else:
        x_axis = alt.Axis(values=log_ticks(min(xs), max(xs)), format="~s")
    x = alt.X("x:Q", title=x_title, scale=x_scale, axis=x_axis)
    y_axis = alt.Axis(values=log_ticks(*domain), format="~r")
    y = alt.Y("y:Q", title=y_title, scale=alt.Scale(type="log", domain=list(domain), nice=False), axis=y_axis)
    layers: list[Any] = []
    if bound is not None:
        rule = alt.Chart(alt.InlineData(values=[{"y": bound}]))
        layers.append(rule.mark_rule(stroke=MUTED, strokeDash=[2, 2]).encode(y=y))
    ends = []
    for target, line in lines:
        data = [{"x": a, "y": b} for a, b in line if a > 0 and b > 0]
        if not data:
            continue
        colour = hue(view.frameworks, target.framework)
        base = alt.Chart(alt.InlineData(values=data)).encode(x=x, y=y)
        layers.append(base.mark_line(stroke=colour, strokeWidth=2, strokeDash=DASH[target.interface]))
        layers.append(
            base.mark_point(stroke=colour, fill=fill(colour, target.interface), size=26, strokeWidth=1.6, opacity=1)
        )
        ends.append({**data[-1], "x": max(xs), "name": shorten(target.name, LABEL)})
    named = alt.Chart(alt.InlineData(values=spread(ends, domain)))
    layers.append(named.mark_text(align="left", dx=10).encode(x=x, y=y, text="name:N"))
    # The names stand outside of the axes, and the drawing has to end behind them.
    blank = alt.Chart(alt.InlineData(values=[{"x": max(xs), "y": math.sqrt(domain[0] * domain[1])}]))
    layers.append(blank.mark_text(text=" ", dx=ROOM).encode(x=x, y=y))
    return draw(key, title, note, alt.layer(*layers).properties(width=WIDTH, height=HEIGHT))
