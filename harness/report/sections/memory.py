"""Memory under load: growth with the requests, and what is left of it when the load is over."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from harness.model.units import MIB
from harness.report.blocks import Column
from harness.report.charts.lines import lines_chart
from harness.report.charts.svg import Chart
from harness.report.numbers import Sentence, by, count, measured, mib, spanned, thousands
from harness.report.sections.studies import Rows, StudyView
from harness.report.sentences import Fields
from harness.report.view import View
from harness.studies.memory import LEAK_BYTES, MemoryRow


def _fields(rows: Rows) -> Fields:
    return {"limit": f"{LEAK_BYTES:g}", "rest": f"{max(row.rest_s for _, row in rows):g}"}


def _leak(view: View, row: MemoryRow, path: str) -> str | None:
    return view.text(f"memory.leak_{row.leak}") if row.growth_bytes else None


COLUMNS = (
    Column("memory.per_thousand", "growth_bytes", partial(measured, unit=1e3, negative=True)),
    Column("memory.leak", said=_leak),
    Column("memory.warm", "warm_bytes", mib),
    Column("memory.loaded", "loaded_bytes", mib),
    Column("memory.rested", "rested_bytes", mib),
    Column("memory.requests", "requests", count),
)


def _curves(view: View, rows: Rows) -> Iterable[Chart]:
    lines = [(view.target(row.target), [(sent, size / MIB) for sent, size in row.curve]) for _, row in rows]
    words = "memory-curve", "memory.curve", "memory.curve_chart", "memory.axis_requests", "memory.axis_mib"
    return lines_chart(view, lines, words, linear=True)


def _sentence(view: View, rows: Rows) -> Sentence:
    """The target whose memory grows most, and whether that is a leak."""
    known = [(path, row) for path, row in rows if row.growth_bytes]
    leaking = [(path, row) for path, row in known if row.leak == "found"]
    if not known or not (leaking or all(row.leak == "none" for _, row in known)):
        return ()
    path, worst = max(leaking or known, key=by("growth_bytes.value"))
    fields: Fields = {"target": view.name(worst.target)}
    fields |= spanned(worst, path, "growth_bytes", thousands, "growth")
    if not leaking:
        return view.say("memory.none", limit=f"{LEAK_BYTES:g}", **fields)
    others = ", ".join(view.name(row.target) for _, row in leaking if row is not worst)
    more = (" ", *view.say("memory.found_others", others=others)) if others else ()
    return (*view.say("memory.found", **fields), *more)


STUDY_VIEWS = (StudyView("memory", "memory.growth", _sentence, COLUMNS, _curves, _fields),)
