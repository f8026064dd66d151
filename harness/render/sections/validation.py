"""What validation costs: CPU per request at each step, by payload, and the steps as contrasts."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from harness.render.charts.svg import Chart
from harness.render.charts.validation import validation_chart
from harness.render.numbers import Figure, Measured, measured, microseconds
from harness.render.sections.decision import missing
from harness.render.view import Place, View


@dataclass(frozen=True, slots=True)
class Payload:
    """One payload at one concurrency; ``rows``: a target, and per step its CPU cost or why there is none."""

    title: str
    chart: Chart | None
    steps: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Measured | str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Step:
    """A contrast of two steps; ``interval`` is empty with a single block."""

    target: str
    to: str
    since: str
    added: Figure | None
    interval: tuple[Figure, ...]
    verdict: str


@dataclass(frozen=True, slots=True)
class Validation:
    payloads: tuple[Payload, ...]
    steps: tuple[Step, ...]


def validation(view: View) -> Validation | None:
    """``None`` where the run measured no scenario of this question."""
    groups: dict[str, list[Place]] = defaultdict(list)
    for place in view.places.values():
        if view.question(place) == "validate":
            groups[view.setting(place)].append(place)
    payloads = []
    for number, (setting, places) in enumerate(groups.items()):
        steps = _in_order(view, places)
        chart = validation_chart(
            view, steps, view.language.text("validation.caption", setting=setting), f"validation-{number}"
        )
        rows = tuple(
            (target.name, tuple(_cost(view, target.name, place) for place in steps))
            for target in view.targets.values()
            if not target.twin_of and any(view.cell(target.name, place.id) for place in steps)
        )
        payloads.append(Payload(setting, chart, tuple(place.scenario for place in steps), rows))
    return Validation(tuple(payloads), _steps(view)) if payloads else None


def _in_order(view: View, places: list[Place]) -> list[Place]:
    """A step after the one that it is contrasted with; others as planned."""
    depth: dict[str, int] = {}

    def of(name: str, seen: frozenset[str]) -> int:
        scenario = view.scenarios.get(name)
        if scenario is None or not scenario.against or scenario.against in seen:
            return 0
        return 1 + of(scenario.against, seen | {name})

    for place in places:
        depth[place.scenario] = of(place.scenario, frozenset({place.scenario}))
    return sorted(places, key=lambda place: depth[place.scenario])


def _cost(view: View, target: str, place: Place) -> Measured | str:
    found = view.cell(target, place.id)
    if found is None or found[1].status != "ok" or found[1].cpu_us is None:
        return missing(found[1] if found else None, view.language)[0]
    return measured(found[1].cpu_us, f"cells.{found[0]}.cpu_us")


def _steps(view: View) -> tuple[Step, ...]:
    found = []
    for index, contrast in view.contrasts("validate", "cpu_cost"):
        if contrast.a.target != contrast.b.target:
            continue
        path = f"contrasts.{index}"
        added = None if contrast.difference is None else microseconds(contrast.difference, f"{path}.difference")
        ends = ((contrast.difference_low, "difference_low"), (contrast.difference_high, "difference_high"))
        interval = tuple(microseconds(end, f"{path}.{name}") for end, name in ends if end is not None)
        found.append(
            Step(
                target=contrast.a.target,
                to=view.where(contrast.a.point),
                since=view.where(contrast.b.point),
                added=added,
                interval=interval if len(interval) == 2 else (),
                verdict=view.language.text(f"verdicts.{contrast.verdict}"),
            )
        )
    return tuple(found)
