"""The report's sections, in their order on the page.

A section is a line here, a builder of blocks, and texts in ``language/``: its heading under ``sections.<id>``, the rest
under ``<id>.…``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from harness.report.sections.claims import claims
from harness.report.sections.contrasts import evidence
from harness.report.sections.crossover import crossover
from harness.report.sections.decision import decision
from harness.report.sections.everything import everything
from harness.report.sections.features import feature_table
from harness.report.sections.health import run_health
from harness.report.sections.ladder import ladder
from harness.report.sections.loads import journey_figures, shared_figures
from harness.report.sections.profile import where_time_goes
from harness.report.sections.study_sections import study_blocks
from harness.report.sections.upkeep import upkeep_tables
from harness.report.sections.validation import validation
from harness.report.sections.waits import waits
from harness.report.sections.workload import workload
from harness.report.view import View


@dataclass(frozen=True, slots=True)
class Section:
    """One section of the report.

    Attributes:
        id: its anchor, and the key of its heading.
        build: its blocks, or what ``template`` lays out as ``data``; empty where the run has nothing for it.
        command: what to run to get it, shown where there is nothing.
    """

    id: str
    build: Callable[[View], object]
    command: str = "harness run"
    template: str = ""


LADDER = "harness run --profile standard -s json -s items -s 'orders-*' -s dependency"
SECTIONS = (
    Section("decision", decision, template="decision.html.j2"),
    Section("workload", workload, "harness run -s io-sleep -s 'orders-*'", "workload.html.j2"),
    Section("crossover", crossover, "harness run --profile async"),
    Section("ladder", ladder, LADDER),
    Section("validation", validation, "harness run -s 'orders-*'"),
    Section("profile", where_time_goes, "harness run (needs py-spy)"),
    Section("waits", waits, "harness run -s io-sleep"),
    Section("journeys", journey_figures, "harness run -s journey"),
    Section("shared", shared_figures, "harness run --workers 2"),
    Section("async", partial(study_blocks, section="async"), "harness run -s neighbours -s fan-out -s connections"),
    Section("latency", partial(study_blocks, section="latency"), "harness run -s latency -s capacity"),
    Section("scaling", partial(study_blocks, section="scaling"), "harness run -s scaling"),
    Section("memory", partial(study_blocks, section="memory"), "harness run -s memory"),
    Section("upkeep", upkeep_tables),
    Section("features", feature_table),
    Section("claims", claims, template="claims.html.j2"),
    Section("real", evidence, "harness run, or harness versus A B"),
    Section("health", run_health),
    Section("data", everything),
)
