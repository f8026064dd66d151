"""The decision table: throughput and CPU cost of every target at every point."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from harness.model import Point, Target
from harness.report.language.catalogue import Language
from harness.report.numbers import Placed
from harness.report.view import View
from harness.results.summary import Cell


@dataclass(frozen=True, slots=True)
class Decision:
    """Every target at every point, but for the sweep over waits, which has a section of its own.

    Attributes:
        groups: scenario titles, what each is for, and how many of the points it spans.
        rows: target, and whether it is shown at first.
    """

    groups: tuple[tuple[str, str, int], ...]
    points: tuple[Point, ...]
    rows: tuple[tuple[Target, bool], ...]


def decision(view: View) -> Decision | None:
    """``None`` where the run measured nothing but waits."""
    points = tuple(place for place in view.places.values() if view.question(place) != "move")
    first = {target.name for target in view.reference}
    rows = tuple((target, target.name in first) for target in view.targets.values())
    alike = [list(same) for _, same in groupby(points, view.title)]
    groups = tuple((view.title(same[0]), view.why(same[0]), len(same)) for same in alike)
    return Decision(groups, points, rows) if rows and points else None


def missing(found: Placed[Cell] | None, language: Language) -> tuple[str, str]:
    """State and reason of a cell without a number."""
    if found is None:
        return language.text("states.not-run"), language.text("states.not_part")
    return language.text(f"states.{found[1].status}"), language.reasons(found[1].reasons)
