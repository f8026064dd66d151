"""Memory under load: growth with the requests, and what is left of it when the load is over."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from harness.model.units import MIB
from harness.report.blocks import Column
from harness.report.charts.lines import lines_chart
from harness.report.charts.svg import Chart
from harness.report.language.catalogue import Field
from harness.report.numbers import Sentence, count, measured, mebibytes, shown, thousands
from harness.report.sections.studies import Rows, Study, target_of
from harness.report.view import View
from harness.studies.memory import LEAK_BYTES


def _fields(rows: Rows) -> dict[str, Field]:
    return {"limit": f"{LEAK_BYTES:g}", "rest": f"{max(row.rest_s for _, row in rows):g}"}


def _columns(view: View, rows: Rows) -> tuple[Column, ...]:
    text = view.language.text
    return (
        Column(text("memory.per_thousand"), "growth_bytes", partial(measured, unit=1e3)),
        Column(
            text("memory.leak"),
            said=lambda row, path: text(f"memory.leak_{row.leak}") if row.growth_bytes else None,
        ),
        Column(text("memory.warm"), "warm_bytes", mebibytes),
        Column(text("memory.loaded"), "loaded_bytes", mebibytes),
        Column(text("memory.rested", **_fields(rows)), "rested_bytes", mebibytes),
        Column(text("memory.requests"), "requests", count),
    )


def _curves(view: View, rows: Rows) -> Sequence[Chart]:
    lines = [(target_of(view, row.target), [(sent, size / MIB) for sent, size in row.curve]) for _, row in rows]
    title, note, x, y = map(view.language.text, [f"memory.{name}" for name in ("curve", "curve_chart", *AXES)])
    return lines_chart(view, lines, ("memory-curve", title, note, x, y), linear=True)


AXES = "axis_requests", "axis_mib"


def _sentence(view: View, rows: Rows) -> Sentence:
    """The target whose memory grows most, and whether that is a leak."""
    say = view.language.say
    known = [(path, row) for path, row in rows if row.growth_bytes]
    found = [(path, row) for path, row in known if row.leak == "found"]
    if not known or not (found or all(row.leak == "none" for _, row in known)):
        return say("memory.open")
    path, worst = max(found or known, key=lambda each: float(each[1].growth_bytes.value))
    names = {"growth": "value", "low": "ci_low", "high": "ci_high"}
    fields: dict[str, Field] = {
        key: shown(worst, path, f"growth_bytes.{name}", thousands) for key, name in names.items()
    }
    fields["target"] = view.name(worst.target)
    if not found:
        return say("memory.none", limit=f"{LEAK_BYTES:g}", **fields)
    others = ", ".join(view.name(row.target) for _, row in found if row is not worst)
    more = (" ", *say("memory.found_others", others=others)) if others else ()
    return (*say("memory.found", **fields), *more)


STUDIES = (Study("memory", "memory.growth", _sentence, _columns, _curves, _fields),)
