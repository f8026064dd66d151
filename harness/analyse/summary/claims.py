"""What is said about frameworks and servers, and what the run says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ClaimVerdict = Literal["supported", "refuted", "depends", "undecided", "not-tested"]
EvidenceKind = Literal[
    "contrast", "throughput", "cpu", "served", "capacity", "feature", "lines", "packages", "memory", "startup", "step"
]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A number or a fact of the summary that a claim's verdict rests on.

    Attributes:
        path: where it stands in the summary, as keys and indices joined by dots: ``contrasts.12``, ``cells.3``,
            ``features.5``, ``effort.0.lines.routes``, ``upkeep.1``.
        parts: keys below the path whose numbers are summed; empty for all that there are.
    """

    kind: EvidenceKind
    path: str
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """A claim about frameworks and servers, and what this run says of it.

    Attributes:
        verdict: ``supported``, ``refuted``, ``depends`` (it holds in some of what was measured), ``undecided``
            (measured, but not told apart from noise) or ``not-tested``.
        evidence: the most telling first; empty where it was not tested.
        command: what to run for what is missing; empty where nothing is.
    """

    id: str
    verdict: ClaimVerdict
    evidence: tuple[Evidence, ...] = ()
    command: str = ""
