"""Latency at equal offered load, the capacity at an objective, and what lies beyond it."""

from __future__ import annotations

from collections.abc import Sequence

from harness.model.units import significant
from harness.report.blocks import Column, Entry
from harness.report.charts.lines import lines_chart
from harness.report.charts.svg import Chart
from harness.report.language.catalogue import Field
from harness.report.numbers import Format, Sentence, count, milliseconds, number, rough, share, shown
from harness.report.sections.studies import SPREAD, Rows, Study, target_of
from harness.report.sentences import extremes
from harness.report.view import View
from harness.studies.capacity import CapacityRow, OverloadRow

TICKS = ((0.5, "50%"), (0.9, "90%"), (0.99, "99%"), (0.999, "99.9%"), (0.9999, "99.99%"))
offered = Format(lambda rate: significant(rate, 4))


LATENCY = Column("latency.rate", "rate_rps", offered), *SPREAD, Column("latency.samples", "latency.count", count)


def _latency_sentence(view: View, rows: Rows) -> Sentence:
    """The highest rate: lowest and highest p99, with no claim about whether they differ."""
    found = [(path, row) for path, row in rows if row.latency]
    highest = max((row.rate_rps for _, row in found), default=0.0)
    found = [(path, row) for path, row in found if row.rate_rps == highest]
    ends = extremes(view, found, "latency.p99_us", milliseconds)
    if not ends:
        return view.language.say("latency.equal_open")
    path, first = found[0]
    return view.language.say("latency.equal_said", rate=shown(first, path, "rate_rps", offered), **ends)


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


def _confirmed(view: View, row: CapacityRow, path: str) -> str:
    below: dict[str, Field] = {"held": row.below_held, "below": row.below}
    return view.language.text("latency.confirmed_counts", **below, failed=row.above_failed, above=row.above)


ENDS = ("rps", "low_rps", "high_rps")
CAPACITY = (
    *(Column(f"latency.{path.partition('_')[0]}", path) for path in ENDS),
    Column("latency.confirmed", said=_confirmed),
)


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


def _back(view: View, row: OverloadRow, path: str) -> Entry:
    never = view.language.text("latency.never") if row.status == "ok" else None
    return never if row.recovery_s is None else rough(row.recovery_s, f"{path}.recovery_s")


def _errors(view: View, row: OverloadRow, path: str) -> str:
    listed = ", ".join(f"{kind} {number:,}" for kind, number in row.errors.items())
    return listed or view.language.text("latency.none")


def _recovered(view: View, row: OverloadRow, path: str) -> str:
    return view.language.text("latency.recovered_of", count=row.recovered, blocks=row.blocks)


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
    Study("latency", "latency.equal", _latency_sentence, LATENCY, _curves),
    Study("capacity", "latency.capacity", _capacity_sentence, CAPACITY, _tried, _bound),
    Study("overload", "latency.overload", _overload_sentence, OVERLOAD),
)
