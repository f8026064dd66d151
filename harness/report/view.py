"""Look-ups over a manifest and a summary that every section needs; built once per rendering."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.model import Manifest, Point, Reason, Scenario, Target, WindowRecord
from harness.report.language.catalogue import ENGLISH, Language
from harness.report.names import display_names, setting_of
from harness.report.numbers import Placed, numbered
from harness.results.summary import Cell, ContrastResult, Summary


@dataclass(frozen=True, slots=True)
class View:
    """A run as renderings see it.

    Attributes:
        targets: every target with a cell or an upkeep line, twins last, each under its name.
        declared: every target of the manifest, with or without a result.
        places: every point with a cell, whether or not that has a number, in the plan's order.
        cells: (target, point) → where the cell stands in the summary, and the cell.
        by_id: the same of each contrast.
        names: what each target is called.
        frameworks: keys of the frameworks in the order of their hues.
        language: of every word that is not a name or the user's own.
        records: only drawn over time; every other number is read from the summary.
    """

    manifest: Manifest
    summary: Summary
    targets: Mapping[str, Target]
    declared: Mapping[str, Target]
    places: Mapping[str, Point]
    cells: Mapping[tuple[str, str], Placed[Cell]]
    by_id: Mapping[str, Placed[ContrastResult]]
    scenarios: Mapping[str, Scenario]
    names: Mapping[str, str]
    frameworks: tuple[str, ...]
    language: Language = ENGLISH
    records: Sequence[WindowRecord] = ()

    @property
    def reference(self) -> tuple[Target, ...]:
        """The targets shown first: every framework's reference, or all but twins where none is marked."""
        plain = tuple(target for target in self.targets.values() if not target.twin_of)
        return tuple(target for target in plain if target.reference) or plain

    def name(self, target: str) -> str:
        """``FastAPI on Uvicorn``; the name itself where nothing is known of it."""
        return self.names.get(target, target)

    def cell(self, target: str, point: str) -> Placed[Cell] | None:
        """Where the cell stands in the summary, and the cell."""
        return self.cells.get((target, point))

    def ok(self, target: str, point: str) -> Placed[Cell] | None:
        """``cell`` where it was measured."""
        found = self.cell(target, point)
        return found if found and found[1].status == "ok" else None

    def asking(self, question: str) -> list[Point]:
        """The places of the scenarios that ask it."""
        return [place for place in self.places.values() if self.question(place) == question]

    def status(self, status: str, reasons: Sequence[Reason]) -> str:
        """What became of a measurement, and why."""
        said = self.language.text(f"states.{status}"), self.language.reasons(reasons)
        return ": ".join(filter(None, said))

    def question(self, place: Point) -> str:
        scenario = self.scenarios.get(place.scenario)
        return scenario.question if scenario else ""

    def title(self, place: Point) -> str:
        scenario = self.scenarios.get(place.scenario)
        return self.language.known(scenario.title) if scenario else place.scenario

    def why(self, place: Point) -> str:
        scenario = self.scenarios.get(place.scenario)
        return self.language.known(scenario.why) if scenario else ""

    def setting(self, place: Point) -> str:
        """``20 ms of I/O wait, 64 connections``."""
        return setting_of(place, self.language)

    def label(self, text: str) -> str:
        """A ladder's title or what a step of it adds; of several, which stand for rungs that are passed over, each."""
        return ", ".join(map(self.language.known, text.split(", ")))

    def where(self, point: str) -> str:
        """``Small JSON reply, 32 connections``, for sentences; the point's id where nothing is known of it."""
        place = self.places.get(point)
        return f"{self.title(place)}, {self.setting(place)}" if place else point

    def step(self, later: str, earlier: str) -> str:
        """``Validating the order (size M, 16 connections)``: what is common to both is said once."""
        a, b = self.places.get(later), self.places.get(earlier)
        if a is None or b is None or (a.params, a.concurrency) != (b.params, b.concurrency):
            return self.language.text("where.step", later=self.where(later), earlier=self.where(earlier))
        scenario = self.scenarios.get(a.scenario)
        if scenario and scenario.adds and scenario.against == b.scenario:
            return f"{self.language.known(scenario.adds)} ({self.setting(a)})"
        return f"{self.language.text('where.step', later=self.title(a), earlier=self.title(b))} ({self.setting(a)})"

    def is_control(self, contrast: ContrastResult) -> bool:
        """Whether both sides are one target under two names, at one point."""
        a, b = self.declared.get(contrast.a.target), self.declared.get(contrast.b.target)
        if contrast.a.point != contrast.b.point or a is None or b is None:
            return False
        return b.twin_of == a.name or a.twin_of == b.name

    def contrasts(self, question: str = "", metric: str = "") -> list[Placed[ContrastResult]]:
        """Where each stands in the summary, and the contrast, in the summary's order; controls are left out."""
        return [
            (path, contrast)
            for path, contrast in numbered("contrasts", self.summary.contrasts)
            if (not question or contrast.question == question)
            and (not metric or contrast.metric == metric)
            and not self.is_control(contrast)
        ]

    def controls(self) -> list[Placed[ContrastResult]]:
        return [each for each in numbered("contrasts", self.summary.contrasts) if self.is_control(each[1])]


def view_of(
    manifest: Manifest, summary: Summary, language: Language = ENGLISH, records: Sequence[WindowRecord] = ()
) -> View:
    """Targets and points that only the summary knows are shown too, under their plain names."""
    declared = {target.name: target for target in manifest.targets}
    seen = [cell.target for cell in summary.cells] + [upkeep.target for upkeep in summary.upkeep]
    known = {name: declared.get(name) or _unknown(name) for name in dict.fromkeys([*declared, *seen])}
    measured = set(seen)
    ordered = sorted((target for target in known.values() if target.name in measured), key=lambda t: bool(t.twin_of))
    planned = {point.id: point for point in manifest.plan.points}
    with_cells = dict.fromkeys(cell.point for cell in summary.cells)
    by_point = {cell.point: cell for cell in summary.cells}
    order = [point for point in planned if point in with_cells] + [p for p in with_cells if p not in planned]
    return View(
        manifest=manifest,
        summary=summary,
        targets={target.name: target for target in ordered},
        declared=declared,
        places={point: planned.get(point) or _unplanned(by_point[point]) for point in order},
        cells={(cell.target, cell.point): (path, cell) for path, cell in numbered("cells", summary.cells)},
        by_id={each.id: (path, each) for path, each in numbered("contrasts", summary.contrasts)},
        scenarios={scenario.name: scenario for scenario in manifest.scenarios},
        names=display_names(known.values(), language),
        frameworks=tuple(dict.fromkeys(target.framework for target in known.values())),
        language=language,
        records=records,
    )


def _unknown(name: str) -> Target:
    return Target(name=name, framework=name, interface="native", server="", application="")


def _unplanned(cell: Cell) -> Point:
    return Point(cell.point, cell.scenario, cell.params, cell.concurrency, ())
