"""What commands print, and the runs that they read."""

from __future__ import annotations

import errno
import json
import os
import sys
import tempfile
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.options import REPORTS, RESULTS
from harness.errors import RecordError, writing

if TYPE_CHECKING:
    from rich.console import Console

    from harness.model import Manifest
    from harness.record import Run
    from harness.results.summary import Summary


@contextmanager
def stdout_written() -> Iterator[None]:
    """Flushes what the block writes to stdout.

    Raises:
        RecordError: it cannot be written: the disk is full, or nobody reads the pipe any more.
    """
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        # What is left in the buffer would be tried again, and fail, when the interpreter ends.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise RecordError(f"stdout cannot be written: {error.strerror}", hint="write to a file or a pipe") from None


def print_json(value: object) -> None:
    """One document on stdout."""
    print_text(json.dumps(value, indent=1, allow_nan=False, default=asdict) + "\n")


def print_result(document: object, lines: Iterable[str], as_json: bool) -> None:
    """One document on stdout, or lines with the same content."""
    if as_json:
        print_json(document)
    else:
        print_lines(lines)


def print_text(text: str) -> None:
    """As it is."""
    with stdout_written():
        sys.stdout.write(text)


def print_lines(lines: Iterable[str], *, prose: bool = False) -> None:
    """``prose`` breaks between words on a terminal; what is to be copied from there stays a line of its own."""
    out = console()
    fold = textwrap.TextWrapper(out.width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    with stdout_written():
        for line in map(fold.fill, lines) if prose and out.is_terminal else lines:
            out.print(line, markup=False, soft_wrap=True)


def print_table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    from rich.table import Table

    table = Table(*head, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(cell.replace("[", r"\[") for cell in row))
    with stdout_written():
        console().print(table)


def console() -> Console:
    """stdout; tables are as wide as they need where it is no terminal."""
    from rich.console import Console

    return Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else 200)


def errors(quiet: bool = False) -> Console:
    """stderr."""
    from rich.console import Console

    return Console(stderr=True, quiet=quiet, markup=False, highlight=False, soft_wrap=True)


def measured_run(name: str) -> Run:
    """The run of this name.

    Raises:
        RecordError: there is none, or nothing was measured in it yet.
    """
    from harness.record import Run, find_run

    run = Run.open(find_run(name, RESULTS))
    if not run.windows():
        raise RecordError(f"{run.folder}: nothing was measured yet", hint=f"harness run --resume {run.folder}")
    return run


def report_files(manifest: Manifest, file: Path | None) -> list[Path]:
    """Where the run's report is written: the file, or ``reports/<run>.html`` and ``reports/latest.html``."""
    return [file] if file else [REPORTS / f"{manifest.run}.html", REPORTS / "latest.html"]


def check_writable(files: Iterable[Path]) -> None:
    """Makes the folders of files to come; raises ``RecordError`` if one cannot be written."""
    for file in files:
        with writing(file, "choose another place"):
            file.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=file.parent):
                pass
            if file.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))


def print_summary(run: Run, summary: Summary, report: Path) -> None:
    """The lines with which a run ends."""
    from harness.report.terminal import ENDING, closing_lines, verdict_lines

    if run.manifest.plan.profile == "versus":
        print_lines(verdict_lines(run.manifest, summary, run.windows(), report))
    else:
        lines = closing_lines(run.manifest, summary, report, run.folder)
        print_lines(lines[:-ENDING], prose=True)
        print_lines(lines[-ENDING:])
