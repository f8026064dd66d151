"""Throughput or CPU cost of the reference targets at one point: a dot and its interval per target."""

from __future__ import annotations

from typing import Any

from harness.analyse.summary import Cell, Estimate
from harness.model import Metric
from harness.render.charts.labels import THOUSANDS, row_labels
from harness.render.charts.style import mark
from harness.render.charts.svg import Chart, draw
from harness.render.view import Place, View

AXES: dict[Metric, str] = {"throughput": "words.rps", "cpu_cost": "words.cpu"}


def estimate_of(cell: Cell, metric: Metric) -> Estimate | None:
    return cell.throughput_rps if metric == "throughput" else cell.cpu_us


def cells_chart(view: View, place: Place, metric: Metric, key: str) -> Chart | None:
    """``None`` where no reference target has a number at the point."""
    import altair as alt

    rows: list[dict[str, Any]] = []
    for target in view.reference:
        found = view.cell(target.name, place.id)
        estimate = estimate_of(found[1], metric) if found and found[1].status == "ok" else None
        if estimate is None:
            continue
        low = estimate.value if estimate.ci_low is None else estimate.ci_low
        high = estimate.value if estimate.ci_high is None else estimate.ci_high
        row = {"target": target.name, "value": estimate.value, "low": max(0.0, low), "high": high}
        rows.append(row | mark(view.frameworks, target))
    if not rows:
        return None
    keys, labels = row_labels([row["target"] for row in rows], 26)
    for row, unique in zip(rows, keys, strict=True):
        row["target"] = unique
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("target:N", title=None, sort=None, axis=alt.Axis(**labels)),
        stroke=alt.Stroke("stroke:N", scale=None),
    )
    axis = alt.Axis(tickCount=4, labelExpr=THOUSANDS)
    scale = alt.Scale(zero=True, nice=True)
    interval = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title=view.language.text(AXES[metric]), axis=axis, scale=scale), x2="high:Q"
    )
    dots = base.mark_point(size=55, strokeWidth=2, opacity=1).encode(
        x="value:Q", fill=alt.Fill("fill:N", scale=None), shape=alt.Shape("shape:N", scale=None)
    )
    chart = (interval + dots).properties(width=210, height=alt.Step(22))
    title = view.language.text(f"decision.{metric}", title=view.title(place))
    note = view.language.text(f"decision.note_{metric}", scenario=place.scenario, setting=view.setting(place))
    return draw(key, title, note, chart)
