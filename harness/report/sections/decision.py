"""The decision table: throughput and CPU cost of every target at every point."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

from harness.report.blocks import Missing
from harness.report.numbers import Measured, Placed, measured
from harness.report.view import View
from harness.results.summary import Cell


def decision(view: View) -> Mapping[str, object]:
    """Every target at every point, but for the sweep over waits, which has a section of its own; empty without others.

    ``groups``: scenario titles, what each is for, and how many of the ``points`` it spans; ``rows``: a target, and
    whether it is shown at first.
    """
    first, swept = view.reference, view.places_of("move")
    points = [place for place in view.places.values() if place not in swept]
    rows = [(target, target in first) for target in view.targets.values()]
    groups = []
    for title, same in groupby(points, lambda place: view.title(place.scenario)):
        alike = list(same)
        scenario = view.scenarios.get(alike[0].scenario)
        groups.append((title, view.language.known(scenario.why) if scenario else "", len(alike)))
    return {"groups": groups, "points": points, "rows": rows} if rows and points else {}


def missing(view: View, entry: Placed[Cell] | None) -> tuple[str, str]:
    """State and reason of a cell without a number."""
    if entry is None:
        return view.text("states.not-run"), view.text("states.not_part")
    return view.text(f"states.{entry[1].status}"), view.language.reasons(entry[1].reasons)


def value_or_state(view: View, entry: Placed[Cell] | None, name: str) -> Measured | Missing:
    """An estimate of a cell, or why there is none, in a word."""
    path, cell = entry or ("", None)
    value = measured(getattr(cell, name), f"{path}.{name}") if cell and cell.status == "ok" else None
    return value or Missing(missing(view, entry)[0])
