"""What validation costs: each step as contrasts, in words and as a table, and CPU per request by payload."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from itertools import pairwise

from harness.model import Point, Target
from harness.report.blocks import Block, Column, Entry, Fold, Plots, Table, Text, words
from harness.report.charts.rows import validation_chart
from harness.report.numbers import Placed, Sentence, by, change, microseconds, shown
from harness.report.sections.decision import value_or_state
from harness.report.sections.ladder import VERDICT, added_columns, left_out
from harness.report.sentences import ADDED, Fields, difference_interval, listed, size
from harness.report.view import View
from harness.results.summary import ContrastResult
from harness.stats.estimate import REAL


def validation(view: View) -> tuple[Block, ...]:
    """Empty where the run measured no scenario of this question."""
    groups: dict[str, list[Point]] = defaultdict(list)
    for place in view.places_of("validate"):
        groups[view.setting(place)].append(place)
    payloads = [_payload(view, setting, places, n) for n, (setting, places) in enumerate(groups.items())]
    counted = any(contrast.instructions is not None for _, contrast in view.contrasts("validate", "cpu_cost"))
    said = Text(view.text("validation.intro")), *left_out(view, counted)
    return (*said, *_steps(view, counted), *payloads) if payloads else ()


def _payload(view: View, setting: str, places: list[Point], number: int) -> Plots:
    """One payload at one concurrency: the CPU cost of each step."""
    steps = sorted(places, key=lambda place: _depth(view, place.scenario))
    caption = view.text("validation.caption", setting=setting)
    charts = validation_chart(view, steps, caption, f"validation-{number}")
    rows = [
        ("", target)
        for target in view.targets.values()
        if not target.twin_of and any(view.cell(target.name, place.id) for place in steps)
    ]
    columns = [Column(view.title(place.scenario), said=partial(_cost, place=place)) for place in steps]
    table = Table.of(view, caption, columns, rows, row=lambda target: view.name(target.name))
    said = charts[0].description if charts else ""
    return Plots(charts, setting, said, inside=(Fold(view.text("page.table"), (table,), open=not charts),))


def _depth(view: View, name: str) -> int:
    """How many steps a scenario is contrasted with, one after the other."""
    seen = [name]
    while (scenario := view.scenarios.get(seen[-1])) and scenario.against and scenario.against not in seen:
        seen.append(scenario.against)
    return len(seen)


def _cost(view: View, target: Target, _: str, place: Point) -> Entry:
    return value_or_state(view, view.cell(target.name, place.id), "cpu_us")


def _between_steps(view: View) -> list[Placed[ContrastResult]]:
    """The contrasts of two steps of one target."""
    return [each for each in view.contrasts("validate", "cpu_cost") if each[1].a.target == each[1].b.target]


def _steps(view: View, counted: bool) -> tuple[Block, ...]:
    steps = _between_steps(view)
    columns = (
        words("validation.step", lambda view, contrast, path: view.where(contrast.a.point)),
        words("validation.since", lambda view, contrast, path: view.where(contrast.b.point)),
        *added_columns(counted),
        VERDICT,
    )
    table = Table.of(view, "validation.steps_caption", columns, steps, row=lambda each: view.name(each.a.target))
    return (Fold(view.text("validation.steps", count=len(steps)), (table,), open=counted),) if steps else ()


def validation_lines(view: View) -> list[Sentence]:
    """One sentence per step (two points of one target), over all targets; the first also says in short what the next
    step adds.
    """
    steps: dict[tuple[str, str], list[Placed[ContrastResult]]] = defaultdict(list)
    for path, contrast in _between_steps(view):
        steps[contrast.a.point, contrast.b.point].append((path, contrast))
    # A very small and a very large order come later.
    later = {place.id for place in view.places.values() if place.params.get("size", "M") != "M"}
    ordered = sorted(steps.items(), key=lambda step: step[0][0] in later)
    lines = [_step(view, a, b, rows) for (a, b), rows in ordered]
    for ((first, _), _), ((a, b), rows) in pairwise(ordered[:2]):
        lines[0] += _further(view, a, rows) if b == first else ()
    return lines


def _step(view: View, a: str, b: str, rows: list[Placed[ContrastResult]]) -> Sentence:
    """In CPU time; where no target shows a difference there, in instructions, which repeat more exactly."""
    fields: Fields = {"step": view.step(a, b), "rest": _rest(view, rows)}
    differing, counted = _differing(rows), [(path, c) for path, c in rows if c.instructions is not None]
    if not differing and not counted:
        return view.say("validate.open", **fields)
    name = "difference" if differing else "instructions"
    ordered = differing or sorted(counted, key=by(name))
    for end, (path, contrast) in zip(("low", "high"), (ordered[0], ordered[-1]), strict=True):
        fields |= {
            end: shown(contrast, path, name, ADDED[name]),
            f"{end}_target": view.name(contrast.a.target),
            f"{end}_interval": difference_interval(view, contrast, path),
            f"{end}_size": size(view, contrast.verdict),
            f"{end}_more": change(contrast.ratio, f"{path}.ratio") or "",
        }
    if not differing:
        return view.say("validate.counted", **fields)
    below = "" if (differing[0][1].difference or 0.0) >= 0 else "_below"
    return view.say(f"validate.{'range' if len(differing) > 1 else 'single'}{below}", **fields)


def _differing(rows: list[Placed[ContrastResult]]) -> list[Placed[ContrastResult]]:
    """Those that show a difference, the smallest first."""
    differing = [(path, c) for path, c in rows if c.verdict in REAL and c.difference is not None]
    return sorted(differing, key=by("difference"))


def _further(view: View, point: str, rows: list[Placed[ContrastResult]]) -> Sentence:
    """What the step after the first one adds; empty where fewer than two targets show it."""
    differing, place = _differing(rows), view.places.get(point)
    scenario = view.scenarios.get(place.scenario) if place else None
    if len(differing) < 2 or (differing[0][1].difference or 0.0) < 0 or scenario is None or not scenario.adds:
        return ()
    low, high = (shown(contrast, path, "difference", microseconds) for path, contrast in (differing[0], differing[-1]))
    return view.say("validate.further", step=view.language.known(scenario.adds), low=low, high=high)


def _rest(view: View, rows: list[Placed[ContrastResult]]) -> Sentence:
    """`` Undecided for Flask on Gunicorn.``: the targets that a range leaves out."""
    said: Sentence = ()
    for kind in ("same", "undecided", "not-measurable"):
        names = [(view.name(contrast.a.target),) for _, contrast in rows if contrast.verdict == kind]
        said += view.say(f"validate.{kind}", targets=listed(view, names)) if names else ()
    return said
