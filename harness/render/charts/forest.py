"""Contrasts as ratios with their intervals, on a log axis, with the margin as a band around one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.analyse.summary import ContrastResult
from harness.render.charts.labels import row_labels
from harness.render.charts.style import BAND, INK, MUTED
from harness.render.charts.svg import Chart, draw
from harness.render.language.catalogue import ENGLISH, Language
from harness.render.sentences import APART

COLUMNS = 60
ROWS = 40
"""The most contrasts that one chart holds; the table beside it holds all."""


def forest_chart(
    rows: Sequence[tuple[str, ContrastResult]], margin: float, key: str, title: str, language: Language = ENGLISH
) -> Chart:
    """Circle: told apart; square: no difference at the margin; cross: undecided.

    Args:
        rows: label and contrast, each with a ratio.
        margin: of the run, as a share.
    """
    import altair as alt

    data: list[dict[str, Any]] = []
    keys, labels = row_labels([label for label, _ in rows], COLUMNS, room=COLUMNS)
    for label, (_, contrast) in zip(keys, rows, strict=True):
        ratio = contrast.ratio or 1.0
        known = contrast.verdict in APART or contrast.verdict == "same"
        data.append(
            {
                "label": label,
                "ratio": ratio,
                "low": contrast.ci_low or ratio,
                "high": contrast.ci_high or ratio,
                "colour": INK if known else MUTED,
                "shape": "circle" if contrast.verdict in APART else "square" if known else "cross",
            }
        )
    ends = [value for row in data for value in (row["low"], row["high"], 1 - margin, 1 + margin)]
    domain = [min(ends) / 1.02, max(ends) * 1.02]
    scale = alt.Scale(type="log", domain=domain, nice=False)
    bounds = alt.Chart(alt.InlineData(values=[{"low": 1 / (1 + margin), "high": 1 + margin}]))
    band = bounds.mark_rect(color=BAND).encode(x=alt.X("low:Q", scale=scale), x2="high:Q")
    one = alt.Chart(alt.InlineData(values=[{"one": 1}])).mark_rule(color=MUTED).encode(x="one:Q")
    axis = alt.Axis(values=_ticks(domain[0], domain[1]), format="~r")
    names = alt.Axis(grid=True, **labels)
    base = alt.Chart(alt.InlineData(values=data)).encode(y=alt.Y("label:N", title=None, sort=None, axis=names))
    intervals = base.mark_rule(strokeWidth=1.6).encode(
        x=alt.X("low:Q", title=language.text("real.axis"), scale=scale, axis=axis),
        x2="high:Q",
        stroke=alt.Stroke("colour:N", scale=None),
    )
    points = base.mark_point(filled=True, size=48, opacity=1).encode(
        x="ratio:Q", fill=alt.Fill("colour:N", scale=None), shape=alt.Shape("shape:N", scale=None)
    )
    chart = (band + one + intervals + points).properties(width=420, height=alt.Step(20))
    return draw(key, title, language.text("real.chart"), chart)


def _ticks(low: float, high: float) -> list[float]:
    """Round ratios within the domain: coarse where it is wide, fine where it is narrow."""
    wide = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]
    middle = [0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.75, 2, 2.5, 3]
    fine = [0.9, 0.92, 0.94, 0.96, 0.98, 1, 1.02, 1.04, 1.06, 1.08, 1.1]
    finest = [0.97, 0.98, 0.99, 1, 1.01, 1.02, 1.03]
    chosen = wide if high / low > 4 else middle if high / low > 1.25 else fine if high / low > 1.07 else finest
    return [tick for tick in chosen if low <= tick <= high]
