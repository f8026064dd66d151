"""What a gate comes to: passed, failed, undecided or missing. Pure.

A gate fails only if the whole 99% interval lies beyond its limit, and passes only if it lies wholly within.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import special

from harness.model import Reason
from harness.results.gate import Rule
from harness.stats.estimate import Estimate
from harness.stats.interval import FloatArray, mean_estimate
from harness.stats.looks import ALPHA

Outcome = Literal["passed", "failed", "undecided", "missing"]
Ends = tuple[float | None, float | None, float | None]
"""A value with its interval."""
Reasons = tuple[Reason, ...]
NOT_MEASURED = (Reason("not-measured"),)


@dataclass(frozen=True, slots=True)
class Checked:
    """What one gate came to at one place.

    Attributes:
        gate: as it was written, or the limit against the baseline.
        point: of the run, or of a study or journey, with the class of request after a ``/`` if there are several.
        measure: ``cpu``, ``throughput``, ``p50`` … ``p999``, ``errors``, ``capacity``, or a figure's own name.
        value: in µs, replies per second, a share, or a ratio, with its 99% interval; a figure in its own unit.
        unit: of the value: ``µs``, ``/s``, ``share``, ``ratio``, or empty if the measure's name has it.
        most: whether the value must stay below the limit, or else above.
    """

    gate: str
    target: str
    against: str
    point: str
    measure: str
    outcome: Outcome
    unit: str
    limit: float
    most: bool
    value: float | None = None
    low: float | None = None
    high: float | None = None
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a rule is checked: a target at a point; ``against`` is the target that it is divided by, if there is one.

    In its methods ``why`` are the reasons for which there is no value, where there is none.
    """

    rule: Rule
    target: str
    point: str
    against: str = ""

    def missing(self, why: Reasons) -> Checked:
        return self.of_ends((None, None, None), why or NOT_MEASURED)

    def of_ends(self, ends: Ends, reasons: Reasons = ()) -> Checked:
        """What a value with its interval comes to."""
        rule = self.rule
        outcome, unit = outcome_of(ends, rule.limit, most=rule.most), "ratio" if rule.against else rule.unit
        return Checked(
            rule.text, self.target, self.against, self.point, rule.subject, outcome, unit, rule.limit, rule.most,
            *ends, reasons,
        )  # fmt: skip

    def over_blocks(self, values: FloatArray, why: Reasons) -> Checked:
        """Of a value per block; ratios as their logarithms. Positive values are averaged as logarithms too."""
        if not values.size:
            return self.missing(why)
        positive, ratio = bool((values > 0).all()), bool(self.rule.against)
        logs = np.log(values) if positive and not ratio else values
        return self.estimated(mean_estimate(logs, ALPHA, math.exp if positive or ratio else float), why)

    def estimated(self, estimate: Estimate | None, why: Reasons) -> Checked:
        if estimate is None:
            return self.missing(why)
        reasons = (Reason("one-block"),) if estimate.blocks == 1 else ()
        return self.of_ends((estimate.value, estimate.ci_low, estimate.ci_high), reasons)

    def share_of_errors(self, errors: Mapping[str, int], replies: int, why: Reasons) -> Checked:
        """Of requests that failed, with its exact binomial interval."""
        bad = sum(errors.values())
        total = bad + replies
        if not total:
            return self.missing(why)
        low = float(special.betaincinv(bad, total - bad + 1, ALPHA / 2)) if bad else 0.0
        high = float(special.betaincinv(bad + 1, total - bad, 1 - ALPHA / 2)) if bad < total else 1.0
        reasons = tuple(Reason("error", {"kind": kind, "count": count}) for kind, count in errors.items())
        found = self.of_ends((bad / total, low, high), reasons)
        # No error at all is a fact about the run, not an estimate.
        return replace(found, outcome="passed") if not bad and self.rule.most and not self.rule.limit else found


def slower_limit(share: float, *, most: bool) -> float:
    """The ratio that is slower by ``share``: more of what must stay below, less of what must stay above."""
    return 1 + share if most else 1 / (1 + share)


def outcome_of(ends: Ends, limit: float, *, most: bool) -> Outcome:
    """What a value with its interval (value, low, high) comes to at a limit."""
    value, low, high = ends
    if value is None:
        return "missing"
    if low is None or high is None:
        return "undecided"
    if (low > limit) if most else (high < limit):
        return "failed"
    return "passed" if ((high <= limit) if most else (low >= limit)) else "undecided"
