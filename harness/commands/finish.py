"""From a run's records to its summary and its report; shared by ``run`` and ``report``."""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import TypeAdapter
from rich.console import Console

from harness.analyse.summarise import summarise
from harness.analyse.summary import Summary
from harness.commands.select import REPORTS
from harness.errors import RecordError
from harness.record import Run
from harness.render.language.catalogue import ENGLISH, Language
from harness.render.markdown import render_markdown
from harness.render.report import render_report
from harness.render.tables import summary_csv
from harness.render.terminal import closing_lines

SUMMARY: TypeAdapter[Summary] = TypeAdapter(Summary)


def analyse(run: Run) -> Summary:
    """Analyses the run's records and saves what it finds beside them."""
    summary = summarise(run.manifest, run.slots(), run.samples, run.windows(), run.samples, abilities=run.abilities())
    save_summary(run, summary)
    return summary


def save_summary(run: Run, summary: Summary) -> None:
    """Writes ``summary.json``, ``summary.csv`` and ``summary.md`` into the run's folder."""
    run.write("summary.json", SUMMARY.dump_json(summary, indent=1))
    run.write("summary.csv", summary_csv(summary))
    run.write("summary.md", render_markdown(run.manifest, summary))


def write_report(run: Run, summary: Summary, path: Path | None, language: Language = ENGLISH) -> Path:
    """The report at ``path``, or at ``reports/<run>.html`` with a copy as ``reports/latest.html``."""
    page = render_report(run.manifest, summary, run.slots(), windows=run.windows(), language=language)
    target = path or REPORTS / f"{run.manifest.run}.html"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(page, "utf-8")
        if path is None:
            (REPORTS / "latest.html").write_text(page, "utf-8")
    except OSError as error:
        raise RecordError(f"{target} cannot be written: {error.strerror}", hint="choose another place") from None
    return target


def finish(run: Run, report: Path | None, *, as_json: bool = False, language: Language = ENGLISH) -> Path:
    """Summary, report and the closing lines (or, with ``as_json``, the summary) on stdout."""
    summary = analyse(run)
    path = write_report(run, summary, report, language)
    if as_json:
        sys.stdout.write(SUMMARY.dump_json(summary, indent=1).decode() + "\n")
        return path
    console = Console(file=sys.stdout, highlight=False)
    for line in closing_lines(run.manifest, summary, path, run.folder):
        console.print(line, markup=False, soft_wrap=True)
    return path
