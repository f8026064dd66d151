"""What the sections about load on one target alone are laid out from: a sentence, charts and a table per study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.analyse.summary.studies import Spread, StudyRow
from harness.model import Target
from harness.render.charts.svg import Chart
from harness.render.language.catalogue import Language
from harness.render.numbers import Figure, Measured, Sentence
from harness.render.view import View
from harness.units import MS, US, significant

Entry = Figure | Measured | str | None


@dataclass(frozen=True, slots=True)
class TableRow:
    """``why`` stands in place of the entries where there is no number."""

    target: str
    entries: tuple[Entry, ...]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One study; ``columns`` are those after the target's."""

    id: str
    title: str
    intro: str
    sentence: Sentence
    charts: tuple[Chart, ...]
    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]


def milliseconds(value_us: float, path: str) -> Figure:
    """A latency of the summary, which is in microseconds, as read in milliseconds."""
    return Figure(significant(value_us / US * MS, 3), value_us, path)


def plain_number(value: float, path: str, digits: int = 3) -> Figure:
    return Figure(significant(value, digits), value, path)


def count(value: int, path: str) -> Figure:
    return Figure(f"{value:,}", value, path)


def spread_entries(spread: Spread | None, path: str) -> tuple[Entry, ...]:
    """p50, p99, and the lowest and highest block's p99."""
    if spread is None:
        return None, None, None, None
    return (
        milliseconds(spread.p50_us, f"{path}.p50_us"),
        milliseconds(spread.p99_us, f"{path}.p99_us"),
        milliseconds(spread.p99_low_us, f"{path}.p99_low_us"),
        milliseconds(spread.p99_high_us, f"{path}.p99_high_us"),
    )


def spread_columns(language: Language) -> tuple[str, ...]:
    return tuple(language.text(f"studies.{name}") for name in ("p50", "p99", "p99_low", "p99_high"))


def why(row: StudyRow, language: Language) -> str:
    """Why a row has no number; empty where it has some."""
    if row.status == "ok":
        return ""
    return language.text(
        "studies.why", state=language.text(f"studies.{row.status.replace('-', '_')}"), reason=row.reason
    )


def target_of(view: View, name: str) -> Target:
    return view.declared.get(name) or Target(name, name, "native", "", "")


def ordered(view: View, rows: Sequence[StudyRow]) -> list[int]:
    """Indices of the rows, in the order in which the run's targets are declared."""
    order = {name: number for number, name in enumerate(view.declared)}
    return sorted(range(len(rows)), key=lambda index: (order.get(rows[index].target, len(order)), index))
