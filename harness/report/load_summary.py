"""What ``harness load`` shows in a terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from harness.model.load import PRECISION, FloatArray, IntArray, Latencies, LoadResult
from harness.model.units import format_duration, number_of, significant
from harness.report.language.catalogue import ENGLISH

HISTOGRAM_ROWS = 8
BAR = 32
TIMELINE = 60
WAITED_SHARE = 0.05
LATE_SHARE = 0.005
"""Fewer replies after the sending do not show in a rate of four digits."""

FEW_REPLIES = 20
REPLIES = "right reply", "right replies"
DELAYED_ACK_US = (38_000.0, 46_000.0)
"""Linux waits 40 ms before it acknowledges what comes in two pieces."""

_BARS = " ▁▂▃▄▅▆▇█"


def lines(result: LoadResult) -> list[str]:
    """The summary for people."""
    text = [f"{result.url}  {_loop(result)}", ""]
    if result.interrupted:
        if not result.elapsed_s and not result.reasons:
            return [*text, "interrupted before anything was sent"]
        text += [f"interrupted after {format_duration(result.duration_s)}: the figures are of what was sent until then"]
    late = result.answered - result.in_time
    after = f", and {late:,} more until {format_duration(result.elapsed_s)}" * (late > LATE_SHARE * result.answered)
    right = number_of(result.answered - late if after else result.answered, *REPLIES)
    rate, used = _rate(result.throughput_rps), f"generator at {result.generator_cpu:.0%} of a CPU"
    text.append(f"{right} in {format_duration(result.duration_s)}: {rate}{after}   {used}")
    outcomes = {"failed": result.failed, "dropped": result.dropped, "unfinished": result.unfinished}
    if listed := [f"{count:,} {name}" for name, count in outcomes.items() if count]:
        age = f", the oldest sent {format_duration(result.oldest_s)} before the end" if result.oldest_s else ""
        text.append(f"{', '.join(listed)} of {number_of(result.planned, 'request')}{age}")
    if result.status:
        text.append("status  " + "  ".join(f"{code}: {count:,}" for code, count in sorted(result.status.items())))
    text += [f"{kind}: {count:,}  ({result.examples.get(kind, '')})" for kind, count in result.errors.items()]
    text += [*_notes(result), "", *_table(result)]
    shown = result.service_time_us if result.response_time_us is None else result.response_time_us
    if shown is not None:
        # Without the wait for the last ones.
        sending = result.answered_steps[: max(1, math.ceil(round(result.duration_s / result.step_s, 6)))]
        rows = histogram(shown.values, shown.counts)
        text += ["", *rows, "", f"replies over time  {timeline(sending)}"]
    text += _workers(result)
    text.append("")
    text += [f"not sound: {ENGLISH.reason(reason)}" for reason in result.reasons] or ["all checks passed"]
    return text


def _notes(result: LoadResult) -> list[str]:
    """What a reader should know about the figures besides how many there are."""
    text = []
    if events := result.counts.get("events"):
        rate = f": {_rate(events / result.duration_s)}" if result.duration_s else ""
        text.append(f"{number_of(events, 'event')} in {format_duration(result.duration_s)}{rate}")
    if still := result.counts.get("open_at_end"):
        text.append(f"{_were(still, 'stream')} still open at the end")
    if result.retries:
        again = "sent again: the server closed the kept connection instead of replying"
        text.append(f"{_were(result.retries, 'request')} {again}")
    if result.reconnects:
        text.append(f"{_were(result.reconnects, 'connection')} closed by the server while idle, and opened again")
    codes = set(result.status)
    if result.redirect and codes and all(300 <= code < 400 for code in codes):
        text.append(f"every reply is a redirect ({min(codes)}) to {result.redirect}: load that, if it is what you mean")
    if result.waited > WAITED_SHARE * result.planned:
        few = number_of(result.connections, "connection")
        text.append(f"{result.waited:,} of {number_of(result.planned, 'request')} waited for one of {few}: raise -c")
    times = result.service_time_us
    if times is not None and result.loop == "closed" and times.count >= FEW_REPLIES:
        low, high = times.quantiles([0.1, 0.9])
        if DELAYED_ACK_US[0] <= low <= high <= DELAYED_ACK_US[1]:
            text.append(
                "every reply takes about 40 ms, as a delayed ACK does: does the server send head and body "
                "separately, without TCP_NODELAY?"
            )
    return text


def _were(count: int, noun: str) -> str:
    return f"{number_of(count, noun)} {'was' if count == 1 else 'were'}"


def histogram(samples: FloatArray, weights: IntArray | None = None) -> list[str]:
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


def _workers(result: LoadResult) -> list[str]:
    """A line for each worker, where there are several."""
    text = [""] * bool(result.workers)
    for worker in result.workers:
        if worker.answered is None:
            text.append(f"{worker.name:<32} {'lost: ' + worker.lost if worker.lost else 'no report'}")
            continue
        rate, used = _rate(worker.throughput_rps), f"at {worker.generator_cpu or 0:.0%} of a CPU"
        text.append(f"{worker.name:<32} {number_of(worker.answered, *REPLIES)}: {rate}   {used}")
    if result.lost_share:
        text.append(f"{result.lost_share:.0%} of the load was lost with them; the figures are those of the rest")
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


def _loop(result: LoadResult) -> str:
    if result.loop == "open":
        offered = _rate(result.rate_rps or 0.0)
        return f"open loop, {offered} offered, up to {number_of(result.connections, 'connection')}"
    if result.loop == "closed":
        return f"closed loop, concurrency {result.connections}"
    return number_of(result.connections, "user" if result.loop == "journey" else "stream")


def _table(result: LoadResult) -> list[str]:
    rows: dict[str, Latencies | None] = {
        "service time": result.service_time_us,
        "response time": result.response_time_us,
        "lateness": result.lateness_us,
        **{name.removesuffix("_us").replace("_", " "): each for name, each in result.series.items()},
    }
    present: dict[str, Mapping[str, Any]] = {name: each.to_json() for name, each in rows.items() if each is not None}
    if not present:
        return ["no latencies: no right reply"]
    late = result.errors.get("timeout", 0)
    text = []
    if late and result.timeout_s:
        share = significant(100 * late / max(1, result.planned))
        text.append(f"times of right replies; {share}% of requests took longer than {result.timeout_s:g} s")
    if any(times is not None and times.counts is not None for times in rows.values()):
        text.append(f"percentiles within {PRECISION:.2%}, from a histogram")
    columns = ("p50", "p90", "p99", "p999", "max", "mean")
    text.append(" " * 14 + "".join(f"{column:>10}" for column in columns))
    text += [f"{name:<14}" + "".join(f"{_time(row[key]):>10}" for key in columns) for name, row in present.items()]
    return text


def _rate(rps: float | None) -> str:
    return "–" if rps is None else f"{significant(rps, 4)}/s"


def _time(us: float) -> str:
    if us >= 1e6:
        return f"{significant(us / 1e6, 3)} s"
    if us >= 1e3:
        return f"{significant(us / 1e3, 3)} ms"
    return f"{significant(us, 3)} µs"
