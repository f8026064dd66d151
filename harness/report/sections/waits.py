"""Waiting without CPU: every target at every wait and concurrency, next to what its capacity allows."""

from __future__ import annotations

from collections import Counter

from harness.model.units import MIB
from harness.report.blocks import Block, Column, Entry, Fold, Plots, Table, Text, words
from harness.report.charts.lines import model_rps, sweep_charts
from harness.report.numbers import Measured, Placed, measured, number, numbered, times
from harness.report.sections.decision import value_or_state
from harness.report.view import View
from harness.results.summary import Cell, ModelCheck

PANELS = 12
"""The most targets that are drawn; the table holds all."""


def _allowed(view: View, cell: Cell, path: str) -> str:
    """The model's figure, computed for this page from the cell's CPU cost."""
    known = cell.status == "ok" and cell.throughput_rps is not None
    value = model_rps(view, view.targets[cell.target], view.places[cell.point], cell) if known else None
    return "" if value is None else number.text(value)


def _memory(view: View, cell: Cell, _: str) -> Measured | None:
    rows = [each for each in numbered("upkeep", view.summary.upkeep) if each[1].target == cell.target]
    return measured(rows[0][1].rss_bytes, f"{rows[0][0]}.rss_bytes", MIB) if rows else None


def _check(view: View, cell: Cell) -> Placed[ModelCheck] | None:
    checks = numbered("models", view.summary.models)
    return next((each for each in checks if (each[1].target, each[1].point) == (cell.target, cell.point)), None)


def _ratio(view: View, cell: Cell, _: str) -> Entry:
    check = _check(view, cell)
    return times(check[1].ratio, f"{check[0]}.ratio") if check else None


def _agrees(view: View, cell: Cell, _: str) -> str:
    check = _check(view, cell)
    return view.text("crossover.leaves" if check[1].leaves else "crossover.within") if check else ""


COLUMNS = (
    Column("words.capacity", said=lambda view, cell, path: view.targets[cell.target].capacity),
    words("crossover.scenario", lambda view, cell, path: view.title(cell.scenario)),
    Column("words.wait", said=lambda view, cell, path: f"{view.places[cell.point].wait_s * 1e3:g}"),
    Column("words.connections", said=lambda view, cell, path: str(cell.concurrency)),
    Column("words.rps", said=lambda view, cell, path: value_or_state(view, (path, cell), "throughput_rps")),
    Column("words.cpu", "cpu_us", measured),
    Column("words.memory", said=_memory),
    Column("waits.allowed", said=_allowed),
    Column("crossover.ratio", said=_ratio),
    words("crossover.agrees", _agrees),
)


def waits(view: View) -> tuple[Block, ...]:
    """Empty where the run measured no scenario of this question."""
    places = sorted(view.places_of("move"), key=lambda place: (place.scenario, place.wait_s, place.concurrency))
    cells = [
        cell
        for target in view.targets.values()
        for place in places
        if not target.twin_of and (cell := view.cell(target.name, place.id)) and cell[1].status != "not-run"
    ]
    if not cells:
        return ()
    [(most, _)] = Counter(place.scenario for place in places).most_common(1)
    charts = sweep_charts(view, view.reference[:PANELS], [place for place in places if place.scenario == most])
    caption, figure = view.text("waits.caption"), view.text("waits.figure")
    return (
        Text(view.text("waits.intro")),
        *((Plots(charts, caption, figure),) if charts else ()),
        Fold(view.text("page.table"), (Table.of(view, caption, COLUMNS, cells),), open=not charts),
    )
