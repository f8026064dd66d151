"""``summary.md``: the same answers and numbers for a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from harness.model import Manifest
from harness.report import sentences
from harness.report.answers import answers
from harness.report.blocks import Block, Column, Entry, Heading, Items, Missing, Table, Text, words
from harness.report.language.catalogue import ENGLISH, Language
from harness.report.numbers import Figure, Measured, Sentence, measured, numbered, plain
from harness.report.sections.ladder import check_sentence, climbed, ladder_sentence
from harness.report.sections.loads import journey_figures, shared_figures
from harness.report.sections.study_sections import study_sentences
from harness.report.sections.upkeep import memory_table
from harness.report.sentences import contrast_sentence
from harness.report.view import View
from harness.results.summary import Cell, Summary

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&!])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
LISTED = 60
"""The most contrasts that are listed one by one, decided ones and undecided ones alike, in the plan's order."""


def render_markdown(manifest: Manifest, summary: Summary, language: Language = ENGLISH) -> str:
    view, text = View(manifest, summary, language), language.text
    lines = [f"# {escape(sentences.title(summary, language))}", ""]
    lines += [f"**{text(f'badges.{summary.badge}')}.** {text('page.holds')}", ""]
    lines += _block(view, Items(tuple(map(language.reason, summary.reasons)))) if summary.reasons else []
    took, seed = sentences.duration(summary.duration_s, language), str(summary.seed)
    run, created = escape(summary.run), escape(summary.created_at)
    lines += [text("markdown.run", run=run, created=created, took=took, count=summary.blocks, seed=seed), ""]
    lines += [f"## {text('sections.answers')}", ""]
    for answer in answers(view):
        lines += [f"**{answer.heading}** {_said(answer.headline)}", ""]
    for section, said in study_sentences(view).items() if summary.cells else ():
        lines += _section(view, f"sections.{section}", _items(said))
    lines += _section(view, "markdown.cells", [Text(text("markdown.cells_intro")), _cells(view)])
    contrasts = [*view.controls(), *view.contrasts()]
    listed = [contrast_sentence(view, *each) for each in contrasts[:LISTED]]
    unlisted = text("markdown.unlisted", count=len(contrasts) - LISTED)
    lines += _section(view, "markdown.contrasts", _items([*listed, *[(unlisted,)] * (len(contrasts) > LISTED)]))
    ladders = [(*ladder_sentence(view, *each), " ", *check_sentence(view, *each)) for each in climbed(view)]
    lines += _section(view, "sections.ladder", _items(ladders))
    lines += _section(view, "sections.journeys", journey_figures(view))
    lines += _section(view, "sections.shared", shared_figures(view))
    memory = memory_table(view)
    lines += _section(view, "sections.upkeep", [memory] if memory.rows else [])
    return "\n".join(lines).rstrip() + "\n"


def escape(text: str) -> str:
    """Text that Markdown and HTML leave as it is; control and bidirectional characters become a space."""
    return _SPECIAL.sub(r"\\\1", _CONTROL.sub(" ", text))


def table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers_from: int, until: int = 99) -> list[str]:
    """Lines of a table whose columns from ``numbers_from`` ``until`` another are read as numbers are."""
    rule = ["---:" if numbers_from <= index < until else "---" for index in range(len(head))]
    cells = (map(escape, row) for row in rows)
    return [f"| {' | '.join(line)} |" for line in (head, rule, *cells)]


def _said(sentence: str | Sentence) -> str:
    return escape(plain(sentence))


def _items(said: Sequence[Sentence]) -> list[Block]:
    return [Items(tuple(said))] if said else []


def _section(view: View, heading: str, blocks: Sequence[Block]) -> list[str]:
    """Blocks without charts and folds."""
    lines = [line for block in blocks for line in _block(view, block)]
    return [f"## {view.text(heading)}", "", *lines] if lines else []


def _block(view: View, block: Block) -> list[str]:
    if isinstance(block, Heading):
        return [f"### {escape(block.text)}", ""]
    if isinstance(block, Text):
        return [_said(block.said), ""]
    if isinstance(block, Items):
        return [*(f"- {_said(item)}" for item in block.items), ""]
    if isinstance(block, Table):
        head = (block.head, *(column.name for column in block.columns))
        rows = [
            (row.head, *([row.why] if row.why else [_entry(view, entry) for entry in row.entries]))
            for row in block.rows
        ]
        return [*table(head, rows, 1 if len(head) == 3 else 2), ""]
    return []


def _entry(view: View, entry: Entry) -> str:
    match entry:
        case None:
            return view.text("page.not_known")
        case Figure() | Measured():
            return entry.text
        case Missing(state):
            return state
        case _:
            return plain(entry)


def _rate(view: View, cell: Cell, path: str) -> Entry:
    if cell.status != "ok":
        return view.status(cell.status, cell.reasons)
    return measured(cell.throughput_rps, f"{path}.throughput_rps")


def _cost(view: View, cell: Cell, path: str) -> Entry:
    return measured(cell.cpu_us, f"{path}.cpu_us") if cell.status == "ok" else ""


def _instructions(view: View, cell: Cell, path: str) -> str:
    return f"{cell.instructions.value:,.0f}" if cell.instructions else ""


def _cells(view: View) -> Table:
    counted = any(cell.instructions is not None for cell in view.summary.cells)
    columns = (
        words("words.point", lambda view, cell, path: cell.point),
        *[Column("words.instructions", said=_instructions)] * counted,
        Column("markdown.rps", said=_rate),
        Column("markdown.cpu", said=_cost),
    )
    return Table.of(view, "", columns, numbered("cells", view.summary.cells))
