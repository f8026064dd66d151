"""Every contrast of the run, the A/A control first: forest plots, and one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.analyse.summary import ContrastResult
from harness.render.charts.forest import ROWS, forest_chart
from harness.render.charts.svg import Chart
from harness.render.numbers import Figure, ratio_text, share
from harness.render.sentences import parties
from harness.render.view import View
from harness.units import significant

CONTRAST_COLUMNS = (
    ("real.ratio", "ratio"),
    ("real.low", "ci_low"),
    ("real.high", "ci_high"),
    ("real.p_adjusted", "p_adjusted"),
    ("real.blocks", "blocks"),
    ("real.blocks_needed", "blocks_needed"),
)
"""Key of the heading and path within a contrast of the summary."""


@dataclass(frozen=True, slots=True)
class ContrastRow:
    """``figures``: one per column, ``None`` where the contrast has no such number."""

    index: int
    a: str
    b: str
    where: str
    metric: str
    verdict: str
    reason: str
    figures: tuple[Figure | None, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """The contrasts of one question; the chart shows the first ``shown`` between reference targets."""

    title: str
    chart: Chart | None
    shown: int
    rows: tuple[ContrastRow, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    families: tuple[Family, ...]
    columns: tuple[tuple[str, str], ...]
    margin: Figure


def evidence(view: View) -> Evidence | None:
    """``None`` where the run declared no contrast."""
    found = families(view)
    columns = tuple((view.language.text(key), path) for key, path in CONTRAST_COLUMNS)
    return Evidence(found, columns, share(view.summary.margin, "margin")) if found else None


def families(view: View) -> tuple[Family, ...]:
    """The control, then question by question; questions without contrasts are left out."""
    groups = [(view.language.text("real.control_family"), view.controls())]
    groups += [(words, view.contrasts(question)) for question, words in view.language.names("questions").items()]
    return tuple(_family(view, title, rows, f"forest-{number}") for number, (title, rows) in enumerate(groups) if rows)


def _family(view: View, title: str, rows: Sequence[tuple[int, ContrastResult]], key: str) -> Family:
    reference = {target.name for target in view.reference}
    known = [(index, contrast) for index, contrast in rows if contrast.ratio is not None]
    # Chosen by what the targets are and never by what came out.
    first = [row for row in known if {row[1].a.target, row[1].b.target} <= reference] or known
    shown = first[:ROWS]
    chart = None
    if shown:
        labelled = [(_label(view, contrast), contrast) for _, contrast in shown]
        chart = forest_chart(labelled, view.summary.margin, key, title, view.language)
    return Family(title, chart, len(shown), tuple(_row(view, index, contrast) for index, contrast in rows))


def _label(view: View, contrast: ContrastResult) -> str:
    metric = view.language.text(f"real.label_{contrast.metric}")
    a, b = contrast.a, contrast.b
    if a.point == b.point:
        return f"{a.target} ÷ {b.target}, {a.point}, {metric}"
    if a.target == b.target:
        return f"{a.target}, {a.point} ÷ {b.point}, {metric}"
    return f"{a.id} ÷ {b.id}, {metric}"


def _row(view: View, index: int, contrast: ContrastResult) -> ContrastRow:
    a, b, where = parties(view, contrast)
    shown: tuple[tuple[float | None, Callable[[float], str]], ...] = (
        (contrast.ratio, ratio_text),
        (contrast.ci_low, ratio_text),
        (contrast.ci_high, ratio_text),
        (contrast.p_adjusted, lambda p: "<0.0001" if p < 1e-4 else significant(p)),
        (contrast.blocks, lambda count: f"{count:,}"),
        (contrast.blocks_needed, lambda count: f"{count:,}"),
    )
    return ContrastRow(
        index=index,
        a=a,
        b=b,
        where=where,
        metric=view.language.text(f"metrics.{contrast.metric}"),
        verdict=view.language.text(f"verdicts.{contrast.verdict}"),
        reason=view.language.reason(contrast.reason),
        figures=tuple(
            None if value is None else Figure(text(value), value, f"contrasts.{index}.{path}")
            for (value, text), (_, path) in zip(shown, CONTRAST_COLUMNS, strict=True)
        ),
    )
