"""What the steps of validation came to, in words: a range over the targets that show a difference, and the others."""

from __future__ import annotations

from collections import defaultdict

from harness.report.numbers import Placed, Sentence, microseconds, part_at, shown, thousands
from harness.report.sentences import Fields, difference_interval, listed, size
from harness.report.view import View
from harness.results.summary import ContrastResult
from harness.stats.estimate import REAL


def validation_lines(view: View) -> list[Sentence]:
    """One sentence per step (two points of one target), over all targets; the first also says in short what the next
    step adds.
    """
    steps: dict[tuple[str, str], list[Placed[ContrastResult]]] = defaultdict(list)
    for path, contrast in view.contrasts("validate", "cpu_cost"):
        if contrast.a.target == contrast.b.target:
            steps[contrast.a.point, contrast.b.point].append((path, contrast))
    lines = [_step(view, a, b, rows) for (a, b), rows in steps.items()]
    for (first, _), ((a, b), rows) in zip(list(steps)[:1], list(steps.items())[1:2], strict=False):
        lines[0] += _further(view, a, rows) if b == first else ()
    return lines


def _step(view: View, a: str, b: str, rows: list[Placed[ContrastResult]]) -> Sentence:
    """In CPU time; where no target shows a difference there, in instructions, which repeat more exactly."""
    fields: Fields = {"step": view.step(a, b), "rest": _rest(view, rows)}
    told, counted = _told(rows), [(path, c) for path, c in rows if c.instructions is not None]
    if not told and not counted:
        return view.language.say("validate.open", **fields)
    name, show = ("difference", microseconds) if told else ("instructions", thousands)
    ordered = told or sorted(counted, key=lambda row: part_at(row[1], name))
    for end, (path, contrast) in zip(("low", "high"), (ordered[0], ordered[-1]), strict=True):
        fields |= {
            end: shown(contrast, path, name, show),
            f"{end}_target": view.name(contrast.a.target),
            f"{end}_interval": difference_interval(view, contrast, path),
            f"{end}_size": size(view, contrast.verdict),
        }
    if not told:
        return view.language.say("validate.counted", **fields)
    below = "" if (told[0][1].difference or 0.0) >= 0 else "_below"
    return view.language.say(f"validate.{'range' if len(told) > 1 else 'single'}{below}", **fields)


def _told(rows: list[Placed[ContrastResult]]) -> list[Placed[ContrastResult]]:
    """Those that show a difference, the smallest first."""
    told = [(path, c) for path, c in rows if c.verdict in REAL and c.difference is not None]
    return sorted(told, key=lambda row: row[1].difference or 0.0)


def _further(view: View, point: str, rows: list[Placed[ContrastResult]]) -> Sentence:
    """What the step after the first one adds; empty where that is no range."""
    told, place = _told(rows), view.places.get(point)
    scenario = view.scenarios.get(place.scenario) if place else None
    if len(told) < 2 or (told[0][1].difference or 0.0) < 0 or scenario is None or not scenario.adds:
        return ()
    low, high = (shown(contrast, path, "difference", microseconds) for path, contrast in (told[0], told[-1]))
    return view.language.say("validate.further", step=view.language.known(scenario.adds), low=low, high=high)


def _rest(view: View, rows: list[Placed[ContrastResult]]) -> Sentence:
    """`` Undecided for Flask on Gunicorn.``: the targets that a range leaves out."""
    said: Sentence = ()
    for kind in ("same", "undecided", "not-measurable"):
        names = [(view.name(contrast.a.target),) for _, contrast in rows if contrast.verdict == kind]
        said += view.language.say(f"validate.{kind}", targets=listed(view, names)) if names else ()
    return said
