"""The decision table, and throughput and CPU cost drawn point by point."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from harness.analyse.summary import Cell
from harness.model import Target
from harness.render.charts.cells import cells_chart
from harness.render.charts.style import HUES
from harness.render.charts.svg import Chart
from harness.render.language.catalogue import ENGLISH, Language
from harness.render.numbers import Measured, measured
from harness.render.view import Place, View

CHARTED = 16
"""The most points that are drawn; the table holds all."""


@dataclass(frozen=True, slots=True)
class DecisionCell:
    """``why`` is given where there is no number; ``tie`` is the letter of the tie group."""

    throughput: Measured | None
    cpu: Measured | None
    tie: str = ""
    state: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    target: Target
    hue: int
    cells: tuple[DecisionCell, ...]
    shown_first: bool


@dataclass(frozen=True, slots=True)
class Column:
    place: Place
    setting: str


@dataclass(frozen=True, slots=True)
class DecisionTable:
    """``groups``: scenario titles and how many columns each spans."""

    groups: tuple[tuple[str, int], ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    @property
    def extra(self) -> int:
        return sum(not row.shown_first for row in self.rows)


@dataclass(frozen=True, slots=True)
class PointFigure:
    """The charts of one point and the rows of its table."""

    key: str
    title: str
    setting: str
    why: str
    charts: tuple[Chart, ...]
    rows: tuple[tuple[str, DecisionCell], ...]


@dataclass(frozen=True, slots=True)
class Decision:
    table: DecisionTable
    figures: tuple[PointFigure, ...]


def decision(view: View) -> Decision | None:
    """``None`` where the run measured nothing but waits."""
    table = decision_table(view)
    return Decision(table, point_figures(view)) if table.rows and table.columns else None


def hue_number(view: View, framework: str) -> int:
    return view.frameworks.index(framework) % HUES if framework in view.frameworks else 0


def decision_table(view: View) -> DecisionTable:
    """Every target at every point, but for the sweep over waits, which has a section of its own."""
    places = [place for place in view.places.values() if view.question(place) != "move"]
    first = {target.name for target in view.reference}
    rows = tuple(
        Row(
            target=target,
            hue=hue_number(view, target.framework),
            cells=tuple(_cell(view, target, place) for place in places),
            shown_first=target.name in first,
        )
        for target in view.targets.values()
    )
    groups = tuple((title, len(list(same))) for title, same in groupby(view.title(place) for place in places))
    return DecisionTable(groups, tuple(Column(place, view.setting(place)) for place in places), rows)


def point_figures(view: View) -> tuple[PointFigure, ...]:
    places = [place for place in view.places.values() if view.question(place) != "move"]
    found = []
    for number, place in enumerate(places[:CHARTED]):
        drawn = [
            cells_chart(view, place, "throughput", f"rps-{number}"),
            cells_chart(view, place, "cpu_cost", f"cpu-{number}"),
        ]
        charts = tuple(chart for chart in drawn if chart is not None)
        if not charts:
            continue
        rows = tuple((target.name, _cell(view, target, place)) for target in view.reference)
        titles = view.title(place), view.where(place.id), view.why(place)
        found.append(PointFigure(f"point-{number}", *titles, charts, rows))
    return tuple(found)


def missing(cell: Cell | None, language: Language = ENGLISH) -> tuple[str, str]:
    """State and reason of a cell without a number."""
    if cell is None:
        return language.text("states.not-run"), language.text("states.not_part")
    reasons = "; ".join(language.reason(reason) for reason in cell.reasons)
    return language.text(f"states.{cell.status}"), reasons or language.text("states.no_reason")


def _cell(view: View, target: Target, place: Place) -> DecisionCell:
    found = view.cell(target.name, place.id)
    if found is None or found[1].status != "ok":
        state, why = missing(found[1] if found else None, view.language)
        return DecisionCell(None, None, state=state, why=why)
    index, cell = found
    rate = measured(cell.throughput_rps, f"cells.{index}.throughput_rps") if cell.throughput_rps else None
    cost = measured(cell.cpu_us, f"cells.{index}.cpu_us") if cell.cpu_us else None
    return DecisionCell(rate, cost, tie=cell.tie_group)
