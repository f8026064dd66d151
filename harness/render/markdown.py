"""``summary.md``: the same answers and numbers for a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from harness.analyse.summary import Summary
from harness.model import Manifest
from harness.render import sentences
from harness.render.answers import answers
from harness.render.numbers import Measured, measured
from harness.render.sections.decision import missing
from harness.render.sentences import Sentence, contrast_sentence
from harness.render.view import View, view_of
from harness.units import format_duration

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&!])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
LISTED = 60
"""The most contrasts that are listed one by one, decided ones and undecided ones alike, in the plan's order."""


def render_markdown(manifest: Manifest, summary: Summary) -> str:
    view = view_of(manifest, summary)
    lines = [f"# {escape(sentences.title(summary))}", ""]
    lines += [f"**{sentences.BADGES[summary.badge]}.** {sentences.HOLDS}", ""]
    lines += [f"- {escape(reason)}" for reason in summary.reasons] + [""] * bool(summary.reasons)
    lines += [
        f"Run {escape(summary.run)}, {escape(summary.created_at)}, {format_duration(summary.duration_s)}, "
        f"{summary.blocks} block{'' if summary.blocks == 1 else 's'}, seed {summary.seed}.",
        "",
    ]
    lines += ["## Answers", ""]
    for answer in answers(view):
        lines += [f"**{sentences.QUESTIONS[answer.question]}** {_said(answer.headline)}", ""]
    lines += ["## Throughput and CPU cost", ""]
    lines += ["Verified requests per second; CPU in µs per request; ± is half of the interval.", ""]
    lines += [*_table(("target", "point", "requests/s", "CPU, µs"), _cells(view)), ""]
    lines += _contrasts(view)
    if summary.upkeep:
        rows = [
            (
                upkeep.target,
                "not known" if upkeep.rss_bytes is None else f"{upkeep.rss_bytes / 2**20:.3g}",
                "not known" if upkeep.startup_s is None else f"{upkeep.startup_s:.2g}",
            )
            for upkeep in summary.upkeep
        ]
        lines += ["## Cost of keeping it", "", *_table(("target", "memory, MiB", "start-up, s"), rows), ""]
    return "\n".join(lines).rstrip() + "\n"


def escape(text: str) -> str:
    """Text that Markdown and HTML leave as it is; control and bidirectional characters become a space."""
    return _SPECIAL.sub(r"\\\1", _CONTROL.sub(" ", text))


def _said(sentence: Sentence) -> str:
    return escape(sentences.plain(sentence))


def _contrasts(view: View) -> list[str]:
    rows = [*view.controls(), *view.contrasts()]
    if not rows:
        return []
    lines = ["## Contrasts", ""]
    lines += [f"- {_said(contrast_sentence(view, index, contrast))}" for index, contrast in rows[:LISTED]]
    if len(rows) > LISTED:
        lines.append(f"- {len(rows) - LISTED} more are in summary.json and in the report.")
    return [*lines, ""]


def _cells(view: View) -> Iterable[tuple[str, ...]]:
    for index, cell in enumerate(view.summary.cells):
        if cell.status != "ok":
            state, why = missing(cell)
            yield cell.target, cell.point, f"{state}: {why}", ""
            continue
        rate = measured(cell.throughput_rps, f"cells.{index}.throughput_rps") if cell.throughput_rps else None
        cost = measured(cell.cpu_us, f"cells.{index}.cpu_us") if cell.cpu_us else None
        yield cell.target, cell.point, _text(rate), _text(cost)


def _text(value: Measured | None) -> str:
    if value is None:
        return "not known"
    return value.value.text if value.half is None else f"{value.value.text} ± {value.half.text}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    rule = ["---", *("---:" if index > 1 or len(head) == 3 else "---" for index in range(1, len(head)))]
    return [f"| {' | '.join(head)} |", f"| {' | '.join(rule)} |"] + [
        f"| {' | '.join(map(escape, row))} |" for row in rows
    ]
