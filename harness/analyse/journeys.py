"""Journeys: what the users of each target saw, over blocks; never set beside figures of another engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from harness.analyse.interval import FloatArray, estimate
from harness.analyse.summary import Estimate, JourneyClass, JourneyResult
from harness.model import Journey, Manifest, WindowRecord

STUDY = "journey"
BEYOND = 10
"""A percentile is given where at least so many samples lie beyond it."""

SHARES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}
WindowSamples = Callable[[WindowRecord], Mapping[int, FloatArray]]


def journeys(manifest: Manifest, windows: Sequence[WindowRecord], samples: WindowSamples) -> tuple[JourneyResult, ...]:
    """A result for every journey and target of the run, in their order."""
    records = counted(windows, STUDY)
    found = []
    for journey in manifest.journeys:
        for target in manifest.targets:
            mine = [r for r in records if (r.target, r.point) == (target.name, journey.point)]
            if not target.twin_of:
                found.append(_result(journey, target.name, mine, samples))
    return tuple(found)


def faults(record: WindowRecord) -> list[str]:
    """Why no number is drawn from a window; empty where one is."""
    failed = [f"{failure.kind}: {failure.message}" for failure in record.failures]
    return failed + [f"{gate.gate}: {gate.reason}" for gate in record.gates if gate.fatal]


def counted(windows: Iterable[WindowRecord], study: str) -> list[WindowRecord]:
    """The last attempt of every window of a study, by block."""
    latest = {record.id: record for record in sorted(windows, key=lambda r: r.attempt) if record.study == study}
    return sorted(latest.values(), key=lambda record: record.block)


def _result(journey: Journey, target: str, records: Sequence[WindowRecord], samples: WindowSamples) -> JourneyResult:
    valid = [record for record in records if not faults(record)]
    reasons = Counter(reason for record in records for reason in faults(record))
    listed = [reason + (f" ({count} windows)" if count > 1 else "") for reason, count in reasons.items()]
    errors: Counter[str] = Counter()
    for record in records:
        errors.update(record.errors)
    blank = JourneyResult(
        journey=journey.name,
        target=target,
        users=journey.users,
        engine="locust",
        status="not-run",
        errors=dict(errors),
        reasons=tuple(listed),
    )
    if not records:
        why = journey.left_out.get(target, "")
        return replace(blank, reasons=(why,) if why else ())
    if not valid:
        broken = any(record.failures or record.errors for record in records)
        return replace(blank, status="failed" if broken else "not-measurable")
    pooled = _pooled(valid, samples)
    return replace(
        blank,
        status="ok",
        replies=sum(record.answered for record in valid),
        throughput_rps=_over_blocks(valid, "throughput_rps"),
        cpu_us=_over_blocks(valid, "cpu_us"),
        classes=tuple(_class(name, valid, pooled.get(name)) for name in _names(valid)),
    )


def _names(records: Sequence[WindowRecord]) -> list[str]:
    """Classes of request, the one with the most time in it first."""
    weight: Counter[str] = Counter()
    for record in records:
        for name, row in record.latency_us.items():
            weight[name] += int(row["count"] * row["p50"])
    return [name for name, _ in weight.most_common()]


def _pooled(records: Sequence[WindowRecord], samples: WindowSamples) -> dict[str, FloatArray]:
    parts: dict[str, list[FloatArray]] = {}
    for record in records:
        arrays = samples(record)
        for index, name in enumerate(sorted(record.latency_us)):
            if index in arrays:
                parts.setdefault(name, []).append(arrays[index])
    return {name: np.concatenate(arrays) for name, arrays in parts.items()}


def _class(name: str, records: Sequence[WindowRecord], pooled: FloatArray | None) -> JourneyClass:
    rows = [record.latency_us[name] for record in records if name in record.latency_us]
    count = int(sum(row["count"] for row in rows))
    values = {
        key: float(np.quantile(pooled, share, method="inverted_cdf"))
        for key, share in SHARES.items()
        if pooled is not None and len(pooled) * (1 - share) >= BEYOND
    }
    return JourneyClass(name, count, estimate([row["p50"] for row in rows]), values.get("p90"), values.get("p99"))


def _over_blocks(records: Sequence[WindowRecord], figure: str) -> Estimate | None:
    return estimate([record.figures[figure] for record in records if record.figures.get(figure, 0.0) > 0])
