"""Latency at equal offered load, the capacity at an objective, and what lies beyond it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.model.units import significant
from harness.report.blocks import Column, Entry
from harness.report.charts.lines import lines_chart
from harness.report.charts.svg import Chart
from harness.report.numbers import Format, Sentence, by, count, milliseconds, number, rough, share, shown
from harness.report.sections.studies import SPREAD, Rows, StudyView
from harness.report.sentences import Fields, extremes
from harness.report.view import View
from harness.studies.capacity import CapacityRow, OverloadRow

TICKS = ((0.5, "50%"), (0.9, "90%"), (0.99, "99%"), (0.999, "99.9%"), (0.9999, "99.99%"))
offered = Format(lambda rate: significant(rate, 4))


LATENCY = Column("latency.rate", "rate_rps", offered), *SPREAD, Column("latency.samples", "latency.count", count)


def _latency_sentence(view: View, rows: Rows) -> Sentence:
    """The highest rate: lowest and highest p99, with no claim about whether they differ."""
    known = [(path, row) for path, row in rows if row.latency]
    highest = max((row.rate_rps for _, row in known), default=0.0)
    known = [(path, row) for path, row in known if row.rate_rps == highest]
    ends = extremes(view, known, "latency.p99_us", milliseconds)
    if not ends:
        return ()
    path, first = known[0]
    return view.say("latency.equal_said", rate=shown(first, path, "rate_rps", offered), **ends)


def _curves(view: View, rows: Rows) -> Iterator[Chart]:
    for place, rate in enumerate(sorted({row.rate_rps for _, row in rows})):
        # Distances to the right are in nines: 50%, 90%, 99%, 99.9%.
        lines = [
            (view.target(row.target), [(1 / (1 - at), value / 1e3) for at, value in row.curve if at >= 0.5])
            for _, row in rows
            if row.rate_rps == rate and row.curve
        ]
        furthest = max((x for _, line in lines for x, _ in line), default=0.0)
        ticks = [(1 / (1 - at), label) for at, label in TICKS if 1 / (1 - at) <= furthest * 1.01]
        title = view.text("latency.curve", rate=offered.text(rate))
        words = f"curve-{place}", title, "latency.curve_chart", "latency.axis_share", "latency.axis_response"
        if ticks:
            yield from lines_chart(view, lines, words, x_values=ticks)


def _bound(rows: Rows) -> Fields:
    return {"bound": f"{rows[0][1].bound_ms:g}"}


def _confirmed(view: View, row: CapacityRow, path: str) -> str:
    counts: Fields = {"met": row.below_held, "below": row.below, "missed": row.above_failed, "above": row.above}
    return view.text("latency.confirmed_counts", **counts)


ENDS = ("rps", "low_rps", "high_rps")
CAPACITY = (
    *(Column(f"latency.{path.partition('_')[0]}", path) for path in ENDS),
    Column("latency.confirmed", said=_confirmed),
)


def _tried(view: View, rows: Rows) -> Iterable[Chart]:
    lines = [(view.target(row.target), sorted((rate, p99 / 1e3) for rate, p99, _ in row.tried)) for _, row in rows]
    note = view.text("latency.tried_chart", **_bound(rows))
    words = "capacity-tried", "latency.tried", note, "latency.axis_rate", "studies.axis_p99"
    return lines_chart(view, lines, words, bound=rows[0][1].bound_ms)


def _capacity_sentence(view: View, rows: Rows) -> Sentence:
    """The highest estimate, with its interval, and the targets whose intervals lie wholly below it."""
    known = [(path, row) for path, row in rows if row.rps and row.low_rps and row.high_rps]
    if not known:
        return ()
    path, best = max(known, key=by("rps"))
    others = [row for _, row in known if row is not best]
    clear = all(row.high_rps < best.low_rps for row in others)
    key = "said" if not others else "clear" if clear else "overlap"
    rps, low, high = (shown(best, path, name) for name in ENDS)
    fields: Fields = {"target": view.name(best.target), **_bound([(path, best)])}
    return view.say(f"latency.capacity_{key}", rps=rps, low=low, high=high, **fields)


def _back(view: View, row: OverloadRow, path: str) -> Entry:
    never = view.text("latency.never") if row.status == "ok" else None
    return rough(row.recovery_s, f"{path}.recovery_s") or never


def _errors(view: View, row: OverloadRow, path: str) -> str:
    return ", ".join(f"{kind} {number:,}" for kind, number in row.errors.items()) or view.text("latency.none")


def _recovered(view: View, row: OverloadRow, path: str) -> str:
    return view.text("latency.recovered_of", count=row.recovered, blocks=row.blocks)


OVERLOAD = (
    Column("latency.rate", said=lambda view, row, path: number(row.rate_rps or None, f"{path}.rate_rps")),
    *SPREAD[:2],
    Column("latency.unanswered", "unanswered_share", share),
    Column("latency.errors", said=_errors),
    Column("latency.back", said=_back),
    Column("latency.recovered", said=_recovered),
)


def _overload_sentence(view: View, rows: Rows) -> Sentence:
    """The target that leaves most unanswered, and how long the slowest took to come back."""
    known = [(path, row) for path, row in rows if row.unanswered_share is not None]
    if not known:
        return ()
    path, worst = max(known, key=by("unanswered_share"))
    lost = shown(worst, path, "unanswered_share", share)
    fields: Fields = {"target": view.name(worst.target), "share": lost}
    if any(row.recovered < row.blocks for _, row in known):
        return view.say("latency.overload_some", **fields)
    path, last = max(known, key=lambda each: float(each[1].recovery_s or 0.0))
    back = rough(last.recovery_s or 0.0, f"{path}.recovery_s")
    return view.say("latency.overload_said", last=view.name(last.target), back=back, **fields)


STUDY_VIEWS = (
    StudyView("latency", "latency.equal", _latency_sentence, LATENCY, _curves),
    StudyView("capacity", "latency.capacity", _capacity_sentence, CAPACITY, _tried, _bound),
    StudyView("overload", "latency.overload", _overload_sentence, OVERLOAD),
)
