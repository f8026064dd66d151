"""What validation costs: CPU per request at each step, by payload, and the steps as contrasts."""

from __future__ import annotations

from collections import defaultdict

from harness.model import Point
from harness.report.blocks import Block, Column, Entry, Fold, Missing, Plots, Row, Table, Text, words
from harness.report.charts.rows import validation_chart
from harness.report.numbers import Placed, measured
from harness.report.sections.decision import missing
from harness.report.sections.ladder import added_columns, left_out
from harness.report.view import View
from harness.results.summary import ContrastResult


def validation(view: View) -> tuple[Block, ...]:
    """Empty where the run measured no scenario of this question."""
    groups: dict[str, list[Point]] = defaultdict(list)
    for place in view.asking("validate"):
        groups[view.setting(place)].append(place)
    payloads = [_payload(view, setting, places, n) for n, (setting, places) in enumerate(groups.items())]
    steps = [each for each in view.contrasts("validate", "cpu_cost") if each[1].a.target == each[1].b.target]
    counted = any(contrast.instructions is not None for _, contrast in view.contrasts("validate", "cpu_cost"))
    said = Text(view.language.text("validation.intro")), *left_out(view, counted)
    return (*said, *_steps(view, steps, counted), *payloads) if payloads else ()


def _payload(view: View, setting: str, places: list[Point], number: int) -> Plots:
    """One payload at one concurrency: the CPU cost of each step."""
    text, steps = view.language.text, sorted(places, key=lambda place: _depth(view, place.scenario))
    caption = text("validation.caption", setting=setting)
    charts = validation_chart(view, steps, caption, f"validation-{number}")
    rows = tuple(
        Row(view.name(target.name), tuple(_cost(view, target.name, place) for place in steps))
        for target in view.targets.values()
        if not target.twin_of and any(view.cell(target.name, place.id) for place in steps)
    )
    table = Table(caption, text("words.target"), tuple(Column(view.title(place)) for place in steps), rows)
    said = charts[0].description if charts else ""
    return Plots(charts, setting, said, inside=(Fold(text("page.table"), (table,), open=not charts),))


def _depth(view: View, name: str) -> int:
    """How many steps a scenario is contrasted with, one after the other."""
    seen = [name]
    while (scenario := view.scenarios.get(seen[-1])) and scenario.against and scenario.against not in seen:
        seen.append(scenario.against)
    return len(seen)


def _cost(view: View, target: str, place: Point) -> Entry:
    path, cell = view.ok(target, place.id) or ("", None)
    cost = measured(cell.cpu_us, f"{path}.cpu_us") if cell else None
    return cost or Missing(missing(view.cell(target, place.id), view.language)[0])


def _steps(view: View, steps: list[Placed[ContrastResult]], counted: bool) -> tuple[Block, ...]:
    """The contrasts of two steps of one target."""
    text = view.language.text
    columns = (
        words(text("validation.step"), lambda contrast, path: view.where(contrast.a.point)),
        words(text("validation.since"), lambda contrast, path: view.where(contrast.b.point)),
        *added_columns(view, counted),
        words(text("words.verdict"), lambda contrast, path: text(f"verdicts.{contrast.verdict}")),
    )
    caption, head = text("validation.steps_caption"), text("words.target")
    table = Table.of(caption, head, lambda contrast: view.name(contrast.a.target), columns, steps)
    return (Fold(text("validation.steps", count=len(steps)), (table,), open=counted),) if steps else ()
