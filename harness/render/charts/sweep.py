"""Throughput against concurrency (or the wait, where one concurrency was measured), beside what capacity allows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.analyse.predict import predicted_throughput
from harness.analyse.summary import Cell
from harness.model import Target
from harness.render.charts.style import DASH, MUTED, hue
from harness.render.charts.svg import Chart, draw
from harness.render.view import Place, View


def model_rps(view: View, target: Target, place: Place, cell: Cell) -> float | None:
    """The model line at one cell, in requests per second, with the cell's own CPU cost as service."""
    if cell.cpu_us is None or cell.cpu_us.value <= 0:
        return None
    return predicted_throughput(
        place.wait_s,
        cell.cpu_us.value / 1e6,
        target.workers,
        target.threads,
        place.concurrency,
        target.interface == "wsgi",
        cpus=view.server_cpus or target.workers,
    )


def sweep_chart(view: View, target: Target, places: Sequence[Place], key: str) -> Chart | None:
    """``None`` where the target has no number at any of the points."""
    import altair as alt

    by_wait = len({place.concurrency for place in places}) == 1
    measured: list[dict[str, Any]] = []
    model: list[dict[str, Any]] = []
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
    if not measured:
        return None
    values = [row["y"] for row in (*measured, *model) if row["y"] > 0]
    y_scale = alt.Scale(type="log", domain=[min(values) / 1.5, max(values) * 1.5], nice=False)
    y = alt.Y("y:Q", scale=y_scale, title="requests per second", axis=alt.Axis(tickCount=4, format="~s"))
    if by_wait:
        order = list(dict.fromkeys(row["x"] for row in measured))
        x: Any = alt.X("x:O", sort=order, title="I/O wait, ms", axis=alt.Axis(labelAngle=0))
    else:
        counts = sorted({row["x"] for row in measured})
        x_scale = alt.Scale(type="log", domain=[counts[0] / 1.2, counts[-1] * 2.4], nice=False)
        x = alt.X("x:Q", scale=x_scale, title="connections", axis=alt.Axis(values=counts, format="d"))
    colour = hue(view.frameworks, target.framework)
    drawn = alt.Chart(alt.InlineData(values=measured)).encode(x=x, y=y, detail="series:N")
    layers = [
        alt.Chart(alt.InlineData(values=model))
        .mark_line(stroke=MUTED, strokeWidth=1, strokeDash=[2, 2])
        .encode(x=x, y=y, detail="series:N"),
        drawn.mark_line(stroke=colour, strokeWidth=2, strokeDash=DASH[target.interface]),
        drawn.mark_point(
            stroke=colour, fill=colour if target.interface == "asgi" else "#0f0f04", size=36, strokeWidth=2, opacity=1
        ),
    ]
    if not by_wait:
        furthest = max(row["x"] for row in measured)
        ends = [row for row in measured if row["x"] == furthest]
        labels = alt.Chart(alt.InlineData(values=ends)).mark_text(align="left", dx=7).encode(x=x, y=y, text="series:N")
        layers.append(labels)
    chart = alt.layer(*layers).properties(width=230, height=180)
    against = "I/O wait" if by_wait else "connections, a line per I/O wait"
    note = f"{target.interface}, {target.capacity}: throughput against {against}; dotted: what capacity allows."
    return draw(key, target.name, note, chart)
