"""A run as tables: cells, contrasts, slices and windows, a column per quantity with its unit in the name."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from harness.analyse.frames import select, side_faults
from harness.analyse.summary import Estimate, Summary
from harness.errors import UsageError
from harness.model import SlotRecord, WindowRecord
from harness.render.tables import formula_safe
from harness.units import MIB

SCHEMA = 1
Row = dict[str, Any]
SERVICE_TIMES = ("p50", "p90", "p99", "p999", "max")


@dataclass(frozen=True, slots=True)
class Source:
    """What tables are made from."""

    run: str
    summary: Summary
    slots: Sequence[SlotRecord]
    windows: Sequence[WindowRecord]


def table(name: str, source: Source) -> pd.DataFrame:
    """The table ``name`` of ``TABLES``; one without rows has no columns either."""
    return pd.DataFrame(TABLES[name](source))


def to_csv(frame: pd.DataFrame) -> bytes:
    """Full precision, ``\\n`` line ends; what a spreadsheet would read as a formula gets an apostrophe in front."""
    safe = frame.map(lambda value: formula_safe(value) if isinstance(value, str) else value)
    return safe.to_csv(index=False, lineterminator="\n").encode()


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


def _cells(source: Source) -> list[Row]:
    upkeep = {each.target: each for each in source.summary.upkeep}
    rows = []
    for cell in source.summary.cells:
        kept = upkeep.get(cell.target)
        rows.append(
            {
                "target": cell.target,
                "point": cell.point,
                "scenario": cell.scenario,
                "params": _pairs(cell.params),
                "concurrency": cell.concurrency,
                "status": cell.status,
                **_estimate("throughput_rps", cell.throughput_rps),
                **_estimate("cpu_us", cell.cpu_us),
                **{f"service_time_us_{name}": cell.service_time_us.get(name) for name in SERVICE_TIMES},
                "replies": cell.replies,
                "errors": _pairs(cell.errors),
                "tie_group": cell.tie_group,
                "startup_s": kept.startup_s if kept else None,
                "rss_mib": kept.rss_bytes / MIB if kept and kept.rss_bytes is not None else None,
                "reasons": "; ".join(cell.reasons),
            }
        )
    return _numbers(rows)


def _contrasts(source: Source) -> list[Row]:
    return _numbers(
        [
            {
                "id": each.id,
                "question": each.question,
                "metric": each.metric,
                "a_target": each.a.target,
                "a_point": each.a.point,
                "b_target": each.b.target,
                "b_point": each.b.point,
                "label": each.label,
                "verdict": each.verdict,
                "ratio": each.ratio,
                "ratio_low": each.ci_low,
                "ratio_high": each.ci_high,
                "difference": each.difference,
                "difference_low": each.difference_low,
                "difference_high": each.difference_high,
                "p_value": each.p_value,
                "p_adjusted": each.p_adjusted,
                "margin": each.margin,
                "blocks": each.blocks,
                "blocks_needed": each.blocks_needed,
                "reason": each.reason,
            }
            for each in source.summary.contrasts
        ]
    )


def _slices(source: Source) -> list[Row]:
    """Every slice of every attempt; ``counted`` says whether the analysis took numbers from it."""
    chosen = {(record.slot, record.attempt) for record in select(source.slots)}
    rows: list[Row] = []
    for record in source.slots:
        faults = side_faults(record) if (record.slot, record.attempt) in chosen else None
        s = record.slices
        for i, index in enumerate(s.side):
            side = record.sides[index]
            rows.append(
                {
                    "block": record.block,
                    "slot": record.slot,
                    "attempt": record.attempt,
                    "round": s.round[i],
                    "target": side.target,
                    "point": side.point,
                    "counted": faults is not None and side not in faults,
                    "started_s": float(s.started[i]),
                    "length_s": float(s.length[i]),
                    "window_s": float(s.window[i]),
                    "drain_s": float(s.drain[i]),
                    "window_replies": s.window_replies[i],
                    "replies": s.replies[i],
                    "wrong": s.wrong[i],
                    "failed": s.failed[i],
                    "cpu_s": float(s.cpu[i]),
                    "generator_cpu_s": float(s.generator_cpu[i]),
                    "foreign_cpu_s": float(s.foreign_cpu[i]),
                }
            )
    return rows


def _windows(source: Source) -> list[Row]:
    """A row per window and class of request; settings and figures that only some windows have stand as JSON."""
    rows: list[Row] = []
    for each in source.windows:
        common = {
            "id": each.id,
            "block": each.block,
            "attempt": each.attempt,
            "study": each.study,
            "target": each.target,
            "point": each.point,
            "engine": each.engine,
            "setting": json.dumps(dict(each.setting)),
            "started_at": each.started_at,
            "duration_s": each.duration_s,
            "planned": each.planned,
            "answered": each.answered,
            "errors": _pairs(each.errors),
            "sound": not each.failures and not any(gate.fatal for gate in each.gates),
            "figures": json.dumps(dict(each.figures)),
        }
        latencies = each.latency_us or {"": {}}
        for name, figures in latencies.items():
            spread = {f"latency_us_{key}": figures.get(key) for key in ("count", *SERVICE_TIMES)}
            rows.append({**common, "request": name, **spread})
    return _numbers(rows)


TABLES: dict[str, Callable[[Source], list[Row]]] = {
    "cells": _cells,
    "contrasts": _contrasts,
    "slices": _slices,
    "windows": _windows,
}


def _estimate(name: str, estimate: Estimate | None) -> Row:
    return {
        name: estimate.value if estimate else None,
        f"{name}_low": estimate.ci_low if estimate else None,
        f"{name}_high": estimate.ci_high if estimate else None,
        f"{name}_blocks": estimate.blocks if estimate else 0,
    }


def _pairs(values: Mapping[str, object]) -> str:
    return ";".join(f"{key}={value}" for key, value in values.items())


def _numbers(rows: list[Row]) -> list[Row]:
    """A column in which a number may be missing is one of floats throughout, also where all are missing."""
    optional = {key for row in rows for key, value in row.items() if value is None}
    return [
        {key: float("nan" if value is None else value) if key in optional else value for key, value in row.items()}
        for row in rows
    ]
