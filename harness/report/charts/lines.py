"""Charts with a line per target, concurrency or wait, each named at its end."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from harness.model import Point, Target
from harness.report.charts.style import BAND, DASH, INK, MUTED, PAPER, THOUSANDS, log_ticks, look, shorten, spread
from harness.report.charts.svg import Chart, Spec, channel, draw, layer, literal, log_scale
from harness.report.view import View
from harness.results.predict import model_rps as model
from harness.results.summary import Cell, Crossover
from harness.stats.estimate import REAL

HEIGHT = 190
"""Of a panel, in pixels."""
LABEL = 24
ROOM = 150
"""Pixels to the right of the lines for the names of their targets."""
_ZERO_SHARE = 0.4
"""A wait of 0 has its own tick, this factor left of the smallest other wait."""

Rows = list[dict[str, Any]]
Line = Sequence[tuple[float, float]]
Words = tuple[str, str, str, str, str]
"""Key of a chart; then its title, its description, and the titles of both axes, or the keys of these texts."""


def lines_chart(
    view: View,
    lines: Sequence[tuple[Target, Line]],
    words: Words,
    *,
    x_values: Sequence[tuple[float, str]] = (),
    bound: float | None = None,
    linear: bool = False,
) -> Iterator[Chart]:
    """A line per target on a logarithmic axis of milliseconds, its name at the end; nothing without a point.

    Args:
        lines: target and (x, milliseconds).
        x_values: ticks of the x axis and their labels; a logarithmic axis of plain numbers without them.
        bound: milliseconds at which a line is drawn across.
        linear: for other quantities: both axes begin at zero.
    """
    points = [(x, y) for _, line in lines for x, y in line if (x > 0 or linear) and y > 0]
    if not points:
        return
    title, note, x_title, y_title = map(view.text_or_literal, words[1:])
    high = max([y for _, y in points] + ([bound] if bound else [])) * 1.3
    xs = [x for x, _ in points] + [x for x, _ in x_values]
    low, first = (0.0, 0.0) if linear else (min(y for _, y in points) / 1.3, min(xs) / 1.05)
    kind = {"type": "linear"} if linear else {}
    if linear:
        x_axis: Spec = {"tickCount": 5, "labelExpr": THOUSANDS}
    elif x_values:
        cases = " : ".join(f"abs(datum.value / {x} - 1) < 1e-6 ? '{label}'" for x, label in x_values)
        x_axis = {"values": [x for x, _ in x_values], "labelExpr": f"{cases} : ''"}
    else:
        x_axis = {"values": log_ticks(min(xs), max(xs)), "format": "~s"}
    y_axis = {"tickCount": 5} if linear else {"values": log_ticks(low, high), "format": "~r"}
    x = channel("x:Q", title=x_title, scale=log_scale(first, max(xs) * 1.05, **kind), axis=x_axis)
    y = channel("y:Q", title=y_title, scale=log_scale(low, high, **kind), axis=y_axis)
    layers = [] if bound is None else [layer([{"y": bound}], "rule", {"stroke": MUTED, "strokeDash": [2, 2]}, y=y)]
    ends = []
    for target, line in lines:
        data = _points((a, b) for a, b in line if (a, b) in points)
        if data:
            layers += _drawn(view, target, data, {"size": 26, "strokeWidth": 1.6}, x=x, y=y)
            ends.append({**data[-1], "x": max(xs), "name": shorten(view.name(target.name), LABEL)})
    names = _names_at(ends, low, high, x, y, 10)
    # The names stand outside of the axes, and the drawing has to end behind them.
    blank = layer([{"x": max(xs), "y": points[0][1]}], "text", {"text": " ", "dx": ROOM}, x=x, y=y)
    yield draw(words[0], title, note, layer=[*layers, names, blank], width=320, height=200)


def model_chart(view: View, target: Target, measured: Line, models: Mapping[str, Line], words: Words) -> Chart:
    """What was measured of a target, and a dashed line for each model through it; both axes begin at zero.

    Args:
        models: name → its points, between the first and the last measured and nowhere else.
    """
    title, note, x_title, y_title = map(view.text_or_literal, words[1:])
    high = 1.1 * max(y for points in (measured, *models.values()) for _, y in points)
    ticks = [x for x, _ in measured]
    x = channel("x:Q", title=x_title, scale={"domain": [0, 1.3 * ticks[-1]]}, axis={"values": ticks, "format": "d"})
    y = channel("y:Q", title=y_title, scale={"domain": [0, high]}, axis={"tickCount": 5, "labelExpr": THOUSANDS})
    layers = [
        layer(_points(line), "line", {"stroke": MUTED, "strokeWidth": 1.2, "strokeDash": dash}, x=x, y=y)
        for line, dash in zip(models.values(), ([6, 3], [2, 2]), strict=True)
    ]
    mark = {"stroke": look(view.frameworks, target)["stroke"], "size": 36}
    ends = [{"x": line[-1][0], "y": line[-1][1], "name": name} for name, line in models.items()]
    layers += [layer(_points(measured), "point", mark, x=x, y=y), _names_at(ends, 0.0, high, x, y, 7)]
    return draw(words[0], title, note, layer=layers, width=230, height=HEIGHT)


def _points(line: Iterable[tuple[float, float]]) -> Rows:
    return [{"x": x, "y": y} for x, y in line]


def _drawn(view: View, target: Target, rows: Rows, mark: Spec, **channels: str | Spec) -> list[Spec]:
    """A target's line and its marks."""
    style = look(view.frameworks, target)
    line = {"stroke": style["stroke"], "strokeWidth": 2, "strokeDash": DASH[target.interface]}
    point = {"stroke": style["stroke"], "fill": style["fill"], "opacity": 1, **mark}
    return [layer(rows, "line", line, **channels), layer(rows, "point", point, **channels)]


def _names_at(ends: Rows, low: float, high: float, x: Spec, y: Spec, dx: int) -> Spec:
    """Names of lines, right of their ends and moved apart, on a logarithmic axis, or on one that begins at zero."""
    if low:
        placed = spread(ends, (low, high), HEIGHT)
    else:
        logs = spread([row | {"y": math.exp(row["y"] / high)} for row in ends], (1.0, math.e), HEIGHT)
        placed = [row | {"y": math.log(row["y"]) * high} for row in logs]
    return layer(placed, "text", {"align": "left", "dx": dx}, x=x, y=y, text="name:N")


def model_rps(view: View, target: Target, place: Point, cell: Cell) -> float | None:
    """The model line at one cell, in requests per second, with the cell's own CPU cost as service."""
    if cell.cpu_us is None or cell.cpu_us.value <= 0:
        return None
    return model(target, place.wait_s, place.concurrency, cell.cpu_us.value, view.manifest.server_cpus)


def sweep_charts(view: View, targets: Sequence[Target], places: Sequence[Point]) -> tuple[Chart, ...]:
    """Throughput against concurrency (or the wait, where one concurrency was measured), next to what capacity allows.

    One panel per target with a number at any of the points, all on the same axes.
    """
    text = view.text
    counts = sorted({place.concurrency for place in places})
    by_wait = len(counts) == 1
    panels = [(target, *_sweep(view, target, places, by_wait)) for target in targets]
    values = [row["y"] for _, *lines in panels for rows in lines for row in rows if row["y"] > 0]
    if not values:
        return ()
    low, high = min(values) / 1.4, max(values) * 1.4
    y_axis = {"values": log_ticks(low, high), "format": "~s"}
    y = channel("y:Q", scale=log_scale(low, high), title=text("words.rps"), axis=y_axis)
    if by_wait:
        waits = list(dict.fromkeys(f"{place.wait_s * 1e3:g}" for place in places))
        x = channel("x:O", sort=waits, title=text("waits.axis"), axis={"labelAngle": 0})
        along, side = "waits.chart_waits", {"align": "left", "dx": 6}
    else:
        # The axis goes on past the last count, a fifth of its length, for the lines' labels.
        scale = log_scale(counts[0] / 1.2, counts[-1] * max(1.3, float((counts[-1] / counts[0]) ** 0.25)))
        x = channel("x:Q", scale=scale, title=text("words.connections"), axis={"values": counts, "format": "d"})
        along, side = "waits.chart_connections", {"align": "right", "dx": 0}
    charts = []
    for number, (target, measured, allowed) in enumerate(panels):
        if not measured:
            continue
        layers = [layer(allowed, "line", {"stroke": MUTED, "strokeWidth": 1}, x=x, y=y, detail="name:N")]
        layers += _drawn(view, target, measured, {"size": 36, "strokeWidth": 2}, x=x, y=y, detail="name:N")
        if allowed:
            last = allowed[-1] | {"name": text("waits.allowed")}
            layers.append(layer([last], "text", {**side, "dy": -7, "color": MUTED}, x=x, y=y, text="name:N"))
        if not by_wait:
            furthest = max(row["x"] for row in measured)
            layers.append(_names_at([row for row in measured if row["x"] == furthest], low, high, x, y, 7))
        note = text(along, interface=target.interface, capacity=target.capacity)
        charts.append(draw(f"wait-{number}", view.name(target.name), note, layer=layers, width=230, height=HEIGHT))
    return tuple(charts)


def _sweep(view: View, target: Target, places: Sequence[Point], by_wait: bool) -> tuple[Rows, Rows]:
    """What was measured, and what the model allows."""
    measured: Rows = []
    allowed: Rows = []
    for place in places:
        cell = view.ok(target.name, place.id)
        if not cell or cell[1].throughput_rps is None:
            continue
        wait = f"{place.wait_s * 1e3:g}"
        shared = {"x": wait if by_wait else place.concurrency, "name": "" if by_wait else f"{wait} ms"}
        measured.append(shared | {"y": cell[1].throughput_rps.value})
        line = model_rps(view, target, place, cell[1])
        if line is not None:
            allowed.append(shared | {"y": line})
    return measured, allowed


def crossover_charts(view: View, pairs: Sequence[Sequence[Crossover]]) -> tuple[Chart, ...]:
    """The ratio of two targets' throughput along the I/O wait, with the crossover as an interval.

    One panel per pair, all on the same axes.

    Args:
        pairs: a pair's crossovers, the one that is drawn with its intervals first.
    """
    lines = [[_ratios(view, each) for each in pair] for pair in pairs]
    every = [row for pair in lines for rows in pair for row in rows]
    if not every:
        return ()
    text = view.text
    margin = max(view.by_id[key][1].margin for each in view.summary.crossovers for key in each.contrasts)
    zero = _ZERO_SHARE * min((row["wait"] for row in every if row["wait"] > 0), default=1.0)
    for row in every:
        row["x"] = row["wait"] or zero
    ends = [row[end] for row in every for end in ("low", "high")]
    low, high = min(*ends, 1 / (1 + margin)) / 1.2, max(*ends, 1 + margin) * 1.2
    first, last = zero / 1.3, max(row["x"] for row in every) * 2.2
    waits = [zero, *log_ticks(zero * 1.5, last / 2.2 * 1.001)]
    labels = f"datum.value < {zero * 1.01} ? '0' : format(datum.value, '~r')"
    powers = range(math.ceil(math.log2(low)), math.floor(math.log2(high)) + 1)
    x_axis = {"values": waits, "labelExpr": labels, "grid": False}
    y_axis, y_scale = {"values": [2.0**power for power in powers], "format": "~r"}, log_scale(low, high, base=2)
    x = channel("x:Q", scale=log_scale(first, last), axis=x_axis, title=text("waits.axis"))
    y = channel("y:Q", scale=y_scale, axis=y_axis, title=text("crossover.axis"))
    band = [{"x": first, "x2": last, "y": 1 / (1 + margin), "y2": 1 + margin}]
    charts = []
    for number, (pair, (rows, *others)) in enumerate(zip(pairs, lines, strict=True)):
        if not rows:
            continue
        main = pair[0]
        target = view.targets.get(main.a)
        colour = look(view.frameworks, target)["stroke"] if target else INK
        layers = [layer(band, "rect", {"color": BAND}, x=x, x2="x2", y=y, y2="y2")]
        if main.low_ms is not None and main.high_ms is not None:
            span = [{"x": main.low_ms or zero, "x2": main.high_ms, "y": low, "y2": high}]
            layers.append(layer(span, "rect", {"color": MUTED, "opacity": 0.18}, x=x, x2="x2", y=y, y2="y2"))
        layers.append(layer([{"y": 1}], "rule", {"color": MUTED}, y=y))
        layers += [layer(each, "line", {"stroke": MUTED, "strokeWidth": 1}, x=x, y=y) for each in others]
        drawn = [row | {"fill": colour if row["clear"] else PAPER} for row in rows]
        lows, mark = channel("low:Q", scale=y_scale), {"stroke": colour, "size": 36, "strokeWidth": 2, "opacity": 1}
        lasts = [(crossover, each[-1]) for crossover, each in zip(pair, (rows, *others), strict=True) if each]
        layers += [
            layer(drawn, "area", {"color": colour, "opacity": 0.2}, x=x, y=lows, y2="high"),
            layer(drawn, "line", {"stroke": colour, "strokeWidth": 2}, x=x, y=y),
            layer(drawn, "point", mark, x=x, y=y, **literal(fill="fill")),
            _names_at([end | {"name": f"{crossover.concurrency:,}"} for crossover, end in lasts], low, high, x, y, 6),
        ]
        sides = {"a": view.name(main.a), "b": view.name(main.b)}
        title, note = text("crossover.pair", **sides), text("crossover.chart", count=main.concurrency, **sides)
        charts.append(draw(f"crossover-{number}", title, note, layer=layers, width=250, height=HEIGHT))
    return tuple(charts)


def _ratios(view: View, crossover: Crossover) -> Rows:
    rows: Rows = []
    for wait, key in zip(crossover.waits_ms, crossover.contrasts, strict=True):
        contrast = view.by_id[key][1]
        if contrast.ratio is None:
            continue
        low, high = contrast.ci_low or contrast.ratio, contrast.ci_high or contrast.ratio
        rows.append({"wait": wait, "y": contrast.ratio, "low": low, "high": high, "clear": contrast.verdict in REAL})
    return rows
