"""Waiting without CPU: throughput by connections and wait, beside what each target's capacity allows."""

from __future__ import annotations

from collections import Counter

from harness.report.blocks import Block, Column, Entry, Fold, Missing, Plots, Table, Text, words
from harness.report.charts.lines import model_rps, sweep_charts
from harness.report.numbers import measured, number
from harness.report.sections.decision import missing
from harness.report.view import View
from harness.results.summary import Cell

PANELS = 12
"""The most targets that are drawn; the table holds all."""


def waits(view: View) -> tuple[Block, ...]:
    """Empty where the run measured no scenario of this question."""
    text, places = view.language.text, view.places
    asked = sorted(view.asking("move"), key=lambda place: (place.scenario, place.wait_s, place.concurrency))
    cells = [
        found
        for target in view.targets.values()
        for place in asked
        if not target.twin_of and (found := view.cell(target.name, place.id)) and found[1].status != "not-run"
    ]
    if not cells:
        return ()

    def rate(cell: Cell, path: str) -> Entry:
        value = measured(cell.throughput_rps, f"{path}.throughput_rps") if cell.status == "ok" else None
        return value or Missing(missing((path, cell), view.language)[0])

    def allowed(cell: Cell, path: str) -> str:
        """The model's figure, computed for this page from the cell's CPU cost."""
        known = cell.status == "ok" and cell.throughput_rps is not None
        value = model_rps(view, view.targets[cell.target], places[cell.point], cell) if known else None
        return "" if value is None else number.text(value)

    columns = (
        Column(text("words.capacity"), said=lambda cell, path: view.targets[cell.target].capacity),
        words(text("crossover.scenario"), lambda cell, path: view.title(places[cell.point])),
        Column(text("words.wait"), said=lambda cell, path: f"{places[cell.point].wait_s * 1e3:g}"),
        Column(text("words.connections"), said=lambda cell, path: str(cell.concurrency)),
        Column(text("words.rps"), said=rate),
        Column(text("waits.allowed"), said=allowed),
    )
    counts = Counter(place.scenario for place in asked)
    swept = [place for place in asked if place.scenario == max(counts, key=lambda name: counts[name])]
    charts = sweep_charts(view, view.reference[:PANELS], swept)
    table = Table.of(text("waits.caption"), text("words.target"), lambda cell: view.name(cell.target), columns, cells)
    drawn = (Plots(charts, text("waits.caption"), text("waits.figure")),) if charts else ()
    return (Text(text("waits.intro")), *drawn, Fold(text("page.table"), (table,), open=not charts))
