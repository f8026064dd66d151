"""Run health: what the machine and the generator did, which gates fired, and what failed.

Over time: each slice's throughput relative to its side's median, with marks where something went wrong.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from harness.model import Failure, Reason, WindowRecord
from harness.model.units import significant
from harness.report.blocks import Block, Facts, Fold, Heading, Items, Plots, Pre, Table, Text, folded, words
from harness.report.charts.style import INK, MUTED
from harness.report.charts.svg import channel, draw, layer
from harness.report.language.catalogue import ENGLISH, Language
from harness.report.numbers import count, numbered, share, shown
from harness.report.view import View

CHANGED = 1.2
"""The least change of the machine's speed that the report mentions."""
LISTED = 100
"""The most gates and failures that are listed one by one; the embedded JSON holds all."""
BINS = 360
"""The most points that the chart shows; more slices are put together by the median of neighbours."""
GATES = (
    words("words.target", lambda view, gate, path: gate.target),
    words("words.point", lambda view, gate, path: gate.point),
    words("health.reason", lambda view, gate, path: view.language.reason(gate.reason)),
)
FACTS = dict.fromkeys(("windows", "failed_windows", "untimed_windows", "retried_windows"), count)
FACTS |= dict.fromkeys(("generator_cpu_max", "foreign_cpu_max", "steal_max"), share)


def run_health(view: View) -> tuple[Block, ...]:
    health, manifest, text = view.summary.health, view.manifest, view.text
    blocks: list[Block] = []
    if view.summary.reasons:
        badge = text(f"badges.{view.summary.badge}")
        blocks += [Text(text("health.badge", badge=badge)), _reasons(view, view.summary.reasons)]
    if manifest.warnings:
        blocks += [Heading(text("health.warnings")), _reasons(view, manifest.warnings)]
    blocks.append(
        Facts(tuple((text(f"health.{name}"), shown(health, "health", name, show)) for name, show in FACTS.items()))
    )
    if points := windows(view.records):
        blocks.append(_over_time(view, points))
        if (times := speed_change(points)) >= CHANGED:
            blocks.append(Text(text("health.speed", times=significant(times))))
    if gates := numbered("health.gates", health.gates[:LISTED]):
        table = Table.of(view, "health.gates", GATES, gates, head="health.gate", row=lambda gate: gate.reason.code)
        blocks += [Heading(text("health.gates")), table]
    failures = _grouped(view, health.failures)
    for heading, folds in (("health.failures", failures), ("health.skipped", _grouped(view, manifest.skipped))):
        blocks += [Heading(text(heading)), *folds[:LISTED]] if folds else []
    left_out = [
        f"{' '.join(filter(None, (each.target, each.point)))}: {view.language.reason(each.reason)}"
        for each in manifest.plan.left_out
    ]
    blocks += folded(text("health.left_out", count=len(left_out)), Items(tuple(left_out)), left_out)
    unlisted = max(0, len(health.gates) - LISTED) + max(0, len(failures) - LISTED)
    return (*blocks, *((Text(text("health.unlisted", count=unlisted), note=True),) if unlisted else ()))


def _reasons(view: View, reasons: Sequence[Reason]) -> Items:
    return Items(tuple(map(view.language.reason, reasons)))


def _grouped(view: View, failures: Sequence[Failure]) -> list[Fold]:
    """Failures of one target that say the same; the log is the first one's."""
    text = view.text
    groups: dict[tuple[str, Reason], list[Failure]] = defaultdict(list)
    for failure in failures:
        groups[failure.target, failure.reason].append(failure)
    folds = []
    for (target, reason), same in groups.items():
        points = ", ".join(dict.fromkeys(one.point for one in same if one.point))
        where = (Text(text("health.at", points=points), note=True),) if points else ()
        log: Block = Pre("\n".join(same[0].log)) if same[0].log else Text(text("health.no_log"))
        message = view.language.reason(reason)
        folds.append(Fold(text("health.failure", target=target, kind=reason.code, message=message), (*where, log)))
    return folds


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
        start, columns = _seconds(record), record.slices
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
    first = min(_seconds(record) for record in records if record.slices is not None)
    size = -(-len(relative) // BINS)
    result = []
    for begin in range(0, len(relative), size):
        times, levels, shares = zip(*relative[begin : begin + size], strict=True)
        minute, middle, generator = map(statistics.median, (times, levels, shares))
        result.append(Window((minute - first) / 60, middle, min(levels), max(levels), generator))
    return result


def speed_change(points: Sequence[Window]) -> float:
    """How many times as fast as at the slow end the machine was at the fast end, 1 in 20 left out on either side."""
    levels = sorted(point.middle for point in points if point.middle > 0)
    cut = len(levels) // 20
    return levels[-1 - cut] / levels[cut] if levels else 1.0


def marks(records: Sequence[WindowRecord], language: Language = ENGLISH) -> list[Mark]:
    """Where a window was retried, gated or failed."""
    first = min(map(_seconds, records), default=0.0)
    result = []
    for record in records:
        codes = [reason.code for reason in record.faults] + [language.text("health.retry")] * bool(record.attempt)
        if codes:
            result.append(Mark((_seconds(record) - first) / 60, ", ".join(dict.fromkeys(codes))))
    return result


def _seconds(record: WindowRecord) -> float:
    """When it started, as a Unix time; a record whose time cannot be read is put at the start."""
    try:
        return datetime.fromisoformat(record.started_at).timestamp()
    except ValueError:
        return 0.0


def _over_time(view: View, points: Sequence[Window]) -> Plots:
    """At least one point, and what happened meanwhile."""
    text, noted = view.text, marks(view.records, view.language)
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
    chart = draw("windows", text("health.chart_title"), text("health.chart"), vconcat=panels, spacing=12)
    lines = tuple(text("health.mark", minute=f"{mark.minute:.1f}", text=mark.text) for mark in noted[:LISTED])
    inside = Fold(text("health.marks", count=len(lines)), (Items(lines) if lines else Text(text("health.no_marks")),))
    return Plots((chart,), chart.title, chart.description, inside=(inside,))
