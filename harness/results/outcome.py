"""What a gate comes to: passed, failed, undecided or missing. Pure.

A gate fails only if the whole 99% interval lies beyond its limit, and passes only if it lies wholly within.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
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


def checked(
    rule: Rule,
    target: str,
    point: str,
    ends: Ends | None = None,
    reasons: Reasons = (),
    against: str = "",
    outcome: Outcome | None = None,
) -> Checked:
    """What a value with its interval comes to, unless the ``outcome`` is known; ``reasons`` say why one is missing."""
    ends = ends or (None, None, None)
    outcome = outcome or outcome_of(ends, rule.limit, most=rule.most)
    if outcome == "missing":
        reasons = reasons or NOT_MEASURED
    unit = "ratio" if rule.against else rule.unit
    return Checked(
        rule.text, target, against, point, rule.subject, outcome, unit, rule.limit, rule.most, *ends, reasons
    )  # fmt: skip


def over_blocks(rule: Rule, target: str, point: str, values: FloatArray, why: Reasons, against: str = "") -> Checked:
    """The outcome of a value per block, ``why`` being the reasons if there is none.

    Ratios are given as their logarithms. Positive values are averaged as logarithms too.
    """
    if not values.size:
        return checked(rule, target, point, None, why, against)
    positive = not rule.against and bool((values > 0).all())
    estimate = mean_estimate(
        np.log(values) if positive else values, ALPHA, math.exp if positive or rule.against else float
    )
    return estimated(rule, target, point, estimate, why, against)


def estimated(
    rule: Rule, target: str, point: str, estimate: Estimate | None, why: Reasons, against: str = ""
) -> Checked:
    """The outcome of an estimate over blocks, ``why`` being the reasons if there is none."""
    if estimate is None:
        return checked(rule, target, point, None, why, against)
    reasons = (Reason("one-block"),) if estimate.blocks == 1 else ()
    return checked(rule, target, point, (estimate.value, estimate.ci_low, estimate.ci_high), reasons, against)


def share_of_errors(
    rule: Rule, target: str, point: str, errors: Mapping[str, int], replies: int, why: Reasons
) -> Checked:
    """The share of requests that failed, with its exact binomial interval."""
    bad = sum(errors.values())
    total = bad + replies
    if not total:
        return checked(rule, target, point, None, why)
    low = float(special.betaincinv(bad, total - bad + 1, ALPHA / 2)) if bad else 0.0
    high = float(special.betaincinv(bad + 1, total - bad, 1 - ALPHA / 2)) if bad < total else 1.0
    reasons = tuple(Reason("error", {"kind": kind, "count": count}) for kind, count in errors.items())
    # No error at all is a fact about the run, not an estimate.
    outcome: Outcome | None = "passed" if not bad and rule.most and not rule.limit else None
    return checked(rule, target, point, (bad / total, low, high), reasons, outcome=outcome)


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
