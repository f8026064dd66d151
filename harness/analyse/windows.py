"""Window records of studies as groups over blocks, and what any group comes to. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.analyse.interval import FloatArray, estimate
from harness.analyse.summary.estimate import Estimate
from harness.analyse.summary.studies import RowStatus, Spread
from harness.model import WindowRecord
from harness.quantiles import percentiles

WindowSamples = Callable[[WindowRecord], Mapping[int, FloatArray]]
"""A record's raw latencies in µs, by index of the class of request."""

BEYOND = 10
"""Samples that must lie beyond a percentile for it to be drawn."""

SHARES = (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995, 0.9975, 0.999, 0.9995, 0.9999)


@dataclass(frozen=True, slots=True)
class Group:
    """The windows of one target at one setting; ``records``: those from which numbers may be drawn, a block each."""

    target: str
    scenario: str
    point: str
    records: tuple[WindowRecord, ...]
    status: RowStatus
    reason: str

    @property
    def head(self) -> tuple[str, str, RowStatus, str, int]:
        """What every row begins with."""
        return self.target, self.scenario, self.status, self.reason, len(self.records)


def latest(records: Iterable[WindowRecord]) -> tuple[WindowRecord, ...]:
    """The last attempt of each window, in the order in which they were first recorded."""
    found: dict[str, WindowRecord] = {}
    for record in records:
        if record.id not in found or record.attempt >= found[record.id].attempt:
            found[record.id] = record
    return tuple(found.values())


def sound(record: WindowRecord) -> bool:
    """Whether numbers may be drawn from it."""
    return not record.failures and not any(gate.fatal for gate in record.gates)


def groups(
    records: Iterable[WindowRecord],
    study: str,
    scenarios: Mapping[str, str],
    key: Callable[[WindowRecord], str] = lambda record: record.point,
) -> dict[tuple[str, str, str], Group]:
    """By (target, scenario, ``key``); ``scenarios``: id of a window's trial → its scenario."""
    gathered: dict[tuple[str, str, str], list[WindowRecord]] = {}
    for record in latest(records):
        if record.study == study:
            scenario = scenarios.get(record.id.removesuffix(f"-{record.point}"), "")
            gathered.setdefault((record.target, scenario, key(record)), []).append(record)
    return {place: _group(*place, members) for place, members in gathered.items()}


def _group(target: str, scenario: str, point: str, members: Sequence[WindowRecord]) -> Group:
    usable = tuple(record for record in members if sound(record))
    if usable:
        return Group(target, scenario, point, usable, "ok", "")
    failures = [failure for record in members for failure in record.failures]
    if failures:
        status: RowStatus = "cannot" if failures[0].kind == "cannot" else "failed"
        return Group(target, scenario, point, (), status, failures[0].message)
    reasons = [f"{gate.gate}: {gate.reason}" for record in members for gate in record.gates if gate.fatal]
    return Group(target, scenario, point, (), "not-measurable", reasons[0] if reasons else "no window was recorded")


def spread(group: Group, samples: WindowSamples, name: str) -> Spread | None:
    """Pooled percentiles of a class of requests; ``None`` where none of them got a right reply."""
    parts = [class_samples(record, samples, name) for record in group.records]
    pooled = percentiles(parts)
    if not pooled:
        return None
    each = [percentiles([part])["p99"] for part in parts if part.size]
    count = sum(part.size for part in parts)
    return Spread(count, pooled["p50"], pooled["p99"], min(each), max(each))


def curve(group: Group, samples: WindowSamples, name: str) -> tuple[tuple[float, float], ...]:
    """(share, microseconds) up to where ``BEYOND`` samples lie beyond."""
    parts = [class_samples(record, samples, name) for record in group.records]
    together = np.sort(np.concatenate(parts)) if parts else np.empty(0)
    return tuple(
        (share, float(together[int(np.ceil(share * together.size)) - 1]))
        for share in SHARES
        if together.size * (1 - share) >= BEYOND and together.size * share >= 1
    )


def class_samples(record: WindowRecord, samples: WindowSamples, name: str) -> FloatArray:
    """The latencies of a class of requests in one window."""
    names = list(record.latency_us)
    return samples(record).get(names.index(name), np.empty(0)) if name in names else np.empty(0)


def over_blocks(group: Group, value: Callable[[WindowRecord], float | None]) -> Estimate | None:
    """Mean and interval over blocks of a positive figure."""
    found = [each for record in group.records if (each := value(record)) is not None and each > 0]
    return estimate(found) if found else None


def p99(record: WindowRecord, name: str) -> float | None:
    latency = record.latency_us.get(name)
    return None if latency is None else latency["p99"]
