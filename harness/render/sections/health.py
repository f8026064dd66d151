"""Run health: what the machine and the generator did, which gates fired, and what failed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.analyse.summary import Health
from harness.model import Failure, Gate, SlotRecord
from harness.render.charts.svg import Chart
from harness.render.charts.windows import marks, windows, windows_chart
from harness.render.language.catalogue import Language
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
    language = view.language
    points, noted = windows(slots), marks(slots, language)
    failures = _grouped(health.failures)
    chart = windows_chart(points, noted, "windows", language) if points else None
    return RunHealth(
        facts=_facts(health, language),
        gates=tuple(replace(gate, reason=language.reason(gate.reason)) for gate in health.gates[:LISTED]),
        failures=failures[:LISTED],
        skipped=_grouped(view.manifest.skipped)[:LISTED],
        unlisted=max(0, len(health.gates) - LISTED) + max(0, len(failures) - LISTED),
        chart=chart,
        marks=tuple(
            language.text("health.mark", minute=f"{mark.minute:.1f}", text=mark.text) for mark in noted[:LISTED]
        ),
    )


def _grouped(failures: Sequence[Failure]) -> tuple[FailureGroup, ...]:
    groups: dict[tuple[str, str, str], list[Failure]] = defaultdict(list)
    for failure in failures:
        groups[failure.target, failure.kind, failure.message].append(failure)
    return tuple(
        FailureGroup(*key, tuple(dict.fromkeys(one.point for one in same if one.point)), same[0].log)
        for key, same in groups.items()
    )


def _facts(health: Health, language: Language) -> tuple[tuple[str, Figure], ...]:
    counts = {name: getattr(health, name) for name in ("slots", "failed_slots", "retried_slots")}
    shares = {name: getattr(health, name) for name in ("generator_cpu_max", "foreign_cpu_max", "steal_max")}
    figures = [(name, Figure(f"{value:,}", value, f"health.{name}")) for name, value in counts.items()]
    figures += [(name, share(value, f"health.{name}")) for name, value in shares.items()]
    return tuple((language.text(f"health.{name}"), figure) for name, figure in figures)
