"""Run health: what the machine and the generator did, which gates fired, and what failed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from harness.analyse.summary import Health
from harness.model import Failure, Gate, SlotRecord
from harness.render.charts.svg import Chart
from harness.render.charts.windows import marks, windows, windows_chart
from harness.render.numbers import Figure, share
from harness.render.view import View

LISTED = 100
"""The most gates and failures that are listed one by one; the embedded JSON holds all."""


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Failures of one target that say the same; the log is the first one's."""

    target: str
    kind: str
    message: str
    points: tuple[str, ...]
    log: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunHealth:
    """``unlisted``: gates and groups of failures past the limit."""

    facts: tuple[tuple[str, Figure], ...]
    gates: tuple[Gate, ...]
    failures: tuple[FailureGroup, ...]
    skipped: tuple[FailureGroup, ...]
    unlisted: int
    chart: Chart | None
    marks: tuple[str, ...]


def run_health(view: View, slots: Sequence[SlotRecord]) -> RunHealth:
    health = view.summary.health
    points, noted = windows(slots), marks(slots)
    failures = _grouped(health.failures)
    chart = windows_chart(points, noted, "windows") if points else None
    return RunHealth(
        facts=_facts(health),
        gates=health.gates[:LISTED],
        failures=failures[:LISTED],
        skipped=_grouped(view.manifest.skipped)[:LISTED],
        unlisted=max(0, len(health.gates) - LISTED) + max(0, len(failures) - LISTED),
        chart=chart,
        marks=tuple(f"{mark.minute:.1f} min: {mark.text}" for mark in noted[:LISTED]),
    )


def _grouped(failures: Sequence[Failure]) -> tuple[FailureGroup, ...]:
    groups: dict[tuple[str, str, str], list[Failure]] = defaultdict(list)
    for failure in failures:
        groups[failure.target, failure.kind, failure.message].append(failure)
    return tuple(
        FailureGroup(*key, tuple(dict.fromkeys(one.point for one in same if one.point)), same[0].log)
        for key, same in groups.items()
    )


def _facts(health: Health) -> tuple[tuple[str, Figure], ...]:
    def count(name: str, value: int) -> Figure:
        return Figure(f"{value:,}", value, f"health.{name}")

    return (
        ("Slots", count("slots", health.slots)),
        ("Slots that failed", count("failed_slots", health.failed_slots)),
        ("Slots that were retried", count("retried_slots", health.retried_slots)),
        ("Highest generator CPU", share(health.generator_cpu_max, "health.generator_cpu_max")),
        ("Highest foreign CPU", share(health.foreign_cpu_max, "health.foreign_cpu_max")),
        ("Highest steal", share(health.steal_max, "health.steal_max")),
    )
