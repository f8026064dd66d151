"""Every contrast of the run, the A/A control first: forest plots, and one table."""

from __future__ import annotations

from harness.model.units import significant
from harness.report.blocks import Block, Column, Fold, Heading, Plots, Table, Text, words
from harness.report.charts.rows import FOREST, forest_chart
from harness.report.numbers import Format, Placed, count, times
from harness.report.sentences import margins, parties
from harness.report.view import View
from harness.results.summary import ContrastResult

probability = Format(lambda p: "<0.0001" if p < 1e-4 else significant(p))
COLUMNS = (
    words("B", lambda view, contrast, path: parties(view, contrast)[1]),
    words("real.where", lambda view, contrast, path: parties(view, contrast)[2]),
    words("real.of", lambda view, contrast, path: view.text(f"metrics.{contrast.metric}")),
    words("words.verdict", lambda view, each, path: view.status(each.verdict, each.reasons, "verdicts")),
    Column("real.ratio", "ratio", times),
    Column("real.low", "ci_low", times),
    Column("real.high", "ci_high", times),
    Column("real.p_adjusted", "p_adjusted", probability),
    Column("real.blocks", "blocks", count),
    Column("real.blocks_needed", "blocks_needed", count),
)


def evidence(view: View) -> tuple[Block, ...]:
    """Empty where the run declared no contrast: forest plots, then a table for the control and for each question."""
    text = view.text
    groups = [(text("real.control_family"), view.controls())]
    groups += [(heading, view.contrasts(question)) for question, heading in view.language.names("questions").items()]
    plots, tables = list[Block](), list[Block]()
    for place, (title, rows) in enumerate([group for group in groups if group[1]]):
        plots += _forest(view, title, rows, f"forest-{place}")
        table = Table.of(view, title, COLUMNS, rows, head="A", row=lambda each: parties(view, each)[0], long=True)
        tables += [Heading(title), table]
    intro = Text(view.say("real.intro", margin=margins(view)))
    return (intro, *plots, Fold(text("real.table"), tuple(tables))) if tables else ()


def _forest(view: View, title: str, rows: list[Placed[ContrastResult]], key: str) -> tuple[Plots, ...]:
    """The first contrasts between reference targets: chosen by what the targets are, never by the results."""
    reference = {target.name for target in view.reference}
    known = [contrast for _, contrast in rows if contrast.ratio is not None]
    shown = ([each for each in known if {each.a.target, each.b.target} <= reference] or known)[:FOREST]
    if not shown:
        return ()
    chart = forest_chart([(_label(view, contrast), contrast) for contrast in shown], key, title, view.language)
    drawn = view.text("real.drawn", count=len(shown), all=len(rows)) if len(shown) < len(rows) else ""
    return (Plots((chart,), title, note=drawn),)


def _label(view: View, contrast: ContrastResult) -> str:
    metric, a, b = view.text(f"real.label_{contrast.metric}"), contrast.a, contrast.b
    if a.point == b.point:
        return f"{view.name(a.target)} ÷ {view.name(b.target)}, {view.where(a.point)}, {metric}"
    if a.target == b.target:
        return f"{view.name(a.target)}, {view.where(a.point)} ÷ {view.where(b.point)}, {metric}"
    return f"{a.id} ÷ {b.id}, {metric}"
