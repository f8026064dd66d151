"""Look-ups over a manifest and a summary that every section needs; built once per rendering."""

from __future__ import annotations

from collections.abc import Sequence

from harness.model import Manifest, Point, Reason, Target, WindowRecord
from harness.report.language.catalogue import ENGLISH, Field, Language
from harness.report.names import display_names, setting_of
from harness.report.numbers import Placed, numbered
from harness.results.judge import control_ids
from harness.results.summary import Cell, ContrastResult, Summary


class View:
    """A run as renderings see it; targets and points that only the summary knows are shown under their plain names.

    Attributes:
        targets: every target with a cell or an upkeep line, twins last, each under its name.
        declared: every target of the manifest, with or without a result.
        places: every point with a cell, whether or not that has a number, in the plan's order.
        cells: (target, point) → where the cell stands in the summary, and the cell.
        by_id: the same of each contrast.
        frameworks: keys of the frameworks in the order of their hues.
        language: of every word that is not a name or the user's own; ``say`` and ``text`` are its own.
        records: only drawn over time; every other number is read from the summary.
    """

    def __init__(
        self, manifest: Manifest, summary: Summary, language: Language = ENGLISH, records: Sequence[WindowRecord] = ()
    ) -> None:
        self.manifest, self.summary, self.language, self.records = manifest, summary, language, records
        self.say, self.text = language.say, language.text
        self.scenarios = {scenario.name: scenario for scenario in manifest.scenarios}
        self.declared = {target.name: target for target in manifest.targets}
        seen = [*(cell.target for cell in summary.cells), *(upkeep.target for upkeep in summary.upkeep)]
        known = [self.target(name) for name in dict.fromkeys([*self.declared, *seen])]
        measured = [target for target in known if target.name in seen]
        self.targets = {target.name: target for target in sorted(measured, key=lambda target: bool(target.twin_of))}
        self.frameworks = tuple(dict.fromkeys(target.framework for target in known))
        self._names = display_names(known, language)
        planned = {point.id: point for point in manifest.plan.points}
        with_cells = {
            each.point: Point(each.point, each.scenario, each.params, each.concurrency, ()) for each in summary.cells
        }
        # The plan's points come first, and as they were planned.
        self.places = {point: place for point, place in (planned | with_cells | planned).items() if point in with_cells}
        self.cells = {(cell.target, cell.point): (path, cell) for path, cell in numbered("cells", summary.cells)}
        self.by_id = {each.id: (path, each) for path, each in numbered("contrasts", summary.contrasts)}
        self._controls = control_ids(manifest, summary.contrasts)

    @property
    def reference(self) -> tuple[Target, ...]:
        """The targets shown first: every framework's reference, or all but twins where none is marked."""
        plain = tuple(target for target in self.targets.values() if not target.twin_of)
        return tuple(target for target in plain if target.reference) or plain

    def text_or_literal(self, key: str, **fields: Field) -> str:
        """The text under a key; any other text as it is."""
        return self.text(key, **fields) if self.language.has(key) else key

    def target(self, name: str) -> Target:
        """As it was declared; one of this name where nothing is known of it."""
        return self.declared.get(name) or Target(name, name, "native", "", "")

    def name(self, target: str) -> str:
        """``FastAPI on Uvicorn``; the name itself where nothing is known of it."""
        return self._names.get(target, target)

    def cell(self, target: str, point: str) -> Placed[Cell] | None:
        """Where the cell stands in the summary, and the cell."""
        return self.cells.get((target, point))

    def ok(self, target: str, point: str) -> Placed[Cell] | None:
        """``cell`` where it was measured."""
        cell = self.cell(target, point)
        return cell if cell and cell[1].status == "ok" else None

    def places_of(self, question: str) -> list[Point]:
        """The places of the scenarios that ask it."""
        scenarios = {name for name, scenario in self.scenarios.items() if scenario.question == question}
        return [place for place in self.places.values() if place.scenario in scenarios]

    def status(self, status: str, reasons: Sequence[Reason], prefix: str = "states") -> str:
        """What became of a measurement, and why."""
        return ": ".join(filter(None, (self.text(f"{prefix}.{status}"), self.language.reasons(reasons))))

    def title(self, name: str) -> str:
        """What a scenario is called; its name where nothing is known of it."""
        scenario = self.scenarios.get(name)
        return self.language.known(scenario.title) if scenario else name

    def setting(self, place: Point) -> str:
        """``20 ms of I/O wait, 64 connections``."""
        return setting_of(place, self.language)

    def label(self, text: str) -> str:
        """A ladder's title or what a step of it adds; of several, which stand for rungs that are skipped, each."""
        return ", ".join(map(self.language.known, text.split(", ")))

    def where(self, point: str) -> str:
        """``Small JSON reply, 32 connections``, for sentences; the point's id where nothing is known of it."""
        place = self.places.get(point)
        return f"{self.title(place.scenario)}, {self.setting(place)}" if place else point

    def step(self, later: str, earlier: str) -> str:
        """``Validating the order (size M, 16 connections)``: what is common to both is said once."""
        a, b = self.places.get(later), self.places.get(earlier)
        if a is None or b is None or (a.params, a.concurrency) != (b.params, b.concurrency):
            return self.text("where.step", later=self.where(later), earlier=self.where(earlier))
        scenario = self.scenarios.get(a.scenario)
        if scenario and scenario.adds and scenario.against == b.scenario:
            return f"{self.language.known(scenario.adds)} ({self.setting(a)})"
        step = self.text("where.step", later=self.title(a.scenario), earlier=self.title(b.scenario))
        return f"{step} ({self.setting(a)})"

    def contrasts(self, question: str = "", metric: str = "") -> list[Placed[ContrastResult]]:
        """Where each stands in the summary, and the contrast, in the summary's order; controls are left out."""
        return [
            (path, each)
            for path, each in numbered("contrasts", self.summary.contrasts)
            if question in ("", each.question) and metric in ("", each.metric) and each.id not in self._controls
        ]

    def controls(self) -> list[Placed[ContrastResult]]:
        return [each for each in numbered("contrasts", self.summary.contrasts) if each[1].id in self._controls]
