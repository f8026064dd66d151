"""A run as tables: cells, contrasts, slices and windows, a column per quantity with its unit in the name.

``summary.csv`` is the table of cells without what keeping them costs. What has no number is left empty; a text that a
spreadsheet would read as a formula gets an apostrophe in front.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any

import pandas as pd

from harness.errors import UsageError
from harness.model import WindowRecord, final_attempts, lost_sides, side_faults
from harness.model.units import MIB
from harness.report.language.catalogue import ENGLISH
from harness.results.summary import Cell, Estimate, Summary
from harness.stats.quantiles import PER_MILLE

SCHEMA = 1
Row = dict[str, Any]
Records = Sequence[WindowRecord]
CONTRAST = (
    "id", "question", "metric", "a.target", "a.point", "b.target", "b.point", "label", "verdict", "ratio", "ci_low",
    "ci_high", "difference", "difference_low", "difference_high", "p_value", "p_adjusted", "margin", "blocks",
    "blocks_needed", "instructions",
)  # fmt: skip


def table(name: str, summary: Summary, records: Records) -> pd.DataFrame:
    """The table ``name`` of ``TABLES``; one without rows has no columns either."""
    frame = pd.DataFrame(TABLES[name](summary, records))
    # Where a number may be missing, pandas makes floats of all, unless all are missing.
    return frame.astype({column: float for column in frame if frame[column].isna().all()})


def to_csv(frame: pd.DataFrame) -> bytes:
    """Full precision, ``\\n`` line ends."""
    return frame.map(_formula_safe).to_csv(index=False, lineterminator="\n").encode()


def to_parquet(frame: pd.DataFrame) -> bytes:
    """Raises ``UsageError`` where neither fastparquet nor pyarrow is installed."""
    buffer = io.BytesIO()
    try:
        # Some engines close what they wrote to.
        buffer.close = lambda: None  # type: ignore[method-assign]
        frame.to_parquet(buffer, index=False)
    except ImportError:
        raise UsageError(
            "Parquet needs a package that is not installed", hint="pip install 'web-harness[parquet]', or --format csv"
        ) from None
    return buffer.getvalue()


def to_json(run: str, frames: Mapping[str, pd.DataFrame]) -> bytes:
    """One document: ``schema``, ``run``, and each table as a list of rows; ``null`` where there is no figure."""
    tables = {name: frame.astype(object).where(frame.notna(), None) for name, frame in frames.items()}
    rows = {name: frame.to_dict("records") for name, frame in tables.items()}
    return (json.dumps({"schema": SCHEMA, "run": run, **rows}, indent=1, allow_nan=False) + "\n").encode()


def summary_csv(summary: Summary) -> str:
    """A line per target and point, as RFC 4180 with ``\\n`` line ends and full precision."""
    rows = [map(_formula_safe, _cell(cell).values()) for cell in summary.cells]
    return pd.DataFrame(rows, columns=HEADER, dtype=object).to_csv(index=False, lineterminator="\n")


def _formula_safe(value: Any) -> Any:
    dangerous = isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
    return f"'{value}" if dangerous else value


def _pairs(values: Mapping[str, object]) -> str:
    """``key=value``, joined by ``;``."""
    return ";".join(f"{key}={value}" for key, value in values.items())


def _take(part: object, *names: str) -> Row:
    return {name: getattr(part, name) for name in names}


def _cell(cell: Cell, no_blocks: int | None = None) -> Row:
    """A cell by column; ``no_blocks``: how many blocks there are of what has no estimate."""
    row = _take(cell, "target", "point", "scenario") | {"params": _pairs(cell.params)}
    row |= _take(cell, "concurrency", "status")
    for name in ("throughput_rps", "cpu_us", "instructions"):
        of: Estimate | None = getattr(cell, name)
        figures = (of.value, of.ci_low, of.ci_high, of.blocks) if of else (None, None, None, no_blocks)
        row |= zip((name, f"{name}_low", f"{name}_high", f"{name}_blocks"), figures, strict=True)
    row["service_time_us_p50"] = cell.service_time_us.get("p50")
    return row | {"replies": cell.replies, "errors": _pairs(cell.errors), "reasons": ENGLISH.reasons(cell.reasons)}


HEADER = tuple(_cell(Cell(target="", point="", scenario="", params={}, concurrency=0, status="not-run")))


def _cells(summary: Summary, records: Records) -> list[Row]:
    upkeep = {each.target: each for each in summary.upkeep}
    rows = []
    for cell in summary.cells:
        footprint, row = upkeep.get(cell.target), _cell(cell, no_blocks=0)
        reasons = row.pop("reasons")
        row["tie_group"] = cell.tie_group
        row["startup_s"] = footprint.startup_s.value if footprint and footprint.startup_s else None
        row["rss_mib"] = footprint.rss_bytes.value / MIB if footprint and footprint.rss_bytes else None
        rows.append({**row, "reasons": reasons})
    return rows


def _contrasts(summary: Summary, records: Records) -> list[Row]:
    columns = {path.replace(".", "_").replace("ci_", "ratio_"): attrgetter(path) for path in CONTRAST}
    return [
        {**{name: get(each) for name, get in columns.items()}, "reasons": ENGLISH.reasons(each.reasons)}
        for each in summary.contrasts
    ]


def _slices(summary: Summary, records: Records) -> list[Row]:
    """Every slice of every attempt; ``counted`` says whether the analysis took numbers from it."""
    chosen = {(record.id, record.attempt) for record in final_attempts(records)}
    rows: list[Row] = []
    for record in records:
        lost = lost_sides(side_faults(record)) if (record.id, record.attempt) in chosen else None
        s = record.slices
        if s is None:
            continue
        for i, index in enumerate(s.side):
            side = record.sides[index]
            rows.append(
                {
                    "block": record.block,
                    "window": record.id,
                    "attempt": record.attempt,
                    "round": s.round[i],
                    "target": side.target,
                    "point": side.point,
                    "counted": lost is not None and side.side not in lost,
                    **{f"{name}_s": float(getattr(s, name)[i]) for name in ("started", "length", "window", "drain")},
                    **{name: getattr(s, name)[i] for name in ("window_replies", "replies", "wrong", "failed")},
                    **{f"{name}_s": float(getattr(s, name)[i]) for name in ("cpu", "generator_cpu", "foreign_cpu")},
                }
            )
    return rows


def _windows(summary: Summary, records: Records) -> list[Row]:
    """A row per window, side and class of request; what only some of them have stands as JSON."""
    rows: list[Row] = []
    for each in records:
        for side in each.sides:
            common = (
                _take(each, "id", "block", "attempt", "study", "engine")
                | _take(side, "target", "point", "scenario")
                | {"params": json.dumps(dict(side.params)), "concurrency": side.concurrency}
                | _take(each, "started_at", "duration_s")
                | _take(side, "planned", "answered")
                | {"errors": _pairs(side.errors), "sound": side.side not in side_faults(each)}
                | {"rss_bytes": each.rss_bytes.get(side.target), "figures": json.dumps(dict(side.figures))}
                | {"machine": json.dumps(dict(each.machine))}
            )
            for name, figures in (side.latency_us or {"": {}}).items():
                spread = {f"latency_us_{key}": figures.get(key) for key in ("count", *PER_MILLE)}
                rows.append({**common, "request": name, **spread})
    return rows


TABLES: dict[str, Callable[[Summary, Records], list[Row]]] = {
    "cells": _cells,
    "contrasts": _contrasts,
    "slices": _slices,
    "windows": _windows,
}
