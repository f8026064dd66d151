"""``summary.md``: the same answers and numbers for a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from harness.analyse.summary import Summary
from harness.model import Manifest
from harness.render import sentences
from harness.render.answers import answers
from harness.render.language.catalogue import ENGLISH, Language
from harness.render.numbers import Measured, Sentence, measured, plain
from harness.render.sections.asynchronous import async_sentences
from harness.render.sections.decision import missing
from harness.render.sections.journeys import journey_figures
from harness.render.sections.ladder import check_sentence, ladder_sentence
from harness.render.sections.latencies import latency_sentences
from harness.render.sections.shared import shared_figures
from harness.render.sections.upkeep import upkeep_rows
from harness.render.sentences import contrast_sentence
from harness.render.view import View, view_of

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&!])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
LISTED = 60
"""The most contrasts that are listed one by one, decided ones and undecided ones alike, in the plan's order."""


def render_markdown(manifest: Manifest, summary: Summary, language: Language = ENGLISH) -> str:
    view, text = view_of(manifest, summary, language), language.text
    lines = [f"# {escape(sentences.title(summary, language))}", ""]
    lines += [f"**{text(f'badges.{summary.badge}')}.** {text('page.holds')}", ""]
    lines += [f"- {escape(language.reason(reason))}" for reason in summary.reasons] + [""] * bool(summary.reasons)
    lines += [
        text(
            "markdown.run",
            run=escape(summary.run),
            created=escape(summary.created_at),
            took=sentences.duration(summary.duration_s, language),
            count=summary.blocks,
            seed=str(summary.seed),
        ),
        "",
    ]
    lines += [f"## {text('sections.answers')}", ""]
    for answer in answers(view):
        lines += [f"**{text(f'questions.{answer.question}')}** {_said(answer.headline)}", ""]
    for section, said in (("async", async_sentences(view)), ("latency", latency_sentences(view))):
        if said:
            lines += [f"## {text(f'sections.{section}')}", "", *(f"- {_said(sentence)}" for sentence in said), ""]
    lines += [f"## {text('markdown.cells')}", "", text("markdown.cells_intro"), ""]
    head = tuple(text(key) for key in ("words.target", "words.point", "markdown.rps", "markdown.cpu"))
    lines += [*_table(head, _cells(view)), ""]
    lines += _contrasts(view)
    lines += _ladders(view)
    lines += _journeys(view)
    lines += _shared(view)
    lines += _upkeep(view)
    return "\n".join(lines).rstrip() + "\n"


def escape(text: str) -> str:
    """Text that Markdown and HTML leave as it is; control and bidirectional characters become a space."""
    return _SPECIAL.sub(r"\\\1", _CONTROL.sub(" ", text))


def _said(sentence: Sentence) -> str:
    return escape(plain(sentence))


def _contrasts(view: View) -> list[str]:
    rows = [*view.controls(), *view.contrasts()]
    if not rows:
        return []
    lines = [f"## {view.language.text('markdown.contrasts')}", ""]
    lines += [f"- {_said(contrast_sentence(view, index, contrast))}" for index, contrast in rows[:LISTED]]
    if len(rows) > LISTED:
        lines.append(f"- {view.language.text('markdown.unlisted', count=len(rows) - LISTED)}")
    return [*lines, ""]


def _ladders(view: View) -> list[str]:
    lines = [
        f"- {_said((*ladder_sentence(view, index), ' ', *check_sentence(view, index)))}"
        for index, ladder in enumerate(view.summary.ladders)
        if ladder.steps
    ]
    return [f"## {view.language.text('sections.ladder')}", "", *lines, ""] if lines else []


def _upkeep(view: View) -> list[str]:
    table, text = upkeep_rows(view), view.language.text
    if table is None:
        return []
    unknown = text("page.not_known")
    head = [text(key) for key in ("words.target", "words.memory", "words.startup")]
    head += [text("upkeep.waiting", count=count) for count in table.counts]
    rows = [
        (
            row.target,
            *(unknown if figure is None else figure.text for figure in (row.memory, row.startup)),
            *(unknown if cell is None else cell.each.text for cell in row.waiting),
        )
        for row in table.rows
    ]
    return [f"## {text('sections.upkeep')}", "", *_table(head, rows), ""]


def _journeys(view: View) -> list[str]:
    text, lines = view.language.text, []
    for journey in journey_figures(view):
        head = tuple(text(key) for key in ("words.target", "markdown.rps", "markdown.cpu", "journeys.state"))
        rows = [
            (
                row.target,
                _text(view, row.throughput),
                _text(view, row.cpu),
                ": ".join(filter(None, (row.state, row.why))),
            )
            for row in journey.rows
        ]
        lines += [f"## {text('sections.journeys')}: {escape(journey.name)}", "", _said(journey.sentence), ""]
        lines += [*_table(head, rows), ""]
    return lines


def _shared(view: View) -> list[str]:
    text, lines = view.language.text, []
    for one in shared_figures(view):
        head = tuple(text(key) for key in ("words.target", "markdown.rps", "markdown.cpu", "journeys.state"))
        rows = [
            (
                row.target,
                _text(view, row.throughput),
                row.cpu if isinstance(row.cpu, str) else _text(view, row.cpu),
                ": ".join(filter(None, (row.state, row.why))),
            )
            for row in one.rows
        ]
        lines += [f"## {text('sections.shared')}: {escape(one.point)}", ""]
        lines += [f"- {_said(sentence)}" for sentence in one.sentences]
        lines += ["", *_table(head, rows), ""]
    return lines


def _cells(view: View) -> Iterable[tuple[str, ...]]:
    for index, cell in enumerate(view.summary.cells):
        if cell.status != "ok":
            state, why = missing(cell, view.language)
            yield cell.target, cell.point, f"{state}: {why}", ""
            continue
        rate = measured(cell.throughput_rps, f"cells.{index}.throughput_rps") if cell.throughput_rps else None
        cost = measured(cell.cpu_us, f"cells.{index}.cpu_us") if cell.cpu_us else None
        yield cell.target, cell.point, _text(view, rate), _text(view, cost)


def _text(view: View, value: Measured | None) -> str:
    if value is None:
        return view.language.text("page.not_known")
    return value.value.text if value.half is None else f"{value.value.text} ± {value.half.text}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    rule = ["---", *("---:" if index > 1 or len(head) == 3 else "---" for index in range(1, len(head)))]
    return [f"| {' | '.join(head)} |", f"| {' | '.join(rule)} |"] + [
        f"| {' | '.join(map(escape, row))} |" for row in rows
    ]
