"""Latency at equal offered load, the capacity at an objective, and what lies beyond it."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analyse.summary.studies import CapacityRow, LatencyRow, OverloadRow
from harness.render.charts.studies import lines_chart
from harness.render.charts.svg import Chart
from harness.render.language.catalogue import Field
from harness.render.numbers import Figure, Sentence, share
from harness.render.sections.studies import (
    Part,
    TableRow,
    count,
    milliseconds,
    ordered,
    plain_number,
    spread_columns,
    spread_entries,
    target_of,
    why,
)
from harness.render.view import View
from harness.units import significant

TICKS = ((0.5, "50%"), (0.9, "90%"), (0.99, "99%"), (0.999, "99.9%"), (0.9999, "99.99%"))


def latencies(view: View) -> tuple[Part, ...]:
    """A part for each study that the run has windows of."""
    results = view.summary.studies
    parts = (
        _latency(view, results.latency) if results.latency else None,
        _capacity(view, results.capacity) if results.capacity else None,
        _overload(view, results.overload) if results.overload else None,
    )
    return tuple(part for part in parts if part is not None)


def latency_sentences(view: View) -> tuple[Sentence, ...]:
    """The sentence of each part, without its charts and table."""
    results = view.summary.studies
    parts = (
        _latency_sentence(view, results.latency) if results.latency else (),
        _capacity_sentence(view, results.capacity) if results.capacity else (),
        _overload_sentence(view, results.overload) if results.overload else (),
    )
    return tuple(part for part in parts if part)


def _latency(view: View, rows: Sequence[LatencyRow]) -> Part:
    text = view.language.text
    table = []
    for index in ordered(view, rows):
        row, path = rows[index], f"studies.latency.{index}"
        rate = Figure(significant(row.rate_rps, 4), row.rate_rps, f"{path}.rate_rps")
        samples = None if row.latency is None else count(row.latency.count, f"{path}.latency.count")
        entries = (rate, *spread_entries(row.latency, f"{path}.latency"), samples)
        table.append(TableRow(row.target, entries, why(row, view.language)))
    return Part(
        "equal-load",
        text("latency.equal"),
        text("latency.equal_intro"),
        _latency_sentence(view, rows),
        _curves(view, rows),
        (text("latency.rate"), *spread_columns(view.language), text("latency.samples")),
        tuple(table),
    )


def _latency_sentence(view: View, rows: Sequence[LatencyRow]) -> Sentence:
    """The highest rate: lowest and highest p99, with no claim about whether they differ."""
    found = [(i, row) for i, row in enumerate(rows) if row.latency]
    if not found:
        return view.language.say("latency.equal_open")
    rate = max(row.rate_rps for _, row in found)
    ranked = sorted(
        ((row.latency.p99_us, i, row) for i, row in found if row.rate_rps == rate and row.latency),
        key=lambda each: each[:2],
    )
    if len(ranked) < 2:
        return view.language.say("latency.equal_open")
    (low, i, first), (high, j, last) = ranked[0], ranked[-1]
    return view.language.say(
        "latency.equal_said",
        rate=Figure(significant(rate, 4), rate, f"studies.latency.{i}.rate_rps"),
        first=first.target,
        lowest=milliseconds(low, f"studies.latency.{i}.latency.p99_us"),
        last=last.target,
        highest=milliseconds(high, f"studies.latency.{j}.latency.p99_us"),
    )


def _curves(view: View, rows: Sequence[LatencyRow]) -> tuple[Chart, ...]:
    charts = []
    text = view.language.text
    for number, rate in enumerate(sorted({row.rate_rps for row in rows})):
        mine = [rows[i] for i in ordered(view, rows) if rows[i].rate_rps == rate and rows[i].curve]
        # Distances to the right are in nines: 50%, 90%, 99%, 99.9%.
        lines = [
            (target_of(view, row.target), [(1 / (1 - at), value / 1e3) for at, value in row.curve if at >= 0.5])
            for row in mine
        ]
        furthest = max((x for _, line in lines for x, _ in line), default=0.0)
        ticks = [(1 / (1 - at), label) for at, label in TICKS if 1 / (1 - at) <= furthest * 1.01]
        words = (
            f"curve-{number}",
            text("latency.curve", rate=significant(rate, 4)),
            text("latency.curve_chart"),
            text("latency.axis_share"),
            text("latency.axis_response"),
        )
        chart = lines_chart(view, lines, words, x_values=ticks) if ticks else None
        charts += [chart] if chart else []
    return tuple(charts)


def _capacity(view: View, rows: Sequence[CapacityRow]) -> Part:
    text = view.language.text
    table = []
    for index in ordered(view, rows):
        row, path = rows[index], f"studies.capacity.{index}"
        ends = tuple(
            None if value is None else plain_number(value, f"{path}.{name}")
            for name, value in (("rps", row.rps), ("low_rps", row.low_rps), ("high_rps", row.high_rps))
        )
        confirmed = text(
            "latency.confirmed_counts",
            held=row.below_held,
            below=row.below,
            failed=row.above_failed,
            above=row.above,
        )
        table.append(TableRow(row.target, (*ends, confirmed), why(row, view.language)))
    bound = next((row.bound_ms for row in rows), 0.0)
    lines = [
        (target_of(view, rows[i].target), sorted((rate, p99 / 1e3) for rate, p99, _ in rows[i].tried))
        for i in ordered(view, rows)
    ]
    words = (
        "capacity-tried",
        text("latency.tried"),
        text("latency.tried_chart", bound=f"{bound:g}"),
        text("latency.axis_rate"),
        text("studies.axis_p99"),
    )
    chart = lines_chart(view, lines, words, bound=bound)
    return Part(
        "capacity",
        text("latency.capacity"),
        text("latency.capacity_intro", bound=f"{bound:g}"),
        _capacity_sentence(view, rows),
        (chart,) if chart else (),
        (text("latency.rps"), text("latency.low"), text("latency.high"), text("latency.confirmed")),
        tuple(table),
    )


def _capacity_sentence(view: View, rows: Sequence[CapacityRow]) -> Sentence:
    """The highest estimate, with its interval, and the targets whose intervals lie wholly below it."""
    found = [(row.rps, i, row) for i, row in enumerate(rows) if row.rps and row.low_rps and row.high_rps]
    if not found:
        return view.language.say("latency.capacity_open")
    _, index, best = max(found, key=lambda each: each[:2])
    assert best.rps is not None
    assert best.low_rps is not None
    assert best.high_rps is not None
    path = f"studies.capacity.{index}"
    below = [row.target for _, _, row in found if row.high_rps is not None and row.high_rps < best.low_rps]
    others = len(found) - 1
    key = "latency.capacity_said"
    if others and len(below) == others:
        key = "latency.capacity_clear"
    elif others:
        key = "latency.capacity_overlap"
    return view.language.say(
        key,
        target=best.target,
        bound=f"{best.bound_ms:g}",
        rps=plain_number(best.rps, f"{path}.rps"),
        low=plain_number(best.low_rps, f"{path}.low_rps"),
        high=plain_number(best.high_rps, f"{path}.high_rps"),
    )


def _overload(view: View, rows: Sequence[OverloadRow]) -> Part:
    text = view.language.text
    table = []
    for index in ordered(view, rows):
        row, path = rows[index], f"studies.overload.{index}"
        lost = None if row.unanswered_share is None else share(row.unanswered_share, f"{path}.unanswered_share")
        back: Figure | str | None = text("latency.never") if row.status == "ok" else None
        if row.recovery_s is not None:
            back = plain_number(row.recovery_s, f"{path}.recovery_s", 2)
        errors = ", ".join(f"{kind} {number:,}" for kind, number in row.errors.items()) or text("latency.none")
        spread = spread_entries(row.latency, f"{path}.latency")
        recovered = text("latency.recovered_of", count=row.recovered, blocks=row.blocks)
        rate = plain_number(row.rate_rps, f"{path}.rate_rps") if row.rate_rps else None
        entries = (rate, *spread[:2], lost, errors, back, recovered)
        table.append(TableRow(row.target, entries, why(row, view.language)))
    return Part(
        "overload",
        text("latency.overload"),
        text("latency.overload_intro"),
        _overload_sentence(view, rows),
        (),
        (
            text("latency.rate"),
            text("studies.p50"),
            text("studies.p99"),
            text("latency.unanswered"),
            text("latency.errors"),
            text("latency.back"),
            text("latency.recovered"),
        ),
        tuple(table),
    )


def _overload_sentence(view: View, rows: Sequence[OverloadRow]) -> Sentence:
    """The target that leaves most unanswered, and how long the slowest took to come back."""
    found = [(row.unanswered_share, i, row) for i, row in enumerate(rows) if row.unanswered_share is not None]
    if not found:
        return view.language.say("latency.overload_open")
    lost, index, worst = max(found, key=lambda each: each[:2])
    fields: dict[str, Field] = {
        "target": worst.target,
        "share": share(lost, f"studies.overload.{index}.unanswered_share"),
    }
    if any(row.recovered < row.blocks for _, _, row in found):
        return view.language.say("latency.overload_some", **fields)
    slowest = max(((row.recovery_s or 0.0, i, row) for _, i, row in found), key=lambda each: each[:2])
    back = plain_number(slowest[0], f"studies.overload.{slowest[1]}.recovery_s", 2)
    return view.language.say("latency.overload_said", last=slowest[2].target, back=back, **fields)
