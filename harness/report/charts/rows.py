"""Charts with a row per target, contrast or step: a mark with its interval in each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.model import Point, Target
from harness.report.charts.style import BAND, INK, MUTED, PAPER, THOUSANDS, VARIABLES, log_ticks, look, row_labels
from harness.report.charts.svg import Chart, Spec, channel, draw, layer, literal, log_scale
from harness.report.language.catalogue import Language
from harness.report.numbers import number
from harness.report.view import View
from harness.results.summary import ContrastResult, Estimate, LadderResult, Layer, ProfileResult
from harness.stats.estimate import REAL

SHAPES = {"circle": "○", "square": "□", "triangle-up": "△", "diamond": "◇", "triangle-down": "▽", "cross": "+"}
"""Shape of a step's mark → the character that stands for it in the description."""
FOREST = 40
"""The most contrasts that one chart holds; the table next to it has all."""
COLUMNS, STEP = 60, 20
DOT: Spec = {"size": 55, "strokeWidth": 2, "opacity": 1}
Words = tuple[str, str, str]
"""Key of a chart, its title and its description."""
Marks = tuple[str, Spec, Spec]
"""A kind of mark, how it looks, and its channels."""


def rows_chart(
    words: Words,
    labels: Sequence[str],
    rows: Sequence[dict[str, Any]],
    marks: Sequence[Marks],
    *,
    most: int,
    width: int,
    step: int,
    room: int = 0,
    grid: bool = False,
) -> Chart:
    """Args:
    rows: one for each label, or with the place of their label as ``row``.
    most, room: see ``row_labels``.
    step: pixels from row to row.
    """
    keys, axis = row_labels(labels, most, room=room)
    y = channel("label:N", title=None, sort=None, axis=axis | ({"grid": True} if grid else {}))
    data = [row | {"label": keys[row.get("row", place)]} for place, row in enumerate(rows)]
    layers = [layer(data, kind, style, y=y, **channels) for kind, style, channels in marks]
    return draw(*words, layer=layers, width=width, height={"step": step})


def _span(value: float, low: float | None, high: float | None) -> dict[str, float]:
    """A value and the ends of its interval, which is the value alone where there is none."""
    return {"value": value, "low": value if low is None else low, "high": value if high is None else high}


def _estimated(view: View, target: Target, estimate: Estimate) -> dict[str, Any]:
    low = None if estimate.ci_low is None else max(0.0, estimate.ci_low)
    return _span(estimate.value, low, estimate.ci_high) | look(view.frameworks, target)


def throughput_chart(view: View, place: Point, key: str) -> tuple[Chart, ...]:
    """Throughput of the reference targets at one point, each with its number and the highest first; empty where none
    has one there.
    """
    known = [
        (estimate, target)
        for target in view.reference
        if (cell := view.ok(target.name, place.id)) and (estimate := cell[1].throughput_rps)
    ]
    if not known:
        return ()
    ranked = sorted(known, key=lambda each: -each[0].value)
    names = [view.name(target.name) for _, target in ranked]
    rows = [_estimated(view, target, estimate) | {"said": number.text(estimate.value)} for estimate, target in ranked]
    axis = {"tickCount": 4, "labelExpr": THOUSANDS}
    x = channel("low:Q", title=view.text("words.rps"), axis=axis, scale={"zero": True, "nice": True})
    marks: list[Marks] = [
        ("rule", {"strokeWidth": 2}, {"x": x, "x2": "high", **literal(stroke="stroke")}),
        ("point", DOT, {"x": "value:Q", **literal(stroke="stroke", fill="fill", shape="shape")}),
        ("text", {"align": "left", "dx": 8, "color": INK}, {"x": "high:Q", "text": "said:N"}),
    ]
    words = key, view.where(place.id), view.text("page.better")
    return (rows_chart(words, names, rows, marks, most=26, width=330, step=18),)


def validation_chart(view: View, places: Sequence[Point], title: str, key: str) -> tuple[Chart, ...]:
    """CPU per request with nothing, the request, and everything validated: a line per target, a mark per step.

    Args:
        places: the steps, in order; all at one payload size and concurrency.

    Returns:
        Nothing where no reference target has a number at any of the points.
    """
    names: list[str] = []
    rows = []
    for target in view.reference:
        for place in places:
            cell, name = view.ok(target.name, place.id), view.name(target.name)
            if cell and cell[1].cpu_us:
                names += [name] * (name not in names)
                row = {"row": names.index(name), "step": place.scenario}
                rows.append(_estimated(view, target, cell[1].cpu_us) | row)
    if not rows:
        return ()
    steps = list(dict.fromkeys(place.scenario for place in places))
    chosen = [list(SHAPES)[i % len(SHAPES)] for i in range(len(steps))]
    axis, colour = {"tickCount": 6, "format": "~r"}, literal(stroke="stroke")
    x = channel("value:Q", title=view.text("words.cpu"), axis=axis, scale={"zero": True})
    shape = channel("step:N", scale={"domain": steps, "range": chosen}, legend=None)
    marks: list[Marks] = [
        ("line", {"strokeWidth": 1.2, "opacity": 0.7}, {"x": x, "detail": "label:N", **colour}),
        ("rule", {"strokeWidth": 4, "opacity": 0.45}, {"x": "low:Q", "x2": "high", **colour}),
        ("point", DOT | {"size": 60, "fill": PAPER}, {"x": "value:Q", "shape": shape, **colour}),
    ]
    legend = "; ".join(f"{SHAPES[shape]} {view.title(step)}" for shape, step in zip(chosen, steps, strict=True))
    words = key, title, view.text("validation.chart", legend=legend)
    return (rows_chart(words, names, rows, marks, most=32, width=440, step=26),)


def forest_chart(rows: Sequence[tuple[str, ContrastResult]], key: str, title: str, language: Language) -> Chart:
    """Ratios with their intervals on a log axis, with each one's margin as a band around one.

    Circle: a difference; square: no difference at the margin; cross: undecided.

    Args:
        rows: label and contrast, each with a ratio.
    """
    data: list[dict[str, Any]] = []
    for _, contrast in rows:
        differs, same = contrast.verdict in REAL, contrast.verdict == "same"
        shape = "circle" if differs else "square" if same else "cross"
        margin = {"one": 1.0, "least": 1 / (1 + contrast.margin), "most": 1 + contrast.margin}
        span = _span(contrast.ratio or 1.0, contrast.ci_low or None, contrast.ci_high or None)
        data.append({**span, **margin, "colour": INK if differs or same else MUTED, "shape": shape})
    ends = [each[end] for each in data for end in ("low", "high", "least", "most")]
    low, high = min(ends) / 1.02, max(ends) * 1.02
    scale, axis = log_scale(low, high), {"values": _ticks(low, high), "format": "~r"}
    x = channel("low:Q", title=language.text("real.axis"), scale=scale, axis=axis)
    marks: list[Marks] = [
        ("rect", {"color": BAND}, {"x": channel("least:Q", scale=scale), "x2": "most"}),
        ("tick", {"color": MUTED, "thickness": 1, "size": STEP}, {"x": channel("one:Q", scale=scale)}),
        ("rule", {"strokeWidth": 1.6}, {"x": x, "x2": "high", **literal(stroke="colour")}),
        (
            "point",
            {"filled": True, "size": 48, "opacity": 1},
            {"x": "value:Q", **literal(fill="colour", shape="shape")},
        ),
    ]
    words, names = (key, title, language.text("real.chart")), [label for label, _ in rows]
    return rows_chart(words, names, data, marks, most=COLUMNS, room=COLUMNS, width=420, step=STEP, grid=True)


def _ticks(low: float, high: float) -> list[float]:
    """Round ratios within the domain: coarse where it is wide, fine where it is narrow."""
    wide = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]
    middle = [0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.75, 2, 2.5, 3]
    fine = [0.9, 0.92, 0.94, 0.96, 0.98, 1, 1.02, 1.04, 1.06, 1.08, 1.1]
    finest = [0.97, 0.98, 0.99, 1, 1.01, 1.02, 1.03]
    chosen = wide if high / low > 4 else middle if high / low > 1.25 else fine if high / low > 1.07 else finest
    return [tick for tick in chosen if low <= tick <= high]


def ladder_chart(view: View, ladder: LadderResult, key: str) -> tuple[Chart, ...]:
    """A waterfall: each step's bar begins where the rung below ended, the bottom rung first.

    A step that shows no difference is grey. Empty where the ladder has no step.
    """
    used = [(view.label(rung.label), rung.cpu_us) for rung in ladder.rungs if rung.cpu_us is not None]
    if not used or not ladder.steps:
        return ()
    label, bottom = used[0]
    names, rows = [label], [_bar(0.0, bottom.value, bottom.ci_low, bottom.ci_high) | {"colour": BAND}]
    for step in ladder.steps:
        if step.difference is None:
            return ()
        target, differs = view.declared.get(step.a.target), step.verdict in REAL
        bar = _bar(rows[-1]["value"], step.difference, step.difference_low, step.difference_high)
        names.append(view.label(step.label))
        rows.append(bar | {"colour": look(view.frameworks, target)["stroke"] if differs and target else MUTED})
    axis, ink = {"tickCount": 6, "format": "~r"}, {"stroke": {"value": INK}}
    x = channel("start:Q", title=view.text("words.cpu"), axis=axis, scale={"zero": True})
    marks: list[Marks] = [
        ("bar", {"height": 12}, {"x": x, "x2": "value", **literal(fill="colour")}),
        ("tick", {"thickness": 2, "size": 18}, {"x": "value:Q", **ink}),
        ("rule", {"strokeWidth": 1.6}, {"x": "low:Q", "x2": "high", **ink}),
    ]
    words = key, view.label(ladder.title), view.text("ladder.chart")
    return (rows_chart(words, names, rows, marks, most=44, room=26, width=430, step=24),)


def _bar(start: float, added: float, low: float | None, high: float | None) -> dict[str, Any]:
    span = _span(added, low, high)
    return {"start": start} | {name: start + value for name, value in span.items()}


def moved_chart(
    view: View, rows: Sequence[tuple[Target, float, float]], bounds: tuple[float, float], words: Words, axis_title: str
) -> Chart:
    """A hollow mark for before, a filled one for after, and the way between them, on a log axis of milliseconds.

    Args:
        rows: target, milliseconds before and after.
        bounds: of the axis, in milliseconds.
    """
    names = [view.name(target.name) for target, _, _ in rows]
    data = [{"before": before, "after": after} | look(view.frameworks, target) for target, before, after in rows]
    scale, axis = log_scale(*bounds), {"values": log_ticks(*bounds), "format": "~r"}
    stroke = literal(stroke="stroke")
    x, after = channel("before:Q", title=axis_title, scale=scale, axis=axis), channel("after:Q", scale=scale)
    marks: list[Marks] = [
        ("rule", {"strokeWidth": 2}, {"x": x, "x2": "after", **stroke}),
        ("tick", {"thickness": 2, "size": 12}, {"x": channel("before:Q", scale=scale), **stroke}),
        ("point", DOT, {"x": after, **stroke, **literal(fill="fill", shape="shape")}),
    ]
    return rows_chart(words, names, data, marks, most=26, width=230, step=22)


def profile_chart(view: View, profiles: Sequence[ProfileResult], layers: Sequence[Layer], title: str) -> Chart:
    """CPU per request, a stacked bar for each target.

    Args:
        layers: in the order in which they are stacked; each has a hue of its own, and what is outside Python none.
    """
    hues = [colour for colour, name in VARIABLES.items() if name.startswith("--hue-")]
    colours = [BAND if layer == "outside" else hues[number] for number, layer in enumerate(layers)]
    names = [view.text(f"profile.{layer}") for layer in layers]
    rows = [
        {"row": row, "layer": name, "order": order, "us": each.layers.get(layer, 0.0)}
        for row, each in enumerate(profiles)
        for order, (layer, name) in enumerate(zip(layers, names, strict=True))
    ]
    x = channel("us:Q", title=view.text("words.cpu"), stack="zero", axis={"tickCount": 6, "format": "~r"})
    legend = {"orient": "top", "title": None, "columns": 3, "labelLimit": 0, "symbolStrokeWidth": 0}
    fill = channel("layer:N", scale={"domain": names, "range": colours}, legend=legend)
    bars: Marks = "bar", {"height": 15, "stroke": PAPER, "strokeWidth": 1}, {"x": x, "order": "order:Q", "fill": fill}
    words = "profile-chart", title, view.text("profile.chart", layers=", ".join(names))
    return rows_chart(words, [view.name(each.target) for each in profiles], rows, [bars], most=32, width=440, step=26)
