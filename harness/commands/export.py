"""``harness export RUN``."""

from __future__ import annotations

import sys
from pathlib import Path

from harness.analyse.summarise import summarise
from harness.commands.select import RESULTS
from harness.errors import RecordError, UsageError, one_of
from harness.record import Run, find_run

FORMATS = ("csv", "parquet", "json")


def run(name: str, format_: str, table_name: str, output: Path | None) -> int:
    """Writes a table, or all of them, to a file, a folder or stdout."""
    from harness.render.export import TABLES, Source, table, to_csv, to_json, to_parquet

    one_of("--format", format_, FORMATS)
    names = list(TABLES) if table_name == "all" else [one_of("--table", table_name, (*TABLES, "all"))]
    opened = Run.open(find_run(name, RESULTS))
    slots = opened.slots()
    summary = summarise(opened.manifest, slots, opened.samples)
    source = Source(opened.manifest.run, summary, slots, opened.windows())
    frames = {each: table(each, source) for each in names}
    if format_ == "json":
        _write(output, to_json(opened.manifest.run, frames))
        return 0
    encode = to_csv if format_ == "csv" else to_parquet
    if len(frames) == 1:
        [frame] = frames.values()
        if frame.empty and table_name == "windows":
            raise RecordError(f"{opened.folder} has no windows", hint="they come from studies of one target alone")
        if output is None and format_ == "parquet" and sys.stdout.isatty():
            raise UsageError("Parquet is not for a terminal", hint="name a file with -o")
        _write(output, encode(frame))
        return 0
    if output is None:
        raise UsageError(f"several tables do not go into one {format_}", hint="name a folder with -o, or one --table")
    for each, frame in frames.items():
        if not frame.empty:
            _write(output / f"{each}.{format_}", encode(frame))
    return 0


def _write(output: Path | None, data: bytes) -> None:
    if output is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_bytes(data)
    except OSError as error:
        raise RecordError(f"{output} cannot be written: {error.strerror}", hint="choose another -o") from None
    sys.stderr.write(f"{output}\n")
