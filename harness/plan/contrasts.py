"""Which pairs a run compares: A/A, references, as declared, a scenario with its control, the steps of ladders. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from itertools import combinations

from harness.config import ContrastIn
from harness.model import Contrast, Metric, Point, Question, Scenario, Side, Target
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

    def add(question: Question, a: Side, b: Side, label: str, metrics: Iterable[Metric] = METRICS) -> None:
        for metric in metrics:
            key = f"{metric}:{a.id}/{b.id}"
            contrasts.setdefault(key, Contrast(key, question, metric, a, b, label))

    def add_pair(
        question: Question,
        a: Target,
        b: Target,
        label: str,
        at: Sequence[Point] = points,
        metrics: Iterable[Metric] = METRICS,
    ) -> None:
        for point in at:
            if serves(a, point) and serves(b, point):
                add(question, Side(a.name, point.id), Side(b.name, point.id), label, metrics)

    for target in targets:
        if target.twin_of:
            add_pair("real", target, by_name[target.twin_of], f"A/A: {target.twin_of} against itself")
    for contrast in declared:
        if contrast.a in by_name and contrast.b in by_name:
            at = [point for point in points if any(fnmatchcase(point.scenario, glob) for glob in contrast.scenarios)]
            add_pair(contrast.question, by_name[contrast.a], by_name[contrast.b], contrast.label, at, contrast.metrics)
    for one, other in combinations(targets, 2):
        if one.under and one.under == other.under and not (one.twin_of or other.twin_of):
            add_pair("real", other, one, f"{other.name} against {one.name}")
    picked = [point for point in points if by_scenario[point.scenario].question == "pick"]
    for one, other in combinations([target for target in targets if target.reference], 2):
        add_pair("pick", one, other, f"{one.name} against {other.name}", picked)
    for point in points:
        scenario = by_scenario[point.scenario]
        setting = (scenario.against, point.params, point.concurrency)
        control = next((each for each in points if (each.scenario, each.params, each.concurrency) == setting), None)
        if control is None:
            continue
        for target in targets:
            if not target.twin_of and serves(target, point) and serves(target, control):
                sides = Side(target.name, point.id), Side(target.name, control.id)
                add(scenario.question, *sides, f"{point.scenario} against {scenario.against}")
    for a, b in steps:
        add("ladder", a, b, f"{a.target} against {b.target}" if a.point == b.point else "", ("cpu_cost",))
    return tuple(contrasts.values())
