"""Sections about load on one target alone: for each study a sentence, charts and a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.report.blocks import Block, Column, Fold, Heading, Plots, Table, Text
from harness.report.charts.svg import Chart
from harness.report.language.catalogue import Field
from harness.report.numbers import Placed, Sentence, milliseconds, numbered
from harness.report.view import View
from harness.studies.groups import StudyRow

Rows = Sequence[Placed[Any]]


def why(view: View, row: StudyRow) -> str:
    """Why a row has no number; empty where it has some."""
    if row.reason is None:
        return ""
    state = view.text(f"studies.{row.status.replace('-', '_')}")
    return view.text("studies.why", state=state, reason=view.language.reason(row.reason))


@dataclass(frozen=True, slots=True)
class StudyView:
    """A study as the report shows it.

    Attributes:
        name: field of the summary's ``studies``.
        key: of its title; that of what introduces it ends in ``_intro``, that of what an open one says in ``_open``.
        sentence: empty where its windows leave it open.
        columns: those after the target's.
        charts: may expect the rows in the order in which the run declares its targets.
        fields: of the texts.
        why: what stands in place of a row's numbers; empty where it has some.
    """

    name: str
    key: str
    sentence: Callable[[View, Rows], Sentence]
    columns: tuple[Column, ...]
    charts: Callable[[View, Rows], Iterable[Chart]] = lambda view, rows: ()
    fields: Callable[[Rows], Mapping[str, Field]] = lambda rows: {}
    why: Callable[[View, Any], str] = why

    def rows(self, view: View) -> Rows:
        return numbered(f"studies.{self.name}", getattr(view.summary.studies, self.name))

    def said(self, view: View) -> Sentence:
        """Its sentence; empty where the run has no window of it."""
        rows = self.rows(view)
        return (self.sentence(view, rows) or view.say(f"{self.key}_open")) if rows else ()

    def blocks(self, view: View) -> tuple[Block, ...]:
        """Empty where the run has no window of it."""
        rows, text = self.rows(view), view.text
        if not rows:
            return ()
        title, order = text(self.key), {name: place for place, name in enumerate(view.declared)}
        ordered = sorted(rows, key=lambda row: order.get(row[1].target, len(order)))
        charts, fields = tuple(self.charts(view, ordered)), self.fields(rows)
        table = Table.of(view, title, self.columns, ordered, why=lambda row: self.why(view, row), fields=fields)
        return (
            Heading(title, self.key.replace(".", "-").replace("_", "-")),
            Text(self.said(view)),
            Text(text(f"{self.key}_intro", **fields), note=True),
            *((Plots(charts), Text(charts[0].description, note=True)) if charts else ()),
            Fold(text("page.table"), (table,), open=not charts),
        )


SPREAD = tuple(
    Column(f"studies.{name}", f"latency.{name}_us", milliseconds) for name in ("p50", "p99", "p99_low", "p99_high")
)
"""p50, p99, and the lowest and highest block's p99."""
