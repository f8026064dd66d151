"""The run over time: each slice's throughput relative to its side's median, with marks where something went wrong."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from harness.model import WindowRecord
from harness.report.charts.style import INK, MUTED
from harness.report.charts.svg import Chart, channel, layer, render
from harness.report.language.catalogue import ENGLISH, Language

BINS = 360
"""The most points that the chart shows; more slices are put together by the median of neighbours."""


@dataclass(frozen=True, slots=True)
class Window:
    """Neighbouring slices: minutes since the run's first window, middle, lowest and highest relative throughput."""

    minute: float
    middle: float
    low: float
    high: float
    generator: float


@dataclass(frozen=True, slots=True)
class Mark:
    minute: float
    text: str


def windows(records: Sequence[WindowRecord]) -> list[Window]:
    """Slices of every attempt, in order of time; a side's median over the run counts as 1."""
    per_side: dict[str, list[float]] = defaultdict(list)
    rows: list[tuple[float, str, float, float]] = []
    for record in records:
        start, columns = _seconds(record.started_at), record.slices
        if columns is None:
            continue
        for index, side in enumerate(columns.side):
            if columns.window[index] <= 0 or columns.length[index] <= 0:
                continue
            rate = columns.window_replies[index] / columns.window[index]
            busy = columns.generator_cpu[index] / (columns.length[index] + columns.drain[index])
            name = record.sides[side].side.id
            per_side[name].append(rate)
            rows.append((start + columns.started[index], name, rate, busy))
    medians = {name: statistics.median(rates) for name, rates in per_side.items()}
    relative = sorted((at, rate / medians[name], busy) for at, name, rate, busy in rows if medians[name] > 0)
    if not relative:
        return []
    first = min(_seconds(record.started_at) for record in records if record.slices is not None)
    size = -(-len(relative) // BINS)
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


def speed_change(points: Sequence[Window]) -> float:
    """How many times as fast as at the slow end the machine was at the fast end, 1 in 20 left out on either side."""
    levels = sorted(point.middle for point in points if point.middle > 0)
    cut = len(levels) // 20
    return levels[-1 - cut] / levels[cut] if levels else 1.0


def marks(records: Sequence[WindowRecord], language: Language = ENGLISH) -> list[Mark]:
    """Where a window was retried, gated or failed."""
    if not records:
        return []
    first = min(_seconds(record.started_at) for record in records)
    found = []
    for record in records:
        words = [reason.code for reason in record.faults]
        words += [language.text("health.retry")] if record.attempt else []
        if words:
            found.append(Mark((_seconds(record.started_at) - first) / 60, ", ".join(dict.fromkeys(words))))
    return found


def windows_chart(points: Sequence[Window], noted: Sequence[Mark], key: str, language: Language = ENGLISH) -> Chart:
    """``points``: at least one."""
    text = language.text
    span = max(max(p.minute for p in points), *(mark.minute for mark in noted), 1e-3)
    scale, axis = {"domain": [0, span], "nice": False}, {"format": "~r", "tickCount": 8}
    x = channel("minute:Q", title=None, scale=scale, axis=axis)
    levels = channel("low:Q", title=text("health.axis_level"), scale={"zero": False}, axis={"tickCount": 4})
    shares = {"tickCount": 3, "format": "~%"}
    busy = channel("generator:Q", title=text("health.axis_generator"), scale={"domain": [0, 1]}, axis=shares)
    dot, rows = {"filled": True, "size": 7, "opacity": 1}, [asdict(point) for point in points]
    upper = [
        layer(rows, "rule", {"stroke": MUTED, "opacity": 0.35}, x=x, y=levels, y2="high"),
        layer(rows, "point", {**dot, "fill": INK}, x=x, y="middle:Q"),
    ]
    if noted:
        flag = {"shape": "triangle-down", "filled": True, "fill": INK, "size": 30}
        upper.append(layer([{"minute": mark.minute} for mark in noted[:200]], "point", flag, x=x, y={"value": -6}))
    lower = layer(rows, "point", {**dot, "fill": MUTED}, x=x | {"title": text("health.axis_minutes")}, y=busy)
    panels = [{"layer": upper, "width": 640, "height": 130}, {**lower, "width": 640, "height": 60}]
    return render(key, text("health.chart_title"), text("health.chart"), {"vconcat": panels, "spacing": 12})


def _seconds(text: str) -> float:
    """ISO time as a Unix time; a record whose time cannot be read is put at the start."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 0.0
