"""The ratio of two targets' throughput along the I/O wait: a panel per pair, with the crossover as an interval."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from harness.analyse.summary import ContrastResult, Crossover
from harness.render.charts.labels import log_ticks
from harness.render.charts.style import BAND, INK, MUTED, PAPER, hue
from harness.render.charts.svg import Chart, draw
from harness.render.charts.sweep import spread
from harness.render.sentences import APART
from harness.render.view import View

WIDTH, HEIGHT = 250, 190
_ZERO_SHARE = 0.4
"""A wait of 0 has its own tick, this factor left of the smallest other wait."""

Rows = list[dict[str, Any]]


def crossover_charts(
    view: View, pairs: Sequence[Sequence[Crossover]], contrasts: Mapping[str, ContrastResult], margin: float
) -> tuple[Chart, ...]:
    """One panel per pair, all on the same axes.

    Args:
        pairs: a pair's crossovers, the one that is drawn with its intervals first.
        margin: of the run, as a share.
    """
    lines = [[_rows(each, contrasts) for each in pair] for pair in pairs]
    every = [row for pair in lines for rows in pair for row in rows]
    if not every:
        return ()
    zero = _ZERO_SHARE * min((row["wait"] for row in every if row["wait"] > 0), default=1.0)
    for row in every:
        row["x"] = row["wait"] or zero
    ends = [row[end] for row in every for end in ("low", "high")]
    domain = min(*ends, 1 / (1 + margin)) / 1.2, max(*ends, 1 + margin) * 1.2
    axes = _Axes(zero, max(row["x"] for row in every), domain)
    return tuple(
        _panel(view, pair, rows, axes, margin, f"crossover-{number}")
        for number, (pair, rows) in enumerate(zip(pairs, lines, strict=True))
        if rows[0]
    )


class _Axes:
    """The scales that all panels share."""

    def __init__(self, zero: float, last: float, domain: tuple[float, float]) -> None:
        import altair as alt

        self.zero, self.domain = zero, domain
        waits = [zero, *(tick for tick in log_ticks(zero * 1.5, last * 1.001))]
        labels = f"datum.value < {zero * 1.01} ? '0' : format(datum.value, '~r')"
        powers = range(math.ceil(math.log2(domain[0])), math.floor(math.log2(domain[1])) + 1)
        self.x_scale = alt.Scale(type="log", domain=[zero / 1.3, last * 2.2], nice=False)
        self.y_scale = alt.Scale(type="log", base=2, domain=domain, nice=False)
        self.x_axis = alt.Axis(values=waits, labelExpr=labels, grid=False)
        self.y_axis = alt.Axis(values=[2.0**power for power in powers], format="~r")


def _rows(found: Crossover, contrasts: Mapping[str, ContrastResult]) -> Rows:
    rows: Rows = []
    for wait, key in zip(found.waits_ms, found.contrasts, strict=True):
        contrast = contrasts.get(key)
        if contrast is None or contrast.ratio is None:
            continue
        low, high = contrast.ci_low or contrast.ratio, contrast.ci_high or contrast.ratio
        clear = contrast.verdict in APART
        rows.append({"wait": wait, "y": contrast.ratio, "low": low, "high": high, "clear": clear})
    return rows


def _panel(view: View, pair: Sequence[Crossover], lines: Sequence[Rows], axes: _Axes, margin: float, key: str) -> Chart:
    import altair as alt

    main, text = pair[0], view.language.text
    target = view.targets.get(main.a)
    colour = hue(view.frameworks, target.framework) if target else INK
    x = alt.X("x:Q", scale=axes.x_scale, axis=axes.x_axis, title=text("waits.axis"))
    y = alt.Y("y:Q", scale=axes.y_scale, axis=axes.y_axis, title=text("crossover.axis"))
    last = axes.x_scale.domain[1]
    band = [{"x": axes.zero / 1.3, "x2": last, "y": 1 / (1 + margin), "y2": 1 + margin}]
    layers = [alt.Chart(alt.InlineData(values=band)).mark_rect(color=BAND).encode(x=x, x2="x2:Q", y=y, y2="y2:Q")]
    if main.low_ms is not None and main.high_ms is not None:
        span = [{"x": main.low_ms or axes.zero, "x2": main.high_ms, "y": axes.domain[0], "y2": axes.domain[1]}]
        drawn = alt.Chart(alt.InlineData(values=span)).mark_rect(color=MUTED, opacity=0.18)
        layers.append(drawn.encode(x=x, x2="x2:Q", y=y, y2="y2:Q"))
    layers.append(alt.Chart(alt.InlineData(values=[{"y": 1}])).mark_rule(color=MUTED).encode(y=y))
    for rows in lines[1:]:
        layers.append(alt.Chart(alt.InlineData(values=rows)).mark_line(stroke=MUTED, strokeWidth=1).encode(x=x, y=y))
    base = alt.Chart(alt.InlineData(values=[row | {"fill": colour if row["clear"] else PAPER} for row in lines[0]]))
    layers += [
        base.mark_area(color=colour, opacity=0.2).encode(x=x, y=alt.Y("low:Q", scale=axes.y_scale), y2="high:Q"),
        base.mark_line(stroke=colour, strokeWidth=2).encode(x=x, y=y),
        base.mark_point(stroke=colour, size=36, strokeWidth=2, opacity=1).encode(
            x=x, y=y, fill=alt.Fill("fill:N", scale=None)
        ),
    ]
    named = [row[-1] | {"name": f"{each.concurrency:,}"} for each, row in zip(pair, lines, strict=True) if row]
    labels = alt.Chart(alt.InlineData(values=spread(named, axes.domain)))
    layers.append(labels.mark_text(align="left", dx=6).encode(x=x, y=y, text="name:N"))
    title = text("crossover.pair", a=main.a, b=main.b)
    note = text("crossover.chart", a=main.a, b=main.b, count=main.concurrency)
    return draw(key, title, note, alt.layer(*layers).properties(width=WIDTH, height=HEIGHT))
