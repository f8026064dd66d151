"""Gates against a run, and a run against its baseline: passed, failed, undecided or missing. Pure.

A gate fails only where the whole 99% interval lies beyond its limit, and passes only where it lies wholly within.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import product
from typing import Literal

import numpy as np
from scipy import stats

from harness.analyse.cells import Samples
from harness.analyse.compare import Measured
from harness.analyse.comparison import Comparison
from harness.analyse.gate import Rule
from harness.analyse.interval import FloatArray, t_interval
from harness.analyse.looks import ALPHA
from harness.analyse.summary import Cell, Summary
from harness.analyse.tails import aligned, block_percentiles
from harness.errors import UsageError, nearest
from harness.model import Metric, Side, Target

Outcome = Literal["passed", "failed", "undecided", "missing"]
METRIC: dict[str, Metric] = {"cpu": "cpu_cost", "throughput": "throughput"}


@dataclass(frozen=True, slots=True)
class Checked:
    """What one gate came to at one place.

    Attributes:
        gate: as it was written, or the limit against the baseline.
        measure: ``cpu``, ``throughput``, ``p50`` … ``p999``, ``errors``.
        value: in µs, replies per second, a share, or a ratio, with its 99% interval.
        unit: of the value: ``µs``, ``/s``, ``share`` or ``ratio``.
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
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much worse than the baseline a run may be, as shares; ``slower`` counts for throughput and CPU cost alike.

    ``None``: the runs' margin for ``slower``, no limit for ``p99``.
    """

    slower: float | None = None
    p99: float | None = None


def check(run: Measured, summary: Summary, samples: Samples, rules: Sequence[Rule]) -> tuple[Checked, ...]:
    """Every rule at every place that it covers.

    Raises:
        UsageError: a rule names a target or a point that the run does not have.
    """
    return tuple(found for rule in rules for found in _rule(run, summary, samples, rule))


def check_against(comparison: Comparison, limits: Limits) -> tuple[Checked, ...]:
    """Every change for the worse against its limit; what the baseline has and the run has not is missing."""
    found = []
    for change in comparison.changes:
        allowed = limits.p99 if change.measure == "p99" else limits.slower
        if change.basis == "contrast" or (change.measure == "p99" and allowed is None):
            continue
        share = change.margin if allowed is None else allowed
        most = change.measure != "throughput"
        limit = slower_limit(share, most=most)
        name = {"cpu_cost": "cpu"}.get(change.measure, change.measure)
        against = f"baseline, relative to {change.against}" if change.against else "baseline"
        ends = (change.ratio, change.ci_low, change.ci_high)
        outcome, reason = outcome_of(ends, limit, most=most), change.reason
        found.append(
            Checked(
                f"at most {share:.3g} worse than the baseline", change.target, against, change.point, name, outcome,
                "ratio", limit, most, *ends, reason,
            )
        )  # fmt: skip
    if limits.p99 is not None:
        tailed = {(change.target, change.point) for change in comparison.changes if change.measure == "p99"}
        without = {(c.target, c.point): "" for c in comparison.changes if c.basis != "contrast"}
        for target, point in without:
            if (target, point) not in tailed:
                found.append(_absent(target, point, "p99", "too few replies in a block, of one of the runs"))
    for text in comparison.only_base:
        target, _, point = text.partition(" at ")
        found.append(_absent(target, point, "any", "the baseline has it, this run has no number"))
    return tuple(found)


def _absent(target: str, point: str, measure: str, reason: str) -> Checked:
    return Checked("the baseline", target, "", point, measure, "missing", "", 0.0, True, reason=reason)


def _rule(run: Measured, summary: Summary, samples: Samples, rule: Rule) -> Iterable[Checked]:
    points = [point for point in run.manifest.plan.points if rule.covers(point)]
    if not points:
        known = [name for point in run.manifest.plan.points for name in (point.id, point.scenario)]
        hint = nearest(rule.point, known) or f"points: {', '.join(dict.fromkeys(known))}"
        raise UsageError(f"gate {rule.text!r}: the run has no point {rule.point!r}", hint=hint)
    targets = _named(run, rule.target, rule)
    if rule.against:
        for a, b, point in product(targets, _named(run, rule.against, rule), points):
            if a.name != b.name:
                yield _ratio(run, samples, rule, Side(a.name, point.id), Side(b.name, point.id))
        return
    cells = {(cell.target, cell.point): cell for cell in summary.cells}
    for target, point in product(targets, points):
        cell = cells.get((target.name, point.id))
        if cell is not None and cell.status != "not-run":
            yield _absolute(run, samples, rule, cell)
        elif rule.target == target.name and rule.point in (point.id, point.scenario):
            yield _checked(rule, Side(target.name, point.id), None, "missing", "the target does not serve it")


def _named(run: Measured, pattern: str, rule: Rule) -> list[Target]:
    """A twin of the A/A control only where it is called by its own name."""
    listed = [target for target in run.manifest.targets if not target.twin_of]
    found = [t for t in run.manifest.targets if t.name == pattern]
    found = found or [t for t in listed if fnmatchcase(t.name, pattern)]
    skipped = [f for f in run.manifest.skipped if fnmatchcase(f.target, pattern)]
    if not found and not skipped:
        names = [target.name for target in listed]
        hint = nearest(pattern, names) or f"targets: {', '.join(names)}"
        raise UsageError(f"gate {rule.text!r}: the run has no target {pattern!r}", hint=hint)
    return found or [Target(f.target, "", "native", "", "") for f in skipped]


def _absolute(run: Measured, samples: Samples, rule: Rule, cell: Cell) -> Checked:
    side = Side(cell.target, cell.point)
    if rule.subject == "errors":
        return _errors(rule, cell)
    metric = METRIC.get(rule.subject)
    if metric:
        values = run.values[metric].get(side, np.empty(0))
    else:
        by_block = block_percentiles(run.frames, samples, rule.subject).get(side, {})
        values = np.asarray(list(by_block.values()), dtype=np.float64)
    return _decided(rule, side, np.log(values), "; ".join(cell.reasons))


def _ratio(run: Measured, samples: Samples, rule: Rule, a: Side, b: Side) -> Checked:
    metric = METRIC.get(rule.subject)
    if metric:
        values = run.log_ratios(metric, a, b)
    else:
        tails = block_percentiles(run.frames, samples, rule.subject)
        values = aligned(tails.get(a, {}), tails.get(b, {}))
    why = {e.reason for e in run.frames.excluded if Side(e.target, e.point) in (a, b)}
    return _decided(rule, a, values, "; ".join(sorted(why)), b.target)


def _decided(rule: Rule, side: Side, logs: FloatArray, why: str, against: str = "") -> Checked:
    """From a ln value per block to the gate's outcome."""
    if not logs.size:
        return _checked(rule, side, None, "missing", why or "not measured", against)
    if logs.size == 1:
        only = math.exp(float(logs[0]))
        return _checked(rule, side, (only, None, None), "undecided", "one block has no interval", against)
    interval = t_interval(logs, ALPHA)
    ends = (math.exp(interval.mean), math.exp(interval.low), math.exp(interval.high))
    return _checked(rule, side, ends, outcome_of(ends, rule.limit, most=rule.most), against=against)


def _errors(rule: Rule, cell: Cell) -> Checked:
    """The share of requests that failed, over all attempts, with its exact binomial interval."""
    bad = sum(cell.errors.values())
    total = bad + cell.replies
    side = Side(cell.target, cell.point)
    if not total:
        return _checked(rule, side, None, "missing", "; ".join(cell.reasons) or "not measured")
    low = float(stats.beta.ppf(ALPHA / 2, bad, total - bad + 1)) if bad else 0.0
    high = float(stats.beta.ppf(1 - ALPHA / 2, bad + 1, total - bad)) if bad < total else 1.0
    ends = (bad / total, low, high)
    reason = ", ".join(f"{count} {kind}" for kind, count in cell.errors.items())
    # None at all is a fact about the run, not an estimate.
    outcome: Outcome = (
        "passed" if not bad and rule.most and not rule.limit else outcome_of(ends, rule.limit, most=rule.most)
    )
    return _checked(rule, side, ends, outcome, reason)


def slower_limit(share: float, *, most: bool) -> float:
    """The ratio that is slower by ``share``: more of what must stay below, less of what must stay above."""
    return 1 + share if most else 1 / (1 + share)


def outcome_of(ends: tuple[float | None, float | None, float | None], limit: float, *, most: bool) -> Outcome:
    """What a value with its interval (value, low, high) comes to at a limit."""
    value, low, high = ends
    if value is None:
        return "missing"
    if low is None or high is None:
        return "undecided"
    if (low > limit) if most else (high < limit):
        return "failed"
    return "passed" if ((high <= limit) if most else (low >= limit)) else "undecided"


def _checked(
    rule: Rule,
    side: Side,
    ends: tuple[float, float | None, float | None] | None,
    outcome: Outcome,
    reason: str = "",
    against: str = "",
) -> Checked:
    unit = "ratio" if rule.against else {"throughput": "/s", "errors": "share"}.get(rule.subject, "µs")
    value, low, high = ends or (None, None, None)
    return Checked(
        rule.text, side.target, against, side.point, rule.subject, outcome, unit, rule.limit,
        rule.most, value, low, high, reason,
    )  # fmt: skip
