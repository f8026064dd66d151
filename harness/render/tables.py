"""``summary.csv``: a line per target and point, at full precision; what has no number is left empty."""

from __future__ import annotations

import csv
import io

from harness.analyse.summary import Estimate, Summary

PERCENTILES = ("p50", "p90", "p99", "p999", "max")
HEADER = (
    "target",
    "point",
    "scenario",
    "params",
    "concurrency",
    "status",
    *(f"throughput_rps{end}" for end in ("", "_low", "_high", "_blocks")),
    *(f"cpu_us{end}" for end in ("", "_low", "_high", "_blocks")),
    *(f"service_time_us_{name}" for name in PERCENTILES),
    "replies",
    "errors",
    "reasons",
)


def summary_csv(summary: Summary) -> str:
    """RFC 4180 with ``\\n`` line ends; ``params`` and ``errors`` as ``key=value`` joined by ``;``.

    A text that a spreadsheet would read as a formula gets an apostrophe in front.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    for cell in summary.cells:
        writer.writerow(
            [
                formula_safe(cell.target),
                formula_safe(cell.point),
                formula_safe(cell.scenario),
                formula_safe(";".join(f"{key}={value}" for key, value in cell.params.items())),
                cell.concurrency,
                cell.status,
                *_estimate(cell.throughput_rps),
                *_estimate(cell.cpu_us),
                *(_number(cell.service_time_us.get(name)) for name in PERCENTILES),
                cell.replies,
                formula_safe(";".join(f"{kind}={count}" for kind, count in cell.errors.items())),
                formula_safe("; ".join(cell.reasons)),
            ]
        )
    return out.getvalue()


def _estimate(estimate: Estimate | None) -> list[str | int]:
    if estimate is None:
        return ["", "", "", ""]
    return [_number(estimate.value), _number(estimate.ci_low), _number(estimate.ci_high), estimate.blocks]


def _number(value: float | None) -> str:
    return "" if value is None else repr(float(value))


def formula_safe(text: str) -> str:
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
