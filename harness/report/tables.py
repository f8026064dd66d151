"""``summary.csv``: a line per target and point, at full precision; what has no number is left empty."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from harness.report.language.catalogue import ENGLISH
from harness.results.summary import Cell, Estimate, Summary


def cell_row(cell: Cell, no_blocks: int | None = None) -> dict[str, Any]:
    """A cell by column; ``no_blocks``: how many blocks there are of what has no estimate."""
    row: dict[str, Any] = {name: getattr(cell, name) for name in ("target", "point", "scenario")}
    row |= {"params": pairs(cell.params), "concurrency": cell.concurrency, "status": cell.status}
    for name in ("throughput_rps", "cpu_us", "instructions"):
        estimate: Estimate | None = getattr(cell, name)
        value, low, high, blocks = (None, None, None, no_blocks)
        if estimate is not None:
            value, low, high, blocks = estimate.value, estimate.ci_low, estimate.ci_high, estimate.blocks
        row |= {name: value, f"{name}_low": low, f"{name}_high": high, f"{name}_blocks": blocks}
    row["service_time_us_p50"] = cell.service_time_us.get("p50")
    return row | {"replies": cell.replies, "errors": pairs(cell.errors), "reasons": ENGLISH.reasons(cell.reasons)}


def summary_csv(summary: Summary) -> str:
    """RFC 4180 with ``\\n`` line ends; ``params`` and ``errors`` as ``key=value`` joined by ``;``.

    A text that a spreadsheet would read as a formula gets an apostrophe in front.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(map(formula_safe, cell_row(cell).values()) for cell in summary.cells)
    return out.getvalue()


def pairs(values: Mapping[str, object]) -> str:
    return ";".join(f"{key}={value}" for key, value in values.items())


def formula_safe(value: Any) -> Any:
    dangerous = isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
    return f"'{value}" if dangerous else value


HEADER = tuple(cell_row(Cell(target="", point="", scenario="", params={}, concurrency=0, status="not-run")))
