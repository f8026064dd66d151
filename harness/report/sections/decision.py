"""The decision table: throughput and CPU cost of every target at every point."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

from harness.report.blocks import Missing
from harness.report.language.catalogue import Language
from harness.report.numbers import Measured, Placed, measured
from harness.report.view import View
from harness.results.summary import Cell


def decision(view: View) -> Mapping[str, object]:
    """Every target at every point, but for the sweep over waits, which has a section of its own; empty without others.

    ``groups``: scenario titles, what each is for, and how many of the ``points`` it spans; ``rows``: a target, and
    whether it is shown at first.
    """
    points = [place for place in view.places.values() if view.question(place) != "move"]
    first = {target.name for target in view.reference}
    rows = [(target, target.name in first) for target in view.targets.values()]
    alike = [list(same) for _, same in groupby(points, view.title)]
    groups = [(view.title(same[0]), view.why(same[0]), len(same)) for same in alike]
    return {"groups": groups, "points": points, "rows": rows} if rows and points else {}


def missing(found: Placed[Cell] | None, language: Language) -> tuple[str, str]:
    """State and reason of a cell without a number."""
    if found is None:
        return language.text("states.not-run"), language.text("states.not_part")
    return language.text(f"states.{found[1].status}"), language.reasons(found[1].reasons)


def value_or_state(view: View, found: Placed[Cell] | None, name: str) -> Measured | Missing:
    """An estimate of a cell, or why there is none, in a word."""
    path, cell = found or ("", None)
    value = measured(getattr(cell, name), f"{path}.{name}") if cell and cell.status == "ok" else None
    return value or Missing(missing(found, view.language)[0])
