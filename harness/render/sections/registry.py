"""The report's sections, in their order on the page.

A section is a line here, a builder, a template of its own, and texts in ``language/``: its heading under
``sections.<id>``, the rest under ``<id>.…``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.model import SlotRecord, WindowRecord
from harness.render.sections.asynchronous import async_behaviour
from harness.render.sections.claims import claims
from harness.render.sections.contrasts import evidence
from harness.render.sections.crossover import crossover
from harness.render.sections.decision import decision
from harness.render.sections.everything import everything
from harness.render.sections.features import feature_table
from harness.render.sections.health import run_health
from harness.render.sections.journeys import journey_figures
from harness.render.sections.ladder import ladder
from harness.render.sections.latencies import latencies
from harness.render.sections.shared import shared_figures
from harness.render.sections.upkeep import upkeep_tables
from harness.render.sections.validation import validation
from harness.render.sections.waits import waits
from harness.render.sections.workload import workload
from harness.render.view import View


@dataclass(frozen=True, slots=True)
class Material:
    """All that a section may be made from. Numbers come from ``view.summary``; records are for drawing over time."""

    view: View
    slots: Sequence[SlotRecord] = ()
    windows: Sequence[WindowRecord] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """One section of the report.

    Attributes:
        id: its anchor, and the key of its heading.
        build: what its template lays out as ``data``; anything empty where the run has nothing for it.
        command: what to run to get it, shown where there is nothing.
        layout: name of its template, where that is shared with others.
    """

    id: str
    build: Callable[[Material], object]
    command: str = "harness run"
    layout: str = ""

    @property
    def template(self) -> str:
        return f"{self.layout or self.id}.html.j2"


SECTIONS = (
    Section("decision", lambda material: decision(material.view)),
    Section("workload", lambda material: workload(material.view), "harness run -s io-sleep -s 'orders-*'"),
    Section("crossover", lambda material: crossover(material.view), "harness run --profile async"),
    Section(
        "ladder",
        lambda material: ladder(material.view),
        "harness run --profile standard -s json -s items -s 'orders-*' -s dependency",
    ),
    Section("validation", lambda material: validation(material.view), "harness run -s 'orders-*'"),
    Section("waits", lambda material: waits(material.view), "harness run -s io-sleep"),
    Section("journeys", lambda material: journey_figures(material.view), "harness run -s journey"),
    Section("shared", lambda material: shared_figures(material.view), "harness run --workers 2"),
    Section(
        "async",
        lambda material: async_behaviour(material.view),
        "harness run -s neighbours -s fan-out -s connections",
        "studies",
    ),
    Section("latency", lambda material: latencies(material.view), "harness run -s latency -s capacity", "studies"),
    Section("upkeep", lambda material: upkeep_tables(material.view)),
    Section("features", lambda material: feature_table(material.view)),
    Section("claims", lambda material: claims(material.view)),
    Section("real", lambda material: evidence(material.view), "harness run, or harness versus A B"),
    Section("health", lambda material: run_health(material.view, material.slots)),
    Section("data", lambda material: everything(material.view)),
)
