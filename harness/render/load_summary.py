"""What ``harness load`` shows in a terminal, made from its document."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.units import format_duration, significant

FloatArray = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
HISTOGRAM_ROWS = 8
BAR = 32
TIMELINE = 60
_BARS = " ▁▂▃▄▅▆▇█"


def lines(result: Mapping[str, Any], samples: FloatArray, counts: Counts | None = None) -> list[str]:
    """The summary for people, from the document and, for the histogram, the samples in µs.

    Args:
        counts: how often each of ``samples`` occurs; once, unless given.
    """
    text = [f"{result['url']}  {_loop(result)}", ""]
    throughput = result["throughput_rps"]
    rate = "–" if throughput is None else f"{significant(throughput, 4)}/s"
    text.append(
        f"{result['answered']:,} right replies in {format_duration(result['duration_s'])}: {rate}"
        f"   generator at {result['generator_cpu']:.0%} of a CPU"
    )
    outcomes = [f"{result[name]:,} {name}" for name in ("failed", "dropped", "unfinished", "waited") if result[name]]
    if outcomes:
        text.append(f"{', '.join(outcomes)} of {result['requests']:,} requests")
    if result["status"]:
        text.append("status  " + "  ".join(f"{code}: {count:,}" for code, count in result["status"].items()))
    text += [f"{kind}: {count:,}  ({result['examples'][kind]})" for kind, count in result["errors"].items()]
    text += ["", *_table(result)]
    if len(samples):
        text += ["", *histogram(samples, counts), "", f"replies over time  {timeline(result['windows'])}"]
    text += _workers(result)
    text.append("")
    text += [f"not sound: {reason}" for reason in result["validity"]] or ["no reason found to doubt these figures"]
    return text


def histogram(samples: FloatArray, weights: Counts | None = None) -> list[str]:
    """Rows of equal ratio from the least sample to the 99.9th percentile, with the rest in the last."""
    each = np.ones(len(samples), np.int64) if weights is None else weights
    low, high = float(samples.min()), float(np.quantile(samples, 0.999, method="inverted_cdf", weights=each))
    low = max(low, 1e-3)
    if high <= low * 1.01:
        return [f"{_time(low):>9}  {'█' * BAR} {each.sum():,}"]
    edges = np.geomspace(low, high, HISTOGRAM_ROWS + 1)
    indexes = np.clip(np.searchsorted(edges, samples, side="right") - 1, 0, HISTOGRAM_ROWS - 1)
    counts = np.bincount(indexes, weights=each, minlength=HISTOGRAM_ROWS).astype(np.int64)
    return [
        f"{_time(float(edge)):>9}  {'█' * round(BAR * count / counts.max()):<{BAR}} {count:,}"
        for edge, count in zip(edges, counts.tolist(), strict=False)
    ]


def _workers(result: Mapping[str, Any]) -> list[str]:
    """A line for each worker, where there are several."""
    rows = result.get("workers", ())
    text = [""] * bool(rows)
    for number, row in enumerate(rows, 1):
        name = f"worker {number} ({row['host']})"
        if row["lost"] or row["answered"] is None:
            text.append(f"{name:<32} {'lost: ' + row['lost'] if row['lost'] else 'no report'}")
            continue
        rate = "–" if row["throughput_rps"] is None else f"{significant(row['throughput_rps'], 4)}/s"
        text.append(f"{name:<32} {row['answered']:,} right replies: {rate}   at {row['generator_cpu']:.0%} of a CPU")
    if result.get("lost_share"):
        text.append(f"{result['lost_share']:.0%} of the load was lost with them; the figures are those of the rest")
    return text


def timeline(windows: Sequence[int]) -> str:
    """Replies per stretch of time as one line of bars; a gap is a stall."""
    if not windows:
        return ""
    size = -(-len(windows) // TIMELINE)
    stretches = [windows[start : start + size] for start in range(0, len(windows), size)]
    means = [sum(stretch) / len(stretch) for stretch in stretches]
    most = max(means) or 1.0
    return "".join(_BARS[math.ceil(8 * mean / most)] for mean in means)


def _loop(result: Mapping[str, Any]) -> str:
    if result["loop"] == "open":
        return f"open loop, {significant(result['rate_rps'], 4)}/s offered, up to {result['connections']} connections"
    if result["loop"] == "closed":
        return f"closed loop, concurrency {result['connections']}"
    return f"{result['connections']} streams"


def _table(result: Mapping[str, Any]) -> list[str]:
    rows = {
        "service time": result["service_time_us"],
        "response time": result["response_time_us"],
        "lateness": result["lateness_us"],
        **{name.removesuffix("_us").replace("_", " "): row for name, row in result["series"].items()},
    }
    present = {name: row for name, row in rows.items() if row}
    if not present:
        return ["no latencies: no right reply"]
    columns = ("p50", "p90", "p99", "p999", "max", "mean")
    text = [" " * 14 + "".join(f"{column:>10}" for column in columns)]
    text += [
        f"{name:<14}" + "".join(f"{_time(row[column]):>10}" for column in columns) for name, row in present.items()
    ]
    return text


def _time(us: float) -> str:
    if us >= 1e6:
        return f"{significant(us / 1e6, 3)} s"
    if us >= 1e3:
        return f"{significant(us / 1e3, 3)} ms"
    return f"{significant(us, 3)} µs"
