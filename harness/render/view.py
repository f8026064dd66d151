"""Look-ups over a manifest and a summary that every section needs; built once per rendering."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.analyse.summary import Cell, ContrastResult, Summary
from harness.model import Manifest, ParamValue, Point, Scenario, Target
from harness.render.language.catalogue import ENGLISH, Language


@dataclass(frozen=True, slots=True)
class Place:
    """A cell's scenario, settings and concurrency, whether or not the cell has a number."""

    id: str
    scenario: str
    params: Mapping[str, ParamValue]
    concurrency: int
    wait_s: float


@dataclass(frozen=True, slots=True)
class View:
    """A run as renderings see it.

    Attributes:
        targets: every target with a cell or an upkeep line, twins last, each under its name.
        declared: every target of the manifest, with or without a result.
        places: every point with a cell, in the plan's order.
        cells: (target, point) → index into ``summary.cells`` and the cell.
        frameworks: keys of the frameworks in the order of their hues.
        language: of every word that is not a name or the user's own.
    """

    manifest: Manifest
    summary: Summary
    targets: Mapping[str, Target]
    declared: Mapping[str, Target]
    places: Mapping[str, Place]
    cells: Mapping[tuple[str, str], tuple[int, Cell]]
    scenarios: Mapping[str, Scenario]
    frameworks: tuple[str, ...]
    language: Language = ENGLISH

    @property
    def reference(self) -> tuple[Target, ...]:
        """The targets shown first: every framework's reference, or all but twins where none is marked."""
        plain = tuple(target for target in self.targets.values() if not target.twin_of)
        return tuple(target for target in plain if target.reference) or plain

    @property
    def server_cpus(self) -> int:
        """How many CPUs the servers were confined to; 0 where they were not pinned."""
        listed = self.manifest.environment.get("server CPU", "").split(",")
        return sum(part.strip().isdigit() for part in listed)

    def cell(self, target: str, point: str) -> tuple[int, Cell] | None:
        return self.cells.get((target, point))

    def question(self, place: Place) -> str:
        scenario = self.scenarios.get(place.scenario)
        return scenario.question if scenario else ""

    def title(self, place: Place) -> str:
        scenario = self.scenarios.get(place.scenario)
        return self.language.known(scenario.title) if scenario else place.scenario

    def why(self, place: Place) -> str:
        scenario = self.scenarios.get(place.scenario)
        return self.language.known(scenario.why) if scenario else ""

    def setting(self, place: Place) -> str:
        """``ms=20, 64 connections``."""
        params = "".join(f"{key}={value}, " for key, value in place.params.items())
        return self.language.text("where.setting", params=params, count=place.concurrency)

    def where(self, point: str) -> str:
        """``json at 32 connections``, for sentences; the point's id where nothing is known of it."""
        place = self.places.get(point)
        if place is None:
            return point
        params = "".join(f", {key}={value}" for key, value in place.params.items())
        return self.language.text("where.point", scenario=place.scenario, params=params, count=place.concurrency)

    def step(self, later: str, earlier: str) -> str:
        """``orders-full in place of orders-raw, size=M at 32 connections``: what is common is said once."""
        a, b = self.places.get(later), self.places.get(earlier)
        known = a is not None and b is not None and (a.params, a.concurrency) == (b.params, b.concurrency)
        name = a.scenario if known and a is not None else self.where(later)
        return self.language.text("where.step", later=name, earlier=self.where(earlier))

    def is_control(self, contrast: ContrastResult) -> bool:
        """Whether both sides are one target under two names, at one point."""
        a, b = self.declared.get(contrast.a.target), self.declared.get(contrast.b.target)
        if contrast.a.point != contrast.b.point or a is None or b is None:
            return False
        return b.twin_of == a.name or a.twin_of == b.name

    def contrasts(self, question: str = "", metric: str = "") -> list[tuple[int, ContrastResult]]:
        """Index into ``summary.contrasts`` and the contrast, in the order of the summary; controls are left out."""
        return [
            (index, contrast)
            for index, contrast in enumerate(self.summary.contrasts)
            if (not question or contrast.question == question)
            and (not metric or contrast.metric == metric)
            and not self.is_control(contrast)
        ]

    def controls(self) -> list[tuple[int, ContrastResult]]:
        return [(i, contrast) for i, contrast in enumerate(self.summary.contrasts) if self.is_control(contrast)]


def view_of(manifest: Manifest, summary: Summary, language: Language = ENGLISH) -> View:
    """Targets and points that only the summary knows are shown too, under their plain names."""
    declared = {target.name: target for target in manifest.targets}
    seen = [cell.target for cell in summary.cells] + [upkeep.target for upkeep in summary.upkeep]
    known = {name: declared.get(name) or _unknown(name) for name in dict.fromkeys([*declared, *seen])}
    measured = set(seen)
    ordered = sorted((target for target in known.values() if target.name in measured), key=lambda t: bool(t.twin_of))
    planned = {point.id: _place(point) for point in manifest.plan.points}
    with_cells = dict.fromkeys(cell.point for cell in summary.cells)
    by_point = {cell.point: cell for cell in summary.cells}
    order = [point for point in planned if point in with_cells] + [p for p in with_cells if p not in planned]
    return View(
        manifest=manifest,
        summary=summary,
        targets={target.name: target for target in ordered},
        declared=declared,
        places={point: planned.get(point) or _place_of_cell(by_point[point]) for point in order},
        cells={(cell.target, cell.point): (index, cell) for index, cell in enumerate(summary.cells)},
        scenarios={scenario.name: scenario for scenario in manifest.scenarios},
        frameworks=tuple(dict.fromkeys(target.framework for target in known.values())),
        language=language,
    )


def _unknown(name: str) -> Target:
    return Target(name=name, framework=name, interface="native", server="", application="")


def _place(point: Point) -> Place:
    return Place(point.id, point.scenario, point.params, point.concurrency, point.wait_s)


def _place_of_cell(cell: Cell) -> Place:
    return Place(cell.point, cell.scenario, cell.params, cell.concurrency, 0.0)
