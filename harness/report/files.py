"""The files that a run's summary is written to: three in its folder, and the report."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import TypeAdapter

from harness.errors import writing
from harness.record import Run, write_whole
from harness.report.export import summary_csv
from harness.report.language.catalogue import ENGLISH, Language
from harness.report.markdown import render_markdown
from harness.report.report import render_report
from harness.report.sentences import BADGES
from harness.results.summarise import summarise
from harness.results.summary import Summary

_SUMMARY: TypeAdapter[Summary] = TypeAdapter(Summary)


def summary_of(run: Run) -> Summary:
    """The summary of the run's records; nothing is written."""
    return summarise(run.manifest, run.windows(), run.samples, abilities=run.abilities())


def save_summary(run: Run, summary: Summary) -> None:
    """Writes ``summary.json``, ``summary.csv`` and ``summary.md`` into the run's folder."""
    run.write("summary.json", summary_json(summary))
    run.write("summary.csv", summary_csv(summary))
    run.write("summary.md", render_markdown(run.manifest, summary))


def summary_json(summary: Summary) -> str:
    return _SUMMARY.dump_json(summary, indent=1).decode() + "\n"


def saved_badge(run: Run) -> str:
    """The badge of the summary in the run's folder, in words; empty where there is none that can be read."""
    try:
        return BADGES[json.loads((run.folder / "summary.json").read_bytes())["badge"]]
    except (OSError, ValueError, LookupError, TypeError):
        return ""


def write_report(run: Run, summary: Summary, files: list[Path], language: Language = ENGLISH) -> None:
    """The same report into each file, as a whole: a reader sees the old one or the new one."""
    page = render_report(run.manifest, summary, run.windows(), language=language)
    for file in files:
        with writing(file, "choose another file"):
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, page)
