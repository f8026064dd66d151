"""The lines with which a run ends in the terminal."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Sequence
from pathlib import Path

from harness.model import Manifest, WindowRecord
from harness.model.units import format_duration, number_of
from harness.report import sentences, versus
from harness.report.answers import answers
from harness.report.numbers import plain
from harness.report.view import View
from harness.results.summary import Summary

LINES, ENDING = 12, 3
"""Lines in all, and those at the end that a reader copies: paths, and the next command."""
SHORTER = ("smoke", "quick", "standard")
"""Profiles after which a thorough run decides more."""

NOT_IN_PLAN = ("--fleet", "--workers", "--join", "--listen", "--port", "--on-lost-worker")
"""Options of ``harness run`` that an interrupted run is continued with."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+")


def closing_lines(manifest: Manifest, summary: Summary, report_path: Path | str, run_folder: Path | str) -> list[str]:
    """At most 12 lines of plain text: the answers, warnings, the report's path, and the next command."""
    count = number_of(summary.blocks, "block")
    lines = [f"{sentences.BADGES[summary.badge]}: {count} in {format_duration(summary.duration_s)}. {sentences.HOLDS}"]
    view = View(manifest, summary)
    for answer in answers(view):
        first, *more = map(plain, answer.lines)
        lines += [f"{answer.heading}{'' if answer.heading.endswith('?') else ':'} {first}", *more]
    # Studies have more to say than four questions; the report has all of it.
    lines = lines[: LINES - ENDING - 1]
    ending = [f"Report: {report_path}", f"Data: {run_folder}", next_line(manifest, summary, run_folder)]
    room = LINES - ENDING - len(lines)
    warnings = [f"Warning: {view.language.reason(reason)}" for reason in summary.reasons]
    if len(warnings) > room:
        warnings = [*warnings[: room - 1], f"Warning: {len(warnings) - room + 1} more, under Run health in the report"]
    return [_CONTROL.sub(" ", line) for line in (*lines, *warnings, *ending)]


def verdict_lines(
    manifest: Manifest, summary: Summary, records: Sequence[WindowRecord], report_path: Path | str
) -> list[str]:
    """Of a comparison of two: its verdict, as ``harness versus`` said it, and the command that compares them again."""
    said = versus.lines(manifest, summary, versus.document(summary, records, summary.duration_s))
    return [_CONTROL.sub(" ", line) for line in (*said, f"Report: {report_path}", f"Again: {manifest.command}")]


def next_line(manifest: Manifest, summary: Summary, run_folder: Path | str) -> str:
    """The command that continues a run that was interrupted, or decides what it left undecided; or opens the report."""
    if manifest.status == "interrupted":
        return f"Next: {resume_command(manifest, run_folder)}"
    if any(contrast.verdict == "undecided" for contrast in summary.contrasts) and manifest.plan.profile in SHORTER:
        longer = [*_without(shlex.split(manifest.command), ("--profile", "--budget")), "--profile", "thorough"]
        return f"Next, to decide what is undecided: {shlex.join(longer)}"
    return f"Next: harness report {shlex.quote(str(run_folder))} --open"


def resume_command(manifest: Manifest, run_folder: Path | str) -> str:
    """With the options that say where servers run and who sends, which the plan does not hold."""
    words = shlex.split(manifest.command)
    others = {word for word in words if word.startswith("-")} - set(NOT_IN_PLAN)
    retained = _without(words, others)[2:] if words[:2] == ["harness", "run"] else []
    return shlex.join(["harness", "run", "--resume", str(run_folder), *retained])


def _without(words: Sequence[str], options: Collection[str]) -> list[str]:
    """A command line without these options and their values."""
    retained: list[str] = []
    skipping = False
    for word in words:
        if word.startswith("-"):
            skipping = word in options
        if not skipping:
            retained.append(word)
    return retained
