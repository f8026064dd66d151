"""Latency at equal offered load, the capacity at an objective, and what lies beyond it."""

from __future__ import annotations

from collections.abc import Sequence

from harness.model.units import significant
from harness.report.blocks import Column, Entry
from harness.report.charts.lines import lines_chart
from harness.report.charts.svg import Chart
from harness.report.language.catalogue import Field
from harness.report.numbers import Format, Sentence, count, milliseconds, number, rough, share, shown
from harness.report.sections.studies import Rows, Study, p99_of, spread_columns, target_of
from harness.report.view import View
from harness.studies.capacity import CapacityRow, OverloadRow

TICKS = ((0.5, "50%"), (0.9, "90%"), (0.99, "99%"), (0.999, "99.9%"), (0.9999, "99.99%"))
offered = Format(lambda rate: significant(rate, 4))


def _latency_columns(view: View, rows: Rows) -> tuple[Column, ...]:
    text = view.language.text
    rate, samples = Column(text("latency.rate"), "rate_rps", offered), text("latency.samples")
    return rate, *spread_columns(view), Column(samples, "latency.count", count)


def _latency_sentence(view: View, rows: Rows) -> Sentence:
    """The highest rate: lowest and highest p99, with no claim about whether they differ."""
    found = [(path, row) for path, row in rows if row.latency]
    highest = max((row.rate_rps for _, row in found), default=0.0)
    ranked = sorted(((path, row) for path, row in found if row.rate_rps == highest), key=p99_of)
    if len(ranked) < 2:
        return view.language.say("latency.equal_open")
    (low, first), (high, last) = ranked[0], ranked[-1]
    return view.language.say(
        "latency.equal_said",
        rate=shown(first, low, "rate_rps", offered),
        first=view.name(first.target),
        lowest=shown(first, low, "latency.p99_us", milliseconds),
        last=view.name(last.target),
        highest=shown(last, high, "latency.p99_us", milliseconds),
    )


def _curves(view: View, rows: Rows) -> list[Chart]:
    charts: list[Chart] = []
    text = view.language.text
    for place, rate in enumerate(sorted({row.rate_rps for _, row in rows})):
        # Distances to the right are in nines: 50%, 90%, 99%, 99.9%.
        lines = [
            (target_of(view, row.target), [(1 / (1 - at), value / 1e3) for at, value in row.curve if at >= 0.5])
            for _, row in rows
            if row.rate_rps == rate and row.curve
        ]
        furthest = max((x for _, line in lines for x, _ in line), default=0.0)
        ticks = [(1 / (1 - at), label) for at, label in TICKS if 1 / (1 - at) <= furthest * 1.01]
        title, note = text("latency.curve", rate=offered.text(rate)), text("latency.curve_chart")
        words = f"curve-{place}", title, note, text("latency.axis_share"), text("latency.axis_response")
        charts += lines_chart(view, lines, words, x_values=ticks) if ticks else ()
    return charts


def _bound(rows: Rows) -> dict[str, Field]:
    return {"bound": f"{rows[0][1].bound_ms:g}"}


def _capacity_columns(view: View, rows: Rows) -> tuple[Column, ...]:
    text = view.language.text

    def confirmed(row: CapacityRow, path: str) -> str:
        below: dict[str, Field] = {"held": row.below_held, "below": row.below}
        return text("latency.confirmed_counts", **below, failed=row.above_failed, above=row.above)

    ends = tuple(Column(text(f"latency.{name}"), path) for name, path in zip(("rps", "low", "high"), ENDS, strict=True))
    return *ends, Column(text("latency.confirmed"), said=confirmed)


ENDS = ("rps", "low_rps", "high_rps")


def _tried(view: View, rows: Rows) -> Sequence[Chart]:
    text, bound = view.language.text, rows[0][1].bound_ms
    lines = [(target_of(view, row.target), sorted((rate, p99 / 1e3) for rate, p99, _ in row.tried)) for _, row in rows]
    title, note = text("latency.tried"), text("latency.tried_chart", bound=f"{bound:g}")
    words = "capacity-tried", title, note, text("latency.axis_rate"), text("studies.axis_p99")
    return lines_chart(view, lines, words, bound=bound)


def _capacity_sentence(view: View, rows: Rows) -> Sentence:
    """The highest estimate, with its interval, and the targets whose intervals lie wholly below it."""
    found = [(path, row) for path, row in rows if row.rps and row.low_rps and row.high_rps]
    if not found:
        return view.language.say("latency.capacity_open")
    path, best = max(found, key=lambda each: float(each[1].rps))
    others = [row for _, row in found if row is not best]
    clear = all(row.high_rps < best.low_rps for row in others)
    key = "said" if not others else "clear" if clear else "overlap"
    rps, low, high = (shown(best, path, name) for name in ENDS)
    fields: dict[str, Field] = {"target": view.name(best.target), **_bound([(path, best)])}
    return view.language.say(f"latency.capacity_{key}", rps=rps, low=low, high=high, **fields)


def _overload_columns(view: View, rows: Rows) -> tuple[Column, ...]:
    text = view.language.text

    def back(row: OverloadRow, path: str) -> Entry:
        never = text("latency.never") if row.status == "ok" else None
        return never if row.recovery_s is None else rough(row.recovery_s, f"{path}.recovery_s")

    def errors(row: OverloadRow, path: str) -> str:
        return ", ".join(f"{kind} {number:,}" for kind, number in row.errors.items()) or text("latency.none")

    return (
        Column(text("latency.rate"), said=lambda row, path: number(row.rate_rps or None, f"{path}.rate_rps")),
        *spread_columns(view)[:2],
        Column(text("latency.unanswered"), "unanswered_share", share),
        Column(text("latency.errors"), said=errors),
        Column(text("latency.back"), said=back),
        Column(
            text("latency.recovered"),
            said=lambda row, path: text("latency.recovered_of", count=row.recovered, blocks=row.blocks),
        ),
    )


def _overload_sentence(view: View, rows: Rows) -> Sentence:
    """The target that leaves most unanswered, and how long the slowest took to come back."""
    say, found = view.language.say, [(path, row) for path, row in rows if row.unanswered_share is not None]
    if not found:
        return say("latency.overload_open")
    path, worst = max(found, key=lambda each: float(each[1].unanswered_share))
    lost = shown(worst, path, "unanswered_share", share)
    fields: dict[str, Field] = {"target": view.name(worst.target), "share": lost}
    if any(row.recovered < row.blocks for _, row in found):
        return say("latency.overload_some", **fields)
    path, last = max(found, key=lambda each: float(each[1].recovery_s or 0.0))
    back = rough(last.recovery_s or 0.0, f"{path}.recovery_s")
    return say("latency.overload_said", last=view.name(last.target), back=back, **fields)


STUDIES = (
    Study("latency", "latency.equal", _latency_sentence, _latency_columns, _curves),
    Study("capacity", "latency.capacity", _capacity_sentence, _capacity_columns, _tried, _bound),
    Study("overload", "latency.overload", _overload_sentence, _overload_columns),
)
