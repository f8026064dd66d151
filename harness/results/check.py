"""Gates against a run, and a run against its baseline. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import product

import numpy as np

from harness.errors import UsageError, nearest
from harness.model import Reason, Side, SliceMetric
from harness.results.compare import Comparison, RunData
from harness.results.gate import Checked, Place, Reasons, Rule, slower_limit
from harness.results.instructions import ratio_of, values_of
from harness.results.summary import Cell, Summary
from harness.results.tails import aligned, few_replies
from harness.results.window_gates import check_windows, window_points
from harness.stats.quantiles import PER_MILLE

UNCOUNTED = (Reason("not-counted"),)
METRIC: dict[str, SliceMetric] = {"cpu": "cpu_cost", "throughput": "throughput"}


@dataclass(frozen=True, slots=True)
class CheckDocument:
    """What ``harness check --json`` prints."""

    run: str
    against: str
    strict: bool
    exit_code: int
    warnings: tuple[Reason, ...]
    checks: tuple[Checked, ...]
    schema: int = 2


def check(run: RunData, summary: Summary, rules: Sequence[Rule]) -> tuple[Checked, ...]:
    """Every rule at every place that it covers.

    Raises:
        UsageError: a rule names a target or a point that the run does not have.
    """
    return tuple(result for rule in rules for result in _check_rule(run, summary, rule))


def check_against(comparison: Comparison, slower: float | None = None, p99: float | None = None) -> tuple[Checked, ...]:
    """Every change for the worse against its limit; what the baseline has and the run has not is missing.

    Args:
        slower: how much worse throughput and CPU cost may be, as a share; ``None`` for the runs' margin.
        p99: the same of p99; ``None`` for no limit.
    """
    results = []
    for change in comparison.changes:
        allowed = p99 if change.measure == "p99" else slower
        if change.basis == "contrast" or (change.measure == "p99" and allowed is None):
            continue
        share = change.margin if allowed is None else allowed
        most = change.measure != "throughput"
        name = {"cpu_cost": "cpu"}.get(change.measure, change.measure)
        against = f"baseline, relative to {change.against}" if change.against else "baseline"
        ends = (change.ratio, change.ci_low, change.ci_high)
        text = f"at most {share:.3g} worse than the baseline"
        rule = Rule(text, change.target, against, change.point, name, most, slower_limit(share, most=most))
        reasons = (change.reason,) if change.reason else ()
        results.append(Place(rule, change.target, change.point, against).of_ends(ends, reasons))
    if p99 is not None:
        tailed = {(change.target, change.point) for change in comparison.changes if change.measure == "p99"}
        places = dict.fromkeys((c.target, c.point) for c in comparison.changes if c.basis != "contrast")
        results += [_absent(*place, "p99", Reason("few-tails")) for place in places if place not in tailed]
    results += [_absent(side.target, side.point, "any", Reason("only-baseline")) for side in comparison.only_base]
    return tuple(results)


def _absent(target: str, point: str, measure: str, reason: Reason) -> Checked:
    return Checked("the baseline", target, "", point, measure, "missing", "", 0.0, True, reasons=(reason,))


def _check_rule(run: RunData, summary: Summary, rule: Rule) -> Iterable[Checked]:
    cells = {Side(cell.target, cell.point): cell for cell in summary.cells}
    planned, compared = run.manifest.plan.alternating_sides, run.manifest.plan.compared_points
    points = [point.id for point in compared if rule.covers([point.id, point.scenario])]
    targets = _named(run, rule.target, rule)
    others = _named(run, rule.against, rule) if rule.against else []
    # Studies and journeys are meant where they are named, or where the run has nothing else.
    window_results = []
    if rule.point != "*" or not cells:
        window_results = list(check_windows(rule, run.windows, summary, targets, others))
    if not points and not window_results:
        known = [name for point in compared for name in (point.id, point.scenario)]
        known = list(dict.fromkeys([*known, *window_points(run.windows)]))
        hint = nearest(rule.point, known) or f"points: {', '.join(known)}"
        raise UsageError(f"gate {rule.text!r}: the run has no point {rule.point!r} with that metric", hint=hint)
    for a, b, point in product(targets, others, points):
        if a != b:
            yield _ratio(run, rule, Side(a, point), Side(b, point))
    for target, point in product([] if others else targets, points):
        side = Side(target, point)
        cell = cells.get(side)
        if cell is not None and cell.status != "not-run":
            yield _absolute(run, rule, cell)
        elif side in planned:
            yield Place(rule, target, point).missing((Reason("not-yet-measured"),))
        elif rule.target == target and rule.point != "*":
            reason = Reason("not-served", {"target": target, "scenario": point})
            yield Place(rule, target, point).missing((reason,))
    yield from window_results


def _named(run: RunData, pattern: str, rule: Rule) -> list[str]:
    """A twin of the A/A control only if it is called by its own name."""
    manifest = run.manifest
    listed = [target.name for target in manifest.targets if not target.twin_of]
    names = [target.name for target in manifest.targets if target.name == pattern]
    names = names or [name for name in listed if fnmatchcase(name, pattern)]
    names = names or [f.target for f in manifest.skipped if fnmatchcase(f.target, pattern)]
    if not names:
        hint = nearest(pattern, listed) or f"targets: {', '.join(listed)}"
        raise UsageError(f"gate {rule.text!r}: the run has no target {pattern!r}", hint=hint)
    return names


def _absolute(run: RunData, rule: Rule, cell: Cell) -> Checked:
    side, why = Side(cell.target, cell.point), cell.reasons
    place = Place(rule, cell.target, cell.point)
    if rule.subject == "errors":
        return place.share_of_errors(cell.errors, cell.replies, why)
    if metric := METRIC.get(rule.subject):
        values = run.values[metric].get(side, np.empty(0))
    elif rule.subject == "instructions":
        values, why = values_of(run.counts, side), UNCOUNTED
    else:
        values = np.asarray(list(_tails(run, rule, side).values()), dtype=np.float64)
        why = why or _too_few(run, rule, side)
    return place.over_blocks(values, why)


def _ratio(run: RunData, rule: Rule, a: Side, b: Side) -> Checked:
    metric, place = METRIC.get(rule.subject), Place(rule, a.target, a.point, b.target)
    excluded = run.frames.reasons(metric or "throughput")
    why = tuple(dict.fromkeys(reason for side in (a, b) for reason in excluded.get(side, ())))
    if metric:
        values = run.log_ratios(metric, a, b)
    elif rule.subject == "instructions":
        return place.estimated(ratio_of(run.counts, a, b), UNCOUNTED)
    else:
        values = aligned(_tails(run, rule, a), _tails(run, rule, b))
        why = why or _too_few(run, rule, a) or _too_few(run, rule, b)
    return place.over_blocks(values, why)


def _tails(run: RunData, rule: Rule, side: Side) -> dict[int, float]:
    return run.tails(side, rule.subject) if rule.subject in PER_MILLE else {}


def _too_few(run: RunData, rule: Rule, side: Side) -> Reasons:
    if rule.subject not in PER_MILLE:
        return (Reason("study-figure", {"measure": rule.subject}),)
    most = max((each.size for each in run.times.get(side, {}).values()), default=0)
    return (few_replies(rule.subject, most),)


def exit_code(checked: Sequence[Checked], strict: bool) -> int:
    """1 before 4: what is known to be too slow is the graver."""
    outcomes = {each.outcome for each in checked}
    if "failed" in outcomes or (strict and "undecided" in outcomes):
        return 1
    return 4 if "missing" in outcomes else 0
