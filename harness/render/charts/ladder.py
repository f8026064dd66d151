"""A cost ladder as a waterfall: each step's bar begins where the rung below ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.analyse.summary import LadderResult
from harness.model import Target
from harness.render.charts.labels import row_labels
from harness.render.charts.style import BAND, INK, MUTED, mark
from harness.render.charts.svg import Chart, draw
from harness.render.language.catalogue import Language
from harness.render.sentences import APART

COLUMNS = 44


def ladder_chart(
    ladder: LadderResult, targets: Mapping[str, Target], frameworks: tuple[str, ...], language: Language, key: str
) -> Chart | None:
    """``None`` where the ladder has no step. The bottom rung comes first; a step that is not told apart is grey."""
    import altair as alt

    rows = _rows(ladder, targets, frameworks)
    if not rows:
        return None
    names, labels = row_labels([str(row["label"]) for row in rows], COLUMNS, room=26)
    for name, row in zip(names, rows, strict=True):
        row["label"] = name
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("label:N", title=None, sort=None, axis=alt.Axis(**labels))
    )
    axis = alt.Axis(tickCount=6, format="~r")
    title = language.text("words.cpu")
    bars = base.mark_bar(height=12).encode(
        x=alt.X("start:Q", title=title, axis=axis, scale=alt.Scale(zero=True)),
        x2="end:Q",
        fill=alt.Fill("colour:N", scale=None),
    )
    ends = base.mark_tick(thickness=2, size=18).encode(x="end:Q", stroke=alt.Stroke("ink:N", scale=None))
    intervals = base.mark_rule(strokeWidth=1.6).encode(x="low:Q", x2="high:Q", stroke=alt.Stroke("ink:N", scale=None))
    chart = (bars + ends + intervals).properties(width=430, height=alt.Step(24))
    return draw(key, ladder.title, language.text("ladder.chart"), chart)


def _rows(ladder: LadderResult, targets: Mapping[str, Target], frameworks: tuple[str, ...]) -> list[dict[str, Any]]:
    used = [rung for rung in ladder.rungs if rung.cpu_us is not None]
    steps: Sequence[Any] = ladder.steps
    if not used or not steps or any(step.difference is None for step in steps):
        return []
    bottom = used[0].cpu_us
    assert bottom is not None
    level = bottom.value
    ends = (bottom.ci_low or level, bottom.ci_high or level)
    rows = [{"label": used[0].label, "start": 0.0, "end": level, "low": ends[0], "high": ends[1], "colour": BAND}]
    for step in steps:
        target = targets.get(step.a.target)
        told = step.verdict in APART and target is not None
        colour = mark(frameworks, target)["stroke"] if told and target is not None else MUTED
        low = step.difference if step.difference_low is None else step.difference_low
        high = step.difference if step.difference_high is None else step.difference_high
        end = level + step.difference
        rows.append(
            {
                "label": step.label,
                "start": level,
                "end": end,
                "low": level + low,
                "high": level + high,
                "colour": colour,
            }
        )
        level = end
    return [{**row, "ink": INK} for row in rows]
