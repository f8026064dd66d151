"""A run's windows to what its studies came to. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from harness.analyse.capacity import capacity_row
from harness.analyse.summary.studies import (
    CapacityRow,
    ConnectionKind,
    ConnectionRow,
    FanOutRow,
    LatencyRow,
    NeighbourRow,
    OverloadRow,
    StudyResults,
)
from harness.analyse.windows import Group, WindowSamples, curve, groups, latest, over_blocks, p99, spread
from harness.model import Manifest, WindowRecord
from harness.units import US

KINDS: tuple[ConnectionKind, ...] = ("idle", "slow", "sockets", "streams")


def study_results(manifest: Manifest, windows: Sequence[WindowRecord], samples: WindowSamples) -> StudyResults:
    """Everything that the sections about load on one target alone show."""
    scenarios = {trial.id: trial.scenario for trial in manifest.plan.trials}
    records = latest(windows)
    neighbours = groups(records, "neighbours", scenarios)
    overloads = groups(records, "overload", scenarios)
    capacities = groups(records, "capacity", scenarios, key=lambda record: "")
    return StudyResults(
        neighbours=tuple(_neighbour(group, neighbours, records, samples) for group in neighbours.values()),
        fan_out=tuple(_fan_out(group, records, samples) for group in groups(records, "fan-out", scenarios).values()),
        latency=tuple(_latency(group, records, samples) for group in groups(records, "latency", scenarios).values()),
        capacity=tuple(_capacity(group, records, scenarios) for group in capacities.values()),
        overload=tuple(_overload(group, records, samples) for group in overloads.values()),
        connections=tuple(
            _connection(group, records, samples) for group in groups(records, "connections", scenarios).values()
        ),
    )


def _setting(group: Group, records: Sequence[WindowRecord]) -> Mapping[str, float | str | int]:
    """The group's setting, also where none of its windows gives a number."""
    if group.records:
        return group.records[0].setting
    return next(r.setting for r in records if r.target == group.target and r.point == group.point)


def _neighbour(
    group: Group,
    others: Mapping[tuple[str, str, str], Group],
    records: Sequence[WindowRecord],
    samples: WindowSamples,
) -> NeighbourRow:
    setting = _setting(group, records)
    fast = next((name for record in group.records for name in record.latency_us), "")
    alone = others.get((group.target, group.scenario, "alone"))
    before = {record.block: p99(record, fast) for record in (alone.records if alone else ())}

    def times(record: WindowRecord) -> float | None:
        base, now = before.get(record.block), p99(record, fast)
        return now / base if base and now else None

    return NeighbourRow(
        *group.head,
        neighbour=str(setting.get("neighbour", "")),
        share=float(setting.get("share", 0)),
        ms=float(setting.get("ms", 0)),
        rate_rps=float(setting.get("rate", 0)),
        fast=fast,
        latency=spread(group, samples, fast),
        times=over_blocks(group, times) if setting.get("neighbour") else None,
        errors=sum(sum(record.errors.values()) for record in group.records),
    )


def _fan_out(group: Group, records: Sequence[WindowRecord], samples: WindowSamples) -> FanOutRow:
    setting = _setting(group, records)
    name = next((name for record in group.records for name in record.latency_us), "")
    return FanOutRow(
        *group.head,
        calls=int(setting["calls"]),
        ms=float(setting.get("ms", 0)),
        connections=int(setting["connections"]),
        latency=spread(group, samples, name),
        throughput_rps=over_blocks(group, lambda record: record.figures.get("throughput_rps")),
        cpu_us=over_blocks(group, _cpu_us),
    )


def _latency(group: Group, records: Sequence[WindowRecord], samples: WindowSamples) -> LatencyRow:
    name = next((name for record in group.records for name in record.latency_us), "")
    return LatencyRow(
        *group.head,
        rate_rps=float(_setting(group, records)["rate"]),
        endpoint=name,
        latency=spread(group, samples, name),
        curve=curve(group, samples, name),
    )


def _capacity(group: Group, records: Sequence[WindowRecord], scenarios: Mapping[str, str]) -> CapacityRow:
    mine = [
        record
        for record in records
        if record.study == "capacity"
        and record.target == group.target
        and scenarios.get(record.id.removesuffix(f"-{record.point}"), "") == group.scenario
    ]
    return capacity_row(group, mine)


def _overload(group: Group, records: Sequence[WindowRecord], samples: WindowSamples) -> OverloadRow:
    errors: Counter[str] = Counter()
    for record in group.records:
        errors.update(record.errors)
    planned = sum(record.figures.get("overload_planned", 0.0) for record in group.records)
    answered = sum(record.figures.get("overload_answered", 0.0) for record in group.records)
    rates = [float(record.setting["rate"]) for record in group.records]
    back = [record.figures["recovery_s"] for record in group.records if "recovery_s" in record.figures]
    return OverloadRow(
        *group.head,
        bound_ms=float(_setting(group, records)["bound_ms"]),
        rate_rps=1.5 * sum(rates) / len(rates) if rates else 0.0,
        unanswered_share=1 - answered / planned if planned else None,
        errors=dict(sorted(errors.items())),
        latency=spread(group, samples, "overload"),
        recovered=len(back),
        recovery_s=max(back) if back else None,
    )


def _connection(group: Group, records: Sequence[WindowRecord], samples: WindowSamples) -> ConnectionRow:
    setting = _setting(group, records)
    kind: ConnectionKind = next((kind for kind in KINDS if setting.get(kind)), "alone")
    name = {"sockets": "echo", "streams": "gap"}.get(kind)
    name = name or next((name for record in group.records for name in record.latency_us), "")
    beside = kind in ("alone", "idle", "slow")
    planned = sum(record.planned for record in group.records)
    answered = sum(record.answered for record in group.records)
    memory = [record.figures["rss_bytes"] for record in group.records if "rss_bytes" in record.figures]
    return ConnectionRow(
        *group.head,
        kind=kind,
        number=int(setting.get(kind, 0)),
        served=min((_served(kind, record) for record in group.records), default=0),
        latency=spread(group, samples, name),
        rate_rps=over_blocks_rate(group, kind),
        unanswered_share=1 - answered / planned if beside and planned else None,
        rss_bytes=max(memory) if memory else None,
    )


def _served(kind: ConnectionKind, record: WindowRecord) -> int:
    if kind == "idle":
        return int(record.figures.get("idle_answered", 0) - record.figures.get("idle_closed", 0))
    if kind == "slow":
        return int(record.figures.get("slow_opened", 0))
    if kind == "sockets":
        return int(record.latency_us.get("handshake", {}).get("count", 0))
    return record.answered


def over_blocks_rate(group: Group, kind: ConnectionKind) -> float | None:
    """Mean over blocks: echoes, events or requests per second."""
    if not group.records:
        return None
    if kind == "streams":
        counts = [record.latency_us.get("gap", {}).get("count", 0) + record.answered for record in group.records]
        return sum(counts) / sum(max(record.figures.get("window_s", 1.0), 1e-9) for record in group.records)
    rates = [record.figures.get("throughput_rps", 0.0) for record in group.records]
    return sum(rates) / len(rates)


def _cpu_us(record: WindowRecord) -> float | None:
    cpu = record.figures.get("cpu_s")
    return cpu * US / record.answered if cpu and record.answered else None
