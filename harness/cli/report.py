"""``harness report``."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated, Literal

import typer

from harness.cli.options import Run, text
from harness.cli.output import measured_run, print_summary, report_files


def report(
    run: Run = "latest",
    output: Annotated[
        Path | None, text("FILE", "Default: reports/<run>.html and reports/latest.html.", "-o", "--output")
    ] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    lang: Annotated[Literal["en", "ko"], typer.Option(help="Language of the page.")] = "en",
) -> None:
    """Make a run's report again, from its folder.

    Without -o, summary.json, .csv and .md in the run's folder are written again too; with -o, only where there is no
    summary.json that can be read.
    """
    from harness.report.files import save_summary, saved_badge, summary_of, write_report
    from harness.report.language.catalogue import language

    opened = measured_run(run)
    summary = summary_of(opened)
    if output is None or not saved_badge(opened):
        save_summary(opened, summary)
    files = report_files(opened.manifest, output)
    write_report(opened, summary, files, language(lang))
    print_summary(opened, summary, files[0])
    if open_it:
        webbrowser.open(files[0].absolute().as_uri())
