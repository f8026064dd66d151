"""Memory under load: growth with the requests, and what is left of it when the load is over."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from harness.model.units import MIB
from harness.report.blocks import Column
from harness.report.charts.lines import lines_chart
from harness.report.charts.svg import Chart
from harness.report.language.catalogue import Field
from harness.report.numbers import Sentence, count, measured, mebibytes, spanned, thousands
from harness.report.sections.studies import Rows, Study, target_of
from harness.report.view import View
from harness.studies.memory import LEAK_BYTES, MemoryRow


def _fields(rows: Rows) -> dict[str, Field]:
    return {"limit": f"{LEAK_BYTES:g}", "rest": f"{max(row.rest_s for _, row in rows):g}"}


def _leak(view: View, row: MemoryRow, path: str) -> str | None:
    return view.language.text(f"memory.leak_{row.leak}") if row.growth_bytes else None


COLUMNS = (
    Column("memory.per_thousand", "growth_bytes", partial(measured, unit=1e3, negative=True)),
    Column("memory.leak", said=_leak),
    Column("memory.warm", "warm_bytes", mebibytes),
    Column("memory.loaded", "loaded_bytes", mebibytes),
    Column("memory.rested", "rested_bytes", mebibytes),
    Column("memory.requests", "requests", count),
)


def _curves(view: View, rows: Rows) -> Sequence[Chart]:
    lines = [(target_of(view, row.target), [(sent, size / MIB) for sent, size in row.curve]) for _, row in rows]
    texts = ("memory.curve", "memory.curve_chart", "memory.axis_requests", "memory.axis_mib")
    title, note, x, y = map(view.language.text, texts)
    return lines_chart(view, lines, ("memory-curve", title, note, x, y), linear=True)


def _sentence(view: View, rows: Rows) -> Sentence:
    """The target whose memory grows most, and whether that is a leak."""
    say = view.language.say
    known = [(path, row) for path, row in rows if row.growth_bytes]
    found = [(path, row) for path, row in known if row.leak == "found"]
    if not known or not (found or all(row.leak == "none" for _, row in known)):
        return say("memory.open")
    path, worst = max(found or known, key=lambda each: float(each[1].growth_bytes.value))
    fields: dict[str, Field] = {"target": view.name(worst.target)}
    fields |= spanned(worst, path, "growth_bytes", thousands, "growth")
    if not found:
        return say("memory.none", limit=f"{LEAK_BYTES:g}", **fields)
    others = ", ".join(view.name(row.target) for _, row in found if row is not worst)
    more = (" ", *say("memory.found_others", others=others)) if others else ()
    return (*say("memory.found", **fields), *more)


STUDIES = (Study("memory", "memory.growth", _sentence, COLUMNS, _curves, _fields),)
