"""Throughput against concurrency (or the wait, where one concurrency was measured), beside what capacity allows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from harness.analyse.predict import model_rps as model
from harness.analyse.summary import Cell
from harness.model import Target
from harness.render.charts.labels import log_ticks
from harness.render.charts.style import DASH, MUTED, fill, hue
from harness.render.charts.svg import Chart, draw
from harness.render.view import Place, View

WIDTH, HEIGHT = 230, 190
_LINE = 13
"""Pixels between the labels of two lines that end close to each other."""

Rows = list[dict[str, Any]]


def model_rps(view: View, target: Target, place: Place, cell: Cell) -> float | None:
    """The model line at one cell, in requests per second, with the cell's own CPU cost as service."""
    if cell.cpu_us is None or cell.cpu_us.value <= 0:
        return None
    return model(target, place.wait_s, place.concurrency, cell.cpu_us.value, view.server_cpus)


def sweep_charts(view: View, targets: Sequence[Target], places: Sequence[Place]) -> tuple[Chart, ...]:
    """One panel per target with a number at any of the points, all on the same axes."""
    by_wait = len({place.concurrency for place in places}) == 1
    panels = [(target, *_rows(view, target, places, by_wait)) for target in targets]
    values = [row["y"] for _, measured, model in panels for row in (*measured, *model) if row["y"] > 0]
    if not values:
        return ()
    domain = min(values) / 1.4, max(values) * 1.4
    return tuple(
        _panel(view, target, measured, model, places, domain, f"wait-{number}")
        for number, (target, measured, model) in enumerate(panels)
        if measured
    )


def _rows(view: View, target: Target, places: Sequence[Place], by_wait: bool) -> tuple[Rows, Rows]:
    measured: Rows = []
    model: Rows = []
    for place in places:
        found = view.cell(target.name, place.id)
        if not found or found[1].status != "ok" or found[1].throughput_rps is None:
            continue
        wait = f"{place.wait_s * 1e3:g}"
        shared = {"x": wait if by_wait else place.concurrency, "series": "" if by_wait else f"{wait} ms"}
        measured.append(shared | {"y": found[1].throughput_rps.value})
        line = model_rps(view, target, place, found[1])
        if line is not None:
            model.append(shared | {"y": line})
    return measured, model


def _panel(
    view: View,
    target: Target,
    measured: Rows,
    model: Rows,
    places: Sequence[Place],
    domain: tuple[float, float],
    key: str,
) -> Chart:
    import altair as alt

    scale = alt.Scale(type="log", domain=domain, nice=False)
    ticks = alt.Axis(values=log_ticks(*domain), format="~s")
    y = alt.Y("y:Q", scale=scale, title=view.language.text("words.rps"), axis=ticks)
    counts = sorted({place.concurrency for place in places})
    by_wait = len(counts) == 1
    if by_wait:
        waits = list(dict.fromkeys(f"{place.wait_s * 1e3:g}" for place in places))
        x: Any = alt.X("x:O", sort=waits, title=view.language.text("waits.axis"), axis=alt.Axis(labelAngle=0))
    else:
        x_scale = alt.Scale(type="log", domain=[counts[0] / 1.2, counts[-1] * _room(counts)], nice=False)
        x = alt.X(
            "x:Q",
            scale=x_scale,
            title=view.language.text("words.connections"),
            axis=alt.Axis(values=counts, format="d"),
        )
    colour = hue(view.frameworks, target.framework)
    drawn = alt.Chart(alt.InlineData(values=measured)).encode(x=x, y=y, detail="series:N")
    allowed = alt.Chart(alt.InlineData(values=model)).encode(x=x, y=y, detail="series:N")
    layers = [
        allowed.mark_line(stroke=MUTED, strokeWidth=1, strokeDash=[2, 2]),
        drawn.mark_line(stroke=colour, strokeWidth=2, strokeDash=DASH[target.interface]),
        drawn.mark_point(stroke=colour, fill=fill(colour, target.interface), size=36, strokeWidth=2, opacity=1),
    ]
    if not by_wait:
        furthest = max(row["x"] for row in measured)
        ends = spread([row for row in measured if row["x"] == furthest], domain)
        layers.append(
            alt.Chart(alt.InlineData(values=ends)).mark_text(align="left", dx=7).encode(x=x, y=y, text="series:N")
        )
    along = "waits.chart_waits" if by_wait else "waits.chart_connections"
    note = view.language.text(along, interface=target.interface, capacity=target.capacity)
    return draw(key, target.name, note, alt.layer(*layers).properties(width=WIDTH, height=HEIGHT))


def _room(counts: Sequence[int]) -> float:
    """The factor by which the log axis goes on past the last count, a fifth of its length, for the lines' labels."""
    return max(1.3, float((counts[-1] / counts[0]) ** 0.25))


def spread(ends: Rows, domain: tuple[float, float]) -> Rows:
    """The lines' ends, moved apart until no label covers another: upwards, and from the top of the axis down again."""
    step = math.exp(math.log(domain[1] / domain[0]) * _LINE / HEIGHT)
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
