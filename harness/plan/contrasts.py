"""Which pairs a run compares: A/A, references, as declared, a scenario with its control, the steps of ladders. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from itertools import combinations

from harness.config import ContrastIn
from harness.model import Contrast, Metric, Point, Scenario, Side, Target
from harness.plan.points import serves

METRICS: tuple[Metric, ...] = ("cpu_cost", "throughput")
TWIN = "~again"


def with_twin(targets: Sequence[Target]) -> tuple[Target, ...]:
    """The targets and the A/A control: the first reference (or first) target once more, under a second name."""
    first = next((target for target in targets if target.reference), targets[0])
    twin = replace(first, name=first.name + TWIN, twin_of=first.name, reference=False)
    return (*targets, twin)


def declared_contrasts(
    targets: Sequence[Target],
    scenarios: Sequence[Scenario],
    points: Sequence[Point],
    declared: Iterable[ContrastIn],
    steps: Iterable[tuple[Side, Side]] = (),
) -> tuple[Contrast, ...]:
    """A run's contrasts: A/A, as declared, between interpreters, between reference targets, each scenario against its
    own control.

    ``steps`` are those of the ladders that share a window.
    """
    by_name = {target.name: target for target in targets}
    by_scenario = {scenario.name: scenario for scenario in scenarios}
    contrasts: dict[str, Contrast] = {}

    def add(question: str, a: Side, b: Side, label: str, metrics: Iterable[Metric]) -> None:
        for metric in metrics:
            key = f"{metric}:{a.id}/{b.id}"
            if key not in contrasts:
                contrasts[key] = Contrast(key, question, metric, a, b, label)  # type: ignore[arg-type]

    for target in targets:
        if target.twin_of:
            for point in points:
                if serves(target, point):
                    a, b = Side(target.name, point.id), Side(target.twin_of, point.id)
                    add("real", a, b, f"A/A: {target.twin_of} against itself", METRICS)
    for contrast in declared:
        if contrast.a in by_name and contrast.b in by_name:
            for point in points:
                named = any(fnmatchcase(point.scenario, glob) for glob in contrast.scenarios)
                if named and serves(by_name[contrast.a], point) and serves(by_name[contrast.b], point):
                    sides = Side(contrast.a, point.id), Side(contrast.b, point.id)
                    add(contrast.question, *sides, contrast.label, contrast.metrics)
    for one, other in combinations(targets, 2):
        if one.under and one.under == other.under and not (one.twin_of or other.twin_of):
            for point in points:
                if serves(one, point) and serves(other, point):
                    sides = Side(other.name, point.id), Side(one.name, point.id)
                    add("real", *sides, f"{other.name} against {one.name}", METRICS)
    references = [target for target in targets if target.reference]
    for first, second in combinations(references, 2):
        for point in points:
            if by_scenario[point.scenario].question == "pick" and serves(first, point) and serves(second, point):
                sides = Side(first.name, point.id), Side(second.name, point.id)
                add("pick", *sides, f"{first.name} against {second.name}", METRICS)
    for point in points:
        against = by_scenario[point.scenario].against
        if not against:
            continue
        setting = (against, point.params, point.concurrency)
        control = next((p for p in points if (p.scenario, p.params, p.concurrency) == setting), None)
        if control is None:
            continue
        for target in targets:
            if not target.twin_of and serves(target, point) and serves(target, control):
                sides = Side(target.name, point.id), Side(target.name, control.id)
                add(by_scenario[point.scenario].question, *sides, f"{point.scenario} against {against}", METRICS)
    for a, b in steps:
        add("ladder", a, b, f"{a.target} against {b.target}" if a.point == b.point else "", ("cpu_cost",))
    return tuple(contrasts.values())
