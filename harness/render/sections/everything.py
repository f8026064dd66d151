"""All data: every cell in full, and the summary as JSON that can stand inside a page."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import json
from dataclasses import dataclass

from harness.analyse.summary import Estimate, Summary
from harness.model import Manifest
from harness.render.markdown import render_markdown
from harness.render.numbers import Figure
from harness.render.view import View
from harness.units import significant

PERCENTILES = ("p50", "p90", "p99", "p999", "max")
PLAIN = 300_000
"""The most characters of JSON that a page holds as they are; more is compressed."""
COLUMNS = (
    ("words.rps", "throughput_rps.value"),
    ("data.low", "throughput_rps.ci_low"),
    ("data.high", "throughput_rps.ci_high"),
    ("data.cpu", "cpu_us.value"),
    ("data.low", "cpu_us.ci_low"),
    ("data.high", "cpu_us.ci_high"),
    *(("data.service", f"service_time_us.{name}") for name in PERCENTILES),
    ("data.replies", "replies"),
)
"""Key of the heading and path within a cell of the summary."""


@dataclass(frozen=True, slots=True)
class DataRow:
    """``figures``: one per column, ``None`` where the cell has no such number."""

    index: int
    target: str
    place: str
    state: str
    figures: tuple[Figure | None, ...]


@dataclass(frozen=True, slots=True)
class Everything:
    """``repeat``: the command that repeats the run."""

    rows: tuple[DataRow, ...]
    columns: tuple[tuple[str, str], ...]
    markdown: str
    repeat: str


def everything(view: View) -> Everything:
    text = view.language.text
    columns = tuple((text(key, name=path.rpartition(".")[2]), path) for key, path in COLUMNS)
    markdown = render_markdown(view.manifest, view.summary, view.language)
    return Everything(data_rows(view), columns, markdown, repeat_command(view.manifest))


def repeat_command(manifest: Manifest) -> str:
    """The command of the run, with its seed where it was drawn and not given."""
    return manifest.command if "--seed" in manifest.command else f"{manifest.command} --seed {manifest.seed}"


def data_rows(view: View) -> tuple[DataRow, ...]:
    """In the order of the summary."""
    rows = []
    for index, cell in enumerate(view.summary.cells):
        figures = [*_estimate(cell.throughput_rps, "throughput_rps"), *_estimate(cell.cpu_us, "cpu_us")]
        for name in PERCENTILES:
            value = cell.service_time_us.get(name)
            figures.append(None if value is None else Figure(significant(value, 3), value, f"service_time_us.{name}"))
        figures.append(Figure(f"{cell.replies:,}", cell.replies, "replies"))
        state = view.language.text(f"states.{cell.status}")
        if cell.status != "ok":
            state = f"{state}: {'; '.join(view.language.reason(reason) for reason in cell.reasons)}"
        rows.append(DataRow(index, cell.target, cell.point, state, tuple(figures)))
    return tuple(rows)


def embedded_json(summary: Summary) -> tuple[str, bool]:
    """The summary as JSON in which no character can end the script element that holds it.

    Returns:
        The text, and whether it is the base64 of gzipped JSON, as it is for long ones.
    """
    text = json.dumps(dataclasses.asdict(summary), separators=(",", ":"))
    if len(text) > PLAIN:
        return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode(), True
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"), False


def _estimate(estimate: Estimate | None, path: str) -> list[Figure | None]:
    if estimate is None:
        return [None, None, None]
    ends = ((estimate.value, "value"), (estimate.ci_low, "ci_low"), (estimate.ci_high, "ci_high"))
    return [None if end is None else Figure(significant(end, 3), end, f"{path}.{name}") for end, name in ends]
