"""The run over time: each slice's throughput relative to its side's median, with marks where something went wrong."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from harness.model import SlotRecord
from harness.render.charts.style import INK, MUTED
from harness.render.charts.svg import Chart, draw
from harness.render.language.catalogue import ENGLISH, Language

BINS = 360
"""The most points that the chart shows; more slices are put together by the median of neighbours."""


@dataclass(frozen=True, slots=True)
class Window:
    """Neighbouring slices: minutes since the run's first slot, middle, lowest and highest relative throughput."""

    minute: float
    middle: float
    low: float
    high: float
    generator: float


@dataclass(frozen=True, slots=True)
class Mark:
    minute: float
    text: str


def windows(slots: Sequence[SlotRecord]) -> list[Window]:
    """Slices of every attempt, in order of time; a side's median over the run counts as 1."""
    per_side: dict[str, list[float]] = defaultdict(list)
    rows: list[tuple[float, str, float, float]] = []
    for slot in slots:
        start, columns = _seconds(slot.started_at), slot.slices
        for index, side in enumerate(columns.side):
            if columns.window[index] <= 0 or columns.length[index] <= 0:
                continue
            rate = columns.window_replies[index] / columns.window[index]
            busy = columns.generator_cpu[index] / (columns.length[index] + columns.drain[index])
            name = slot.sides[side].id
            per_side[name].append(rate)
            rows.append((start + columns.started[index], name, rate, busy))
    medians = {name: statistics.median(rates) for name, rates in per_side.items()}
    relative = sorted((at, rate / medians[name], busy) for at, name, rate, busy in rows if medians[name] > 0)
    if not relative:
        return []
    first, size = min(_seconds(slot.started_at) for slot in slots), -(-len(relative) // BINS)
    found = []
    for begin in range(0, len(relative), size):
        part = relative[begin : begin + size]
        levels = [level for _, level, _ in part]
        found.append(
            Window(
                minute=(statistics.median(at for at, _, _ in part) - first) / 60,
                middle=statistics.median(levels),
                low=min(levels),
                high=max(levels),
                generator=statistics.median(busy for _, _, busy in part),
            )
        )
    return found


def marks(slots: Sequence[SlotRecord], language: Language = ENGLISH) -> list[Mark]:
    """Where a slot was retried, gated or failed."""
    if not slots:
        return []
    first = min(_seconds(slot.started_at) for slot in slots)
    found = []
    for slot in slots:
        words = [f"{gate.gate}" for gate in slot.gates] + [failure.kind for failure in slot.failures]
        words += [language.text("health.retry")] if slot.attempt else []
        if words:
            found.append(Mark((_seconds(slot.started_at) - first) / 60, ", ".join(dict.fromkeys(words))))
    return found


def windows_chart(points: Sequence[Window], noted: Sequence[Mark], key: str, language: Language = ENGLISH) -> Chart:
    """``points``: at least one."""
    import altair as alt

    data: list[dict[str, Any]] = [
        {"minute": p.minute, "middle": p.middle, "low": p.low, "high": p.high, "generator": p.generator} for p in points
    ]
    base = alt.Chart(alt.InlineData(values=data))
    span = max(max(p.minute for p in points), *(mark.minute for mark in noted), 1e-3)
    scale = alt.Scale(domain=[0, span], nice=False)
    x = alt.X("minute:Q", title=None, scale=scale, axis=alt.Axis(format="~r", tickCount=8))
    x_last = alt.X(
        "minute:Q", title=language.text("health.axis_minutes"), scale=scale, axis=alt.Axis(format="~r", tickCount=8)
    )
    levels = alt.Y(
        "low:Q", title=language.text("health.axis_level"), scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=4)
    )
    shares = alt.Axis(tickCount=3, format="~%")
    busy = alt.Y(
        "generator:Q", title=language.text("health.axis_generator"), scale=alt.Scale(domain=[0, 1]), axis=shares
    )
    spans = base.mark_rule(stroke=MUTED, opacity=0.35).encode(x=x, y=levels, y2="high:Q")
    middles = base.mark_point(filled=True, fill=INK, size=7, opacity=1).encode(x=x, y="middle:Q")
    shown = [{"minute": mark.minute} for mark in noted[:200]]
    flags = alt.Chart(alt.InlineData(values=shown)).mark_point(shape="triangle-down", filled=True, fill=INK, size=30)
    flagged = [flags.encode(x=x, y=alt.value(-6))] if shown else []
    upper = alt.layer(spans, middles, *flagged).properties(width=640, height=130)
    lower = base.mark_point(filled=True, fill=MUTED, size=7, opacity=1).encode(x=x_last, y=busy)
    chart = alt.vconcat(upper, lower.properties(width=640, height=60), spacing=12)
    return draw(key, language.text("health.chart_title"), language.text("health.chart"), chart)


def _seconds(text: str) -> float:
    """ISO time as a Unix time; a record whose time cannot be read is put at the start."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 0.0
