"""``summary.json``: everything that the report, the terminal and ``summary.md`` show.

Numbers are made here once; every rendering reads them from these values and only rounds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from harness.analyse.summary.claims import ClaimResult, ClaimVerdict, Evidence, EvidenceKind
from harness.analyse.summary.comparisons import Cell, ContrastResult, Crossover, CrossoverOutcome, ModelCheck, Verdict
from harness.analyse.summary.estimate import Estimate
from harness.analyse.summary.ladders import Check, LadderResult, LadderRung, LadderStep, Within
from harness.analyse.summary.loads import JourneyClass, JourneyResult, SharedContrast, SharedLoad
from harness.analyse.summary.studies import StudyResults
from harness.analyse.summary.upkeep import Health, Upkeep, Waiting
from harness.model import Effort, Feature

__all__ = [
    "Badge",
    "Cell",
    "Check",
    "ClaimResult",
    "ClaimVerdict",
    "ContrastResult",
    "Crossover",
    "CrossoverOutcome",
    "Estimate",
    "Evidence",
    "EvidenceKind",
    "Health",
    "JourneyClass",
    "JourneyResult",
    "LadderResult",
    "LadderRung",
    "LadderStep",
    "ModelCheck",
    "SharedContrast",
    "SharedLoad",
    "StudyResults",
    "Summary",
    "Upkeep",
    "Verdict",
    "Waiting",
    "Within",
]

Badge = Literal["sound", "warnings", "do-not-cite"]


@dataclass(frozen=True, slots=True)
class Summary:
    """All of a run's results. ``reasons`` say why the badge is what it is."""

    run: str
    name: str
    created_at: str
    badge: Badge
    reasons: tuple[str, ...]
    margin: float
    blocks: int
    seed: int
    duration_s: float
    cells: tuple[Cell, ...]
    contrasts: tuple[ContrastResult, ...]
    upkeep: tuple[Upkeep, ...]
    health: Health
    features: tuple[Feature, ...] = ()
    effort: tuple[Effort, ...] = ()
    claims: tuple[ClaimResult, ...] = ()
    crossovers: tuple[Crossover, ...] = ()
    models: tuple[ModelCheck, ...] = ()
    ladders: tuple[LadderResult, ...] = ()
    journeys: tuple[JourneyResult, ...] = ()
    shared_loads: tuple[SharedLoad, ...] = ()
    shared_contrasts: tuple[SharedContrast, ...] = ()
    studies: StudyResults = field(default_factory=StudyResults)
    schema: int = 1
