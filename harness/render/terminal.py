"""The lines with which a run ends in the terminal."""

from __future__ import annotations

import re
from pathlib import Path

from harness.analyse.summary import Summary
from harness.model import Manifest
from harness.render import sentences
from harness.render.answers import answers
from harness.render.sections.asynchronous import async_sentences
from harness.render.sections.latencies import latency_sentences
from harness.render.view import view_of
from harness.units import format_duration

LINES = 12
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+")


def closing_lines(manifest: Manifest, summary: Summary, report_path: Path | str, run_folder: Path | str) -> list[str]:
    """At most 12 lines of plain text: the answers (or, of studies alone, theirs), warnings, the report's path, and the
    next command.
    """
    count = f"{summary.blocks} block{'' if summary.blocks == 1 else 's'}"
    lines = [f"{sentences.BADGES[summary.badge]}: {count} in {format_duration(summary.duration_s)}. {sentences.HOLDS}"]
    view = view_of(manifest, summary)
    if summary.cells or not manifest.plan.trials:
        lines += [sentences.plain(answer.headline) for answer in answers(view)]
    else:
        lines += [sentences.plain(sentence) for sentence in (*async_sentences(view), *latency_sentences(view))]
    ending = [f"Report: {report_path}", f"Data: {run_folder}", f"Next: {next_command(manifest, summary)}"]
    room = LINES - len(lines) - len(ending)
    warnings = [f"Warning: {reason}" for reason in summary.reasons]
    if len(warnings) > room:
        warnings = [*warnings[: room - 1], f"Warning: {len(warnings) - room + 1} more, under Run health in the report"]
    return [_CONTROL.sub(" ", line) for line in (*lines, *warnings, *ending)]


def next_command(manifest: Manifest, summary: Summary) -> str:
    """Goes on with a run that was cut short or left something undecided; else opens the report."""
    if manifest.status == "interrupted":
        return f"harness run --resume {manifest.run}"
    if any(contrast.verdict == "undecided" for contrast in summary.contrasts) and manifest.plan.profile != "thorough":
        return "harness run --profile thorough, to decide what is undecided"
    return f"harness report {manifest.run} --open"
