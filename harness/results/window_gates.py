"""Gates on load on one target alone: journeys, studies, and loads that several workers share. Pure.

A place is named by its scenario, its point, or both, and a class of request: ``shopping``, ``shopping@16``,
``latency/80-rps``, ``shopping/login``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from harness.model import Reason, SideResult, WindowRecord
from harness.results.gate import Checked, Place, Reasons, Rule
from harness.results.summary import Summary
from harness.results.tails import aligned, few_replies, replies_needed
from harness.stats.quantiles import PER_MILLE


@dataclass(slots=True)
class _Figures:
    """Of one target at one point, and one class of request if the gate is about latencies; ``why``: no value."""

    values: dict[int, float] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)
    replies: int = 0
    why: Reasons = ()


def window_points(records: Iterable[WindowRecord]) -> list[str]:
    """The names that a gate can call the places by, for messages."""
    return list(dict.fromkeys(name for record in records for name in _names(record.only)))


def check_windows(
    rule: Rule, records: Sequence[WindowRecord], summary: Summary, targets: Sequence[str], others: Sequence[str]
) -> Iterator[Checked]:
    """The rule at every window that it covers; ``others`` are the targets that ``targets`` are divided by."""
    if rule.subject == "capacity":
        yield from _capacity(rule, summary, targets)
        return
    places = _places(rule, records)
    points = dict.fromkeys(point for _, point in places)
    if rule.against:
        for a, b, point in product(targets, others, points):
            first, second = places.get((a, point)), places.get((b, point))
            if a != b and first and second:
                logs = aligned(first.values, second.values)
                yield Place(rule, a, point, b).over_blocks(logs, first.why or second.why)
        return
    for target, point in product(targets, points):
        if figures := places.get((target, point)):
            place = Place(rule, target, point)
            if rule.subject == "errors":
                yield place.share_of_errors(figures.errors, figures.replies, figures.why)
            else:
                yield place.over_blocks(np.asarray(list(figures.values.values())), figures.why)


def _places(rule: Rule, records: Sequence[WindowRecord]) -> Mapping[tuple[str, str], _Figures]:
    places: dict[tuple[str, str], _Figures] = {}
    for record in records:
        side = record.only
        for name, value, why in _values(rule, side):
            if record.sound and value is None and not why and rule.subject != "errors":
                continue
            figures = places.setdefault((side.target, name), _Figures())
            if not record.sound:
                figures.why = record.faults[:1]
            elif value is None:
                figures.why = why
            else:
                figures.values[record.block] = value
            figures.errors.update(side.errors)
            figures.replies += side.answered
    return places


def _values(rule: Rule, side: SideResult) -> Iterator[tuple[str, float | None, Reasons]]:
    """Name of the place, value, and why it is missing, for each place of the window that the rule covers.

    Without a reason, a window has no such figure.
    """
    name = side.point or side.scenario
    if rule.subject in PER_MILLE:
        needed = replies_needed(rule.subject)
        several = len(side.latency_us) > 1
        for kind, row in side.latency_us.items():
            if rule.covers([*_names(side), *(f"{each}/{kind}" for each in _names(side))]):
                few = row["count"] < needed
                why = (few_replies(rule.subject, int(row["count"])),) if few else ()
                yield f"{name}/{kind}" if several else name, None if few else row[rule.subject], why
        if not side.latency_us and rule.covers(_names(side)):
            yield name, None, (Reason("no-latency"),)
    elif rule.covers(_names(side)):
        figures = {**side.figures, "cpu": side.cpu_us, "throughput": side.figures.get("throughput_rps")}
        yield name, figures.get(rule.subject), ()


def _names(side: SideResult) -> list[str]:
    return [name for name in (side.scenario, side.point, f"{side.scenario}/{side.point}" * bool(side.point)) if name]


def _capacity(rule: Rule, summary: Summary, targets: Sequence[str]) -> Iterator[Checked]:
    """The highest rate that met the objective, with its own interval."""
    for row in summary.studies.capacity:
        if row.target not in targets or not rule.covers([row.scenario, "capacity"]):
            continue
        ends = None if row.rps is None else (row.rps, row.low_rps, row.high_rps)
        place = Place(rule, row.target, row.scenario)
        yield place.missing((row.reason,) if row.reason else ()) if ends is None else place.of_ends(ends)
