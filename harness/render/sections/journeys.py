"""Journeys of users, sent by Locust: a section of its own, since figures of different engines are never compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.analyse.summary import JourneyResult
from harness.render.numbers import Figure, Measured, Sentence, measured
from harness.render.view import View
from harness.units import significant

Numbered = Sequence[tuple[int, JourneyResult]]


@dataclass(frozen=True, slots=True)
class ClassRow:
    """Response times of one class of request on one target; ``None`` where too few samples say."""

    target: str
    name: str
    count: Figure
    p50: Measured | None
    p90: Figure | None
    p99: Figure | None


@dataclass(frozen=True, slots=True)
class JourneyRow:
    """One target; ``why`` says what went wrong, or why it has no number."""

    target: str
    state: str
    throughput: Measured | None
    cpu: Measured | None
    replies: Figure
    why: str


@dataclass(frozen=True, slots=True)
class JourneyFigures:
    name: str
    title: str
    sentence: Sentence
    rows: tuple[JourneyRow, ...]
    classes: tuple[ClassRow, ...]


def journey_figures(view: View) -> tuple[JourneyFigures, ...]:
    """Per journey of the run, in its order."""
    found = []
    for journey in view.manifest.journeys:
        numbered = [(i, r) for i, r in enumerate(view.summary.journeys) if r.journey == journey.name]
        found.append(
            JourneyFigures(
                name=journey.name,
                title=view.language.known(journey.title),
                sentence=journey_sentence(view, numbered, journey.users),
                rows=tuple(_row(view, index, result) for index, result in numbered),
                classes=tuple(row for index, result in numbered for row in _classes(index, result)),
            )
        )
    return tuple(found)


def journey_sentence(view: View, numbered: Numbered, users: int) -> Sentence:
    """How many targets got every reply right, and what a request of the journey costs them."""
    say = view.language.say
    sound = [(index, result) for index, result in numbered if result.status == "ok"]
    tried = sum(result.status != "not-run" for _, result in numbered)
    right = say("journeys.right", right=len(sound), tried=tried, users=users)
    costs = sorted(
        (result.cpu_us.value, result.target, Figure(significant(result.cpu_us.value, 3), result.cpu_us.value, path))
        for index, result in sound
        if result.cpu_us is not None
        for path in (f"journeys.{index}.cpu_us.value",)
    )
    if len(costs) < 2:
        return right
    (_, low_target, low), (_, high_target, high) = costs[0], costs[-1]
    cost = say("journeys.cost", low=low, low_target=low_target, high=high, high_target=high_target)
    return (*right, " ", *cost)


def _row(view: View, index: int, result: JourneyResult) -> JourneyRow:
    path = f"journeys.{index}"
    reasons = [view.language.reason(reason) for reason in result.reasons]
    return JourneyRow(
        target=result.target,
        state=view.language.text(f"states.{result.status}"),
        throughput=measured(result.throughput_rps, f"{path}.throughput_rps") if result.throughput_rps else None,
        cpu=measured(result.cpu_us, f"{path}.cpu_us") if result.cpu_us else None,
        replies=Figure(f"{result.replies:,}", result.replies, f"{path}.replies"),
        why="; ".join(reasons),
    )


def _classes(index: int, result: JourneyResult) -> list[ClassRow]:
    rows = []
    for number, found in enumerate(result.classes):
        path = f"journeys.{index}.classes.{number}"
        rows.append(
            ClassRow(
                target=result.target,
                name=found.name,
                count=Figure(f"{found.count:,}", found.count, f"{path}.count"),
                p50=measured(found.p50_us, f"{path}.p50_us") if found.p50_us else None,
                p90=_microseconds(found.p90_us, f"{path}.p90_us"),
                p99=_microseconds(found.p99_us, f"{path}.p99_us"),
            )
        )
    return rows


def _microseconds(value: float | None, path: str) -> Figure | None:
    return None if value is None else Figure(significant(value, 3), value, path)
