"""The cost ladders: a chart, a table and a sentence for each."""

from __future__ import annotations

from dataclasses import dataclass

from harness.analyse.summary import LadderResult, LadderStep
from harness.render.charts.ladder import ladder_chart
from harness.render.charts.svg import Chart
from harness.render.numbers import Figure, Measured, Sentence, measured, microseconds, times
from harness.render.sentences import APART, Fields, tally
from harness.render.view import View


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step; ``interval`` and ``ratio`` are empty where there are none."""

    label: str
    target: str
    scenario: str
    added: Figure | None
    interval: tuple[Figure, ...]
    ratio: Figure | None
    within: str
    verdict: str


@dataclass(frozen=True, slots=True)
class LadderFigure:
    """``passed``: rungs without a number, and why; ``notes``: what each step's interval rests on."""

    key: str
    title: str
    sentence: Sentence
    check: Sentence
    chart: Chart | None
    bottom: Measured
    bottom_label: str
    bottom_place: tuple[str, str]
    rows: tuple[StepRow, ...]
    passed: tuple[str, ...]


def ladder(view: View) -> tuple[LadderFigure, ...]:
    """Empty where the run climbed no ladder; ladders of frameworks come before those of servers."""
    numbered = [(index, each) for index, each in enumerate(view.summary.ladders) if each.steps]
    ordered = sorted(numbered, key=lambda one: one[1].kind != "framework")
    return tuple(found for index, each in ordered if (found := _figure(view, index, each)) is not None)


def ladder_sentence(view: View, index: int, *, titled: bool = True) -> Sentence:
    """What the steps that are told apart add, the largest first, and how many are not; ``titled`` names the ladder."""
    result, language = view.summary.ladders[index], view.language
    told = [
        (number, step)
        for number, step in enumerate(result.steps)
        if step.verdict in APART and step.difference is not None
    ]
    others = tally(view, [step.verdict for step in result.steps])
    if not told:
        said = language.say("ladder.open", others=others)
        return language.say("ladder.titled", title=result.title, sentence=said) if titled else said
    parts: list[str | Figure] = []
    for place, (number, step) in enumerate(sorted(told, key=lambda one: -abs(one[1].difference or 0.0))):
        path = f"ladders.{index}.steps.{number}"
        added = microseconds(step.difference or 0.0, f"{path}.difference")
        key = "ladder.part_size_open" if step.verdict == "different-size-open" else "ladder.part"
        key = "ladder.part_small" if step.verdict == "small" else key
        part = language.say(key, step=step.label, added=added, interval=_between(view, step, path))
        parts += [language.text("ladder.and")] * bool(place) + list(part)
    said = language.say("ladder.sentence", parts=tuple(parts), others=others)
    return language.say("ladder.titled", title=result.title, sentence=said) if titled else said


def check_sentence(view: View, index: int) -> Sentence:
    """Whether the steps add up to the top against the bottom; empty where there is a single step."""
    result, language, path = view.summary.ladders[index], view.language, f"ladders.{index}"
    direct = result.direct
    if direct is None or result.total is None or direct.difference is None:
        return ()
    shared: Fields = {
        "total": microseconds(result.total, f"{path}.total"),
        "direct": microseconds(direct.difference, f"{path}.direct.difference"),
        "interval": _between(view, direct, f"{path}.direct"),
    }
    if result.gap is None or result.gap_low is None or result.gap_high is None:
        return language.say("ladder.not-checked", **shared)
    low, high = microseconds(result.gap_low, f"{path}.gap_low"), microseconds(result.gap_high, f"{path}.gap_high")
    gap = language.say("ladder.gap", gap=microseconds(result.gap, f"{path}.gap"), low=low, high=high)
    return language.say(f"ladder.{result.check}", gap=gap, **shared)


def _figure(view: View, index: int, result: LadderResult) -> LadderFigure | None:
    bottom = next((rung for rung in enumerate(result.rungs) if rung[1].cpu_us is not None), None)
    if bottom is None or bottom[1].cpu_us is None:
        return None
    number, rung = bottom
    return LadderFigure(
        key=f"ladder-{index}",
        title=result.title,
        sentence=ladder_sentence(view, index, titled=False),
        check=check_sentence(view, index),
        chart=ladder_chart(result, view.declared, view.frameworks, view.language, f"ladder-chart-{index}"),
        bottom=measured(bottom[1].cpu_us, f"ladders.{index}.rungs.{number}.cpu_us"),
        bottom_label=rung.label,
        bottom_place=(rung.target, view.where(rung.point)),
        rows=tuple(_row(view, f"ladders.{index}.steps.{place}", step) for place, step in enumerate(result.steps)),
        passed=tuple(
            view.language.text("ladder.passed", label=each.label, reason=view.language.reason(each.reason))
            for each in result.rungs
            if each.cpu_us is None
        ),
    )


def _row(view: View, path: str, step: LadderStep) -> StepRow:
    ends = ((step.difference_low, "difference_low"), (step.difference_high, "difference_high"))
    interval = tuple(microseconds(end, f"{path}.{name}") for end, name in ends if end is not None)
    return StepRow(
        label=step.label,
        target=step.a.target,
        scenario=view.where(step.a.point),
        added=None if step.difference is None else microseconds(step.difference, f"{path}.difference"),
        interval=interval if len(interval) == 2 else (),
        ratio=None if step.ratio is None else times(step.ratio, f"{path}.ratio"),
        within=view.language.text(f"ladder.within_{step.within}"),
        verdict=view.language.text(f"verdicts.{step.verdict}"),
    )


def _between(view: View, step: LadderStep, path: str) -> Sentence:
    if step.difference_low is None or step.difference_high is None:
        return ()
    low = microseconds(step.difference_low, f"{path}.difference_low")
    high = microseconds(step.difference_high, f"{path}.difference_high")
    return view.language.say("contrast.interval", low=low, high=high)
