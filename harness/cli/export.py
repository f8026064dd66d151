"""``harness export``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from harness.cli.options import Run, text
from harness.cli.output import measured_run
from harness.errors import RecordError, UsageError, writing


def export(
    run: Run = "latest",
    format: Annotated[Literal["csv", "parquet", "json"], typer.Option("-f", "--format")] = "csv",
    table: Annotated[
        Literal["cells", "contrasts", "slices", "windows", "all"] | None,
        typer.Option(help="Default: all for JSON, else cells, or windows if the run has nothing else."),
    ] = None,
    output: Annotated[
        Path | None, text("FILE", "A folder for several tables. Default: stdout.", "-o", "--output")
    ] = None,
) -> None:
    """Write a run's numbers as CSV, Parquet or JSON, with units in the column names."""
    from harness.report import export
    from harness.report.files import summary_of

    opened = measured_run(run)
    summary, records = summary_of(opened), opened.windows()
    name = table or ("all" if format == "json" else "cells" if summary.cells else "windows")
    frames = {each: export.table(each, summary, records) for each in (export.TABLES if name == "all" else [name])}
    if format == "json":
        _write(output, export.to_json(opened.manifest.run, frames))
        return
    encode = export.to_csv if format == "csv" else export.to_parquet
    if len(frames) == 1:
        [frame] = frames.values()
        if frame.empty:
            other = "windows" if name != "windows" else "cells"
            raise RecordError(f"{opened.folder} has no {name}", hint=f"try --table {other}, or --format json")
        if output is None and format == "parquet" and sys.stdout.isatty():
            raise UsageError("a terminal cannot show Parquet", hint="name a file with -o")
        _write(output, encode(frame))
        return
    if output is None:
        raise UsageError(f"one {format} file holds one table", hint="name a folder with -o, or one --table")
    for each, frame in frames.items():
        if not frame.empty:
            _write(output / f"{each}.{format}", encode(frame))


def _write(output: Path | None, data: bytes) -> None:
    if output is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    with writing(output, "choose another -o"):
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_bytes(data)
    sys.stderr.write(f"{output}\n")
