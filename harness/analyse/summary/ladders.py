"""Cost ladders: rungs, steps, and whether the steps add up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.analyse.summary.comparisons import Verdict
from harness.analyse.summary.estimate import Estimate
from harness.model import LadderKind, Side

Within = Literal["round", "block"]
Check = Literal["adds-up", "within-interval", "does-not-add-up", "not-checked"]


@dataclass(frozen=True, slots=True)
class LadderRung:
    """One target in one scenario; ``reason`` says why it is passed over, and ``cpu_us`` is its cost where it is not."""

    label: str
    target: str
    scenario: str
    point: str
    cpu_us: Estimate | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LadderStep:
    """What one rung costs on top of the one below, in CPU µs per request.

    Attributes:
        label: what is added; with rungs passed over between the two, all that is added.
        within: ``round``: both sides took turns in the same rounds, and differences are taken there; ``block``: they
            were measured in different slots, and each block gives the difference of their two medians.
        contrast: id of the contrast that it is; empty where it is none.
        ratio, ci_low, ci_high, difference…, verdict, margin: as in ``ContrastResult``.
    """

    label: str
    a: Side
    b: Side
    within: Within
    verdict: Verdict
    contrast: str = ""
    ratio: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None
    margin: float = 0.02
    blocks: int = 0


@dataclass(frozen=True, slots=True)
class LadderResult:
    """A chain of contrasts in CPU µs per request, and whether its steps add up.

    Attributes:
        direct: the top rung against the bottom one; ``None`` where there is a single step.
        total: sum of the steps, its mean over the blocks that have all of them, with its interval.
        gap: sum of the steps less the direct contrast. The steps are of the even rounds and the direct contrast is of
            the odd ones, of the same blocks, so that the two share no slice and may well differ.
        check: ``adds-up``: the gap's interval lies within the margin of the top rung's cost; ``within-interval``: it
            holds zero, but is wider than that; ``does-not-add-up``: neither; ``not-checked``: too few blocks or steps.
    """

    name: str
    title: str
    kind: LadderKind
    rungs: tuple[LadderRung, ...]
    steps: tuple[LadderStep, ...]
    direct: LadderStep | None = None
    total: float | None = None
    total_low: float | None = None
    total_high: float | None = None
    gap: float | None = None
    gap_low: float | None = None
    gap_high: float | None = None
    check: Check = "not-checked"
