"""The decision table, and throughput and CPU cost drawn point by point."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from harness.model import Point, Target
from harness.report.blocks import Block, Column, Fold, Heading, Plots, Row, Table, Text
from harness.report.charts.rows import cells_chart
from harness.report.language.catalogue import Language
from harness.report.numbers import Placed, measured
from harness.report.view import View
from harness.results.summary import Cell

CHARTED = 16
"""The most points that are drawn; the table holds all."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Every target at every point, but for the sweep over waits, which has a section of its own.

    Attributes:
        groups: scenario titles and how many of the points each spans.
        rows: target, and whether it is shown at first.
        blocks: what stands below the table.
    """

    groups: tuple[tuple[str, int], ...]
    points: tuple[Point, ...]
    rows: tuple[tuple[Target, bool], ...]
    blocks: tuple[Block, ...]


def decision(view: View) -> Decision | None:
    """``None`` where the run measured nothing but waits."""
    points = tuple(place for place in view.places.values() if view.question(place) != "move")
    first = {target.name for target in view.reference}
    rows = tuple((target, target.name in first) for target in view.targets.values())
    groups = tuple((title, len(list(same))) for title, same in groupby(map(view.title, points)))
    figures = tuple(_figure(view, place, str(number)) for number, place in enumerate(points[:CHARTED]))
    drawn = tuple(figure for figure in figures if figure.charts)
    text = view.language.text
    head = (Heading(text("decision.points")), Text(text("decision.points_intro"))) if drawn else ()
    return Decision(groups, points, rows, (*head, *drawn)) if rows and points else None


def _figure(view: View, place: Point, number: str) -> Plots:
    """The charts of one point, and its table."""
    text, where = view.language.text, view.where(place.id)
    charts = (
        *cells_chart(view, place, "throughput", f"rps-{number}"),
        *cells_chart(view, place, "cpu_cost", f"cpu-{number}"),
    )
    columns = Column(text("words.rps"), "throughput_rps", measured), Column(text("words.cpu"), "cpu_us", measured)
    rows = []
    for target in view.reference:
        path, cell = view.ok(target.name, place.id) or ("", None)
        why = "" if cell else ": ".join(missing(view.cell(target.name, place.id), view.language))
        rows.append(Row(view.name(target.name), tuple(column.entry(cell, path) for column in columns), why))
    table = Table(f"{view.title(place)}, {where}", text("words.target"), columns, tuple(rows))
    fold = Fold(text("page.table"), (table,))
    return Plots(charts, view.title(place), view.why(place), where, f"point-{number}", (fold,), beside=True)


def missing(found: Placed[Cell] | None, language: Language) -> tuple[str, str]:
    """State and reason of a cell without a number."""
    if found is None:
        return language.text("states.not-run"), language.text("states.not_part")
    return language.text(f"states.{found[1].status}"), language.reasons(found[1].reasons)
