"""Run health: what the machine and the generator did, which gates fired, and what failed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from harness.model import Failure, Reason
from harness.model.units import significant
from harness.report.blocks import Block, Facts, Fold, Heading, Items, Plots, Pre, Table, Text, folded, words
from harness.report.charts.svg import Chart
from harness.report.charts.windows import Mark, marks, speed_change, windows, windows_chart
from harness.report.language.catalogue import Language
from harness.report.numbers import Figure, count, numbered, share, shown
from harness.report.view import View
from harness.results.summary import Health

CHANGED = 1.2
"""From which change of the machine's speed on the report speaks of it."""
LISTED = 100
"""The most gates and failures that are listed one by one; the embedded JSON holds all."""


def run_health(view: View) -> tuple[Block, ...]:
    health, language, text = view.summary.health, view.language, view.language.text
    blocks: list[Block] = []
    if view.summary.reasons:
        badge = text(f"badges.{view.summary.badge}")
        blocks += [Text(text("health.badge", badge=badge)), Items(tuple(map(language.reason, view.summary.reasons)))]
    if view.manifest.warnings:
        blocks += [Heading(text("health.warnings")), Items(tuple(map(language.reason, view.manifest.warnings)))]
    blocks.append(Facts(_facts(health, language)))
    points, noted = windows(view.records), marks(view.records, language)
    if points:
        blocks.append(_over_time(windows_chart(points, noted, "windows", language), noted, language))
        if (times := speed_change(points)) >= CHANGED:
            blocks.append(Text(text("health.speed", times=significant(times))))
    if gates := numbered("health.gates", health.gates[:LISTED]):
        table = Table.of(view, "health.gates", GATES, gates, head="health.gate", row=lambda gate: gate.reason.code)
        blocks += [Heading(text("health.gates")), table]
    failures = _grouped(health.failures, language)
    skipped = _grouped(view.manifest.skipped, language)
    for heading, folds in (("health.failures", failures), ("health.skipped", skipped)):
        blocks += [Heading(text(heading)), *folds[:LISTED]] if folds else []
    left_out = [
        f"{' '.join(filter(None, (each.target, each.point)))}: {language.reason(each.reason)}"
        for each in view.manifest.plan.left_out
    ]
    blocks += folded(text("health.left_out", count=len(left_out)), Items(tuple(left_out)), left_out)
    unlisted = max(0, len(health.gates) - LISTED) + max(0, len(failures) - LISTED)
    return (*blocks, *((Text(text("health.unlisted", count=unlisted), note=True),) if unlisted else ()))


def _over_time(chart: Chart, noted: Sequence[Mark], language: Language) -> Plots:
    text = language.text
    lines = tuple(text("health.mark", minute=f"{mark.minute:.1f}", text=mark.text) for mark in noted[:LISTED])
    listed = Items(lines) if lines else Text(text("health.no_marks"))
    inside = Fold(text("health.marks", count=len(lines)), (listed,))
    return Plots((chart,), chart.title, chart.description, inside=(inside,))


GATES = (
    words("words.target", lambda view, gate, path: gate.target),
    words("words.point", lambda view, gate, path: gate.point),
    words("health.reason", lambda view, gate, path: view.language.reason(gate.reason)),
)


def _grouped(failures: Sequence[Failure], language: Language) -> tuple[Fold, ...]:
    """Failures of one target that say the same; the log is the first one's."""
    text = language.text
    groups: dict[tuple[str, Reason], list[Failure]] = defaultdict(list)
    for failure in failures:
        groups[failure.target, failure.reason].append(failure)
    folds = []
    for (target, reason), same in groups.items():
        points = ", ".join(dict.fromkeys(one.point for one in same if one.point))
        where = (Text(text("health.at", points=points), note=True),) if points else ()
        log: Block = Pre("\n".join(same[0].log)) if same[0].log else Text(text("health.no_log"))
        summary = text("health.failure", target=target, kind=reason.code, message=language.reason(reason))
        folds.append(Fold(summary, (*where, log)))
    return tuple(folds)


def _facts(health: Health, language: Language) -> tuple[tuple[str, Figure], ...]:
    shows = dict.fromkeys(("windows", "failed_windows", "untimed_windows", "retried_windows"), count)
    shows |= dict.fromkeys(("generator_cpu_max", "foreign_cpu_max", "steal_max"), share)
    return tuple((language.text(f"health.{name}"), shown(health, "health", name, show)) for name, show in shows.items())
