"""The cost ladders: a chart, a table and a sentence for each."""

from __future__ import annotations

from harness.report.blocks import Block, Column, Fold, Plots, Row, Table, Text, words
from harness.report.charts.rows import ladder_chart
from harness.report.numbers import Placed, Sentence, measured, microseconds, numbered, shown, thousands, times
from harness.report.sentences import Fields, difference_interval, interval, tally
from harness.report.view import View
from harness.results.summary import LadderResult
from harness.stats.estimate import REAL


def ladder(view: View) -> tuple[Block, ...]:
    """Empty where the run climbed no ladder; ladders of frameworks come before those of servers."""
    found = sorted(climbed(view), key=lambda each: each[1].kind != "framework")
    counted = any(step.instructions is not None for _, each in found for step in each.steps)
    figures = tuple(_figure(view, *each) for each in found if any(rung.cpu_us for rung in each[1].rungs))
    return (Text(view.language.text("ladder.intro")), *left_out(view, counted), *figures) if figures else ()


def climbed(view: View) -> list[Placed[LadderResult]]:
    """The ladders that have a step."""
    return [each for each in numbered("ladders", view.summary.ladders) if each[1].steps]


def left_out(view: View, counted: bool) -> tuple[Text, ...]:
    """What instructions leave out, where there are any."""
    return (Text(view.language.text("counts.left_out")),) if counted else ()


def ladder_sentence(view: View, path: str, result: LadderResult, *, titled: bool = True) -> Sentence:
    """What the steps that are told apart add, the largest first, and how many are not; ``titled`` names the ladder.

    Where CPU time tells no step apart, and they were counted, what they add in instructions, which repeat more exactly.
    """
    language, parts = view.language, list[Sentence]()
    told = [
        (abs(step.difference), at, step)
        for at, step in numbered(f"{path}.steps", result.steps)
        if step.verdict in REAL and step.difference is not None
    ]
    for _, at, step in sorted(told, key=lambda each: -each[0]):
        kind = {"different-size-open": "ladder.part_size_open", "small": "ladder.part_small"}.get(step.verdict)
        added, ends = shown(step, at, "difference", microseconds), difference_interval(view, step, at)
        part = language.say(kind or "ladder.part", step=view.label(step.label), added=added, interval=ends)
        parts += [(language.text("ladder.and"),)] * bool(parts) + [part]
    counted = [
        (abs(step.instructions), at, step)
        for at, step in numbered(f"{path}.steps", result.steps)
        if step.instructions is not None and not told
    ]
    for _, at, step in sorted(counted, key=lambda each: -each[0]):
        added = shown(step, at, "instructions", thousands)
        part = language.say("ladder.part_counted", step=view.label(step.label), added=added)
        parts += [(language.text("ladder.and"),)] * bool(parts) + [part]
    others = tally(view, [step.verdict for step in result.steps])
    listed = tuple(each for part in parts for each in part)
    key = "ladder.counted" if counted else "ladder.sentence" if parts else "ladder.open"
    said = language.say(key, parts=listed, others=others)
    return language.say("ladder.titled", title=view.label(result.title), sentence=said) if titled else said


def check_sentence(view: View, path: str, result: LadderResult) -> Sentence:
    """Whether the steps add up to the top against the bottom; empty where there is a single step."""
    say, direct = view.language.say, result.direct
    if direct is None or result.total is None or direct.difference is None:
        return ()
    shared: Fields = {
        "total": microseconds(result.total, f"{path}.total"),
        "direct": microseconds(direct.difference, f"{path}.direct.difference"),
        "interval": difference_interval(view, direct, f"{path}.direct"),
    }
    ends = interval(view, result, path, microseconds, "gap_low", "gap_high")
    if result.gap is None or not ends:
        return say("ladder.not-checked", **shared)
    gap = say("ladder.gap", gap=microseconds(result.gap, f"{path}.gap"), interval=ends)
    return say(f"ladder.{result.check}", gap=gap, **shared)


def _figure(view: View, path: str, result: LadderResult) -> Plots:
    text = view.language.text
    at, lowest = next((at, rung) for at, rung in numbered(f"{path}.rungs", result.rungs) if rung.cpu_us is not None)
    counted = any(step.instructions is not None for step in result.steps)
    columns = (
        words(text("words.target"), lambda step, at: view.name(step.a.target)),
        words(text("real.where"), lambda step, at: view.where(step.a.point)),
        *added_columns(view, counted),
        Column(text("ladder.ratio"), "ratio", times),
        words(text("words.verdict"), lambda step, at: text(f"verdicts.{step.verdict}")),
        words(text("ladder.within"), lambda step, at: text(f"ladder.within_{step.within}")),
    )
    steps = numbered(f"{path}.steps", result.steps)
    table = Table.of(view.label(result.title), text("ladder.step"), lambda step: view.label(step.label), columns, steps)
    first = (view.name(lowest.target), view.where(lowest.point), *[None] * counted)
    cost = shown(lowest, at, "cpu_us", measured)
    bottom = Row(view.label(lowest.label), (*first, cost, None, None, text("ladder.bottom"), None))
    skipped = [
        text("ladder.passed", label=view.label(each.label), reason=view.language.reason(each.reason))
        for each in result.rungs
        if each.cpu_us is None and each.reason is not None
    ]
    notes = (Text(f"{text('ladder.passed_over')} {'; '.join(skipped)}.", note=True),) if skipped else ()
    key = path.replace("ladders.", "ladder-")
    charts = ladder_chart(view, result, key.replace("-", "-chart-"))
    return Plots(
        charts,
        view.label(result.title),
        ladder_sentence(view, path, result, titled=False),
        check_sentence(view, path, result),
        key,
        (Fold(text("page.table"), (table.after(bottom),), open=not charts), *notes),
    )


def added_columns(view: View, counted: bool) -> tuple[Column, ...]:
    """What a step adds: instructions where they are ``counted``, and CPU µs with their interval."""
    text = view.language.text
    return (
        *[Column(text("counts.added"), "instructions", thousands)] * counted,
        Column(text("validation.added"), "difference", microseconds),
        Column(
            text("words.interval"),
            said=lambda step, at: difference_interval(view, step, at, "validation.between"),
        ),
    )
