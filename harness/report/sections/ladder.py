"""The cost ladders: a chart, a table and a sentence for each."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from harness.report.blocks import Block, Column, Fold, Plots, Row, Table, Text, words
from harness.report.charts.rows import ladder_chart
from harness.report.numbers import Placed, Sentence, by, joined, measured, microseconds, numbered, shown, times
from harness.report.sentences import ADDED, Fields, difference_interval, interval, tally
from harness.report.view import View
from harness.results.summary import LadderResult
from harness.stats.estimate import REAL

VERDICT = words("words.verdict", lambda view, part, at: view.text(f"verdicts.{part.verdict}"))
PARTS = {"different-size-open": "ladder.part_size_open", "small": "ladder.part_small"}


def ladder(view: View) -> tuple[Block, ...]:
    """Empty where the run climbed no ladder; ladders of frameworks come before those of servers."""
    ladders = sorted(climbed(view), key=lambda each: each[1].kind != "framework")
    counted = any(step.instructions is not None for _, each in ladders for step in each.steps)
    figures = tuple(_figure(view, *each) for each in ladders if any(rung.cpu_us for rung in each[1].rungs))
    return (Text(view.text("ladder.intro")), *left_out(view, counted), *figures) if figures else ()


def climbed(view: View) -> list[Placed[LadderResult]]:
    """The ladders that have a step."""
    return [each for each in numbered("ladders", view.summary.ladders) if each[1].steps]


def left_out(view: View, counted: bool) -> tuple[Text, ...]:
    """What instructions leave out, where there are any."""
    return (Text(view.text("counts.left_out")),) if counted else ()


def ladder_sentence(view: View, path: str, result: LadderResult, *, titled: bool = True) -> Sentence:
    """What the steps that show a difference add, the largest first, and how many do not; ``titled`` names the ladder.

    Where CPU time shows none, and the steps were counted, what they add in instructions, which repeat more exactly.
    """
    say, steps = view.say, numbered(f"{path}.steps", result.steps)
    differing = [(at, step) for at, step in steps if step.verdict in REAL and step.difference is not None]
    counted = [] if differing else [(at, step) for at, step in steps if step.instructions is not None]
    name = "difference" if differing else "instructions"
    added, parts = by(name), list[Sentence]()
    for at, step in sorted(differing or counted, key=lambda each: -abs(added(each))):
        kind = PARTS.get(step.verdict, "ladder.part") if differing else "ladder.part_counted"
        fields: Fields = {"added": shown(step, at, name, ADDED[name]), "interval": difference_interval(view, step, at)}
        parts.append(say(kind, step=view.label(step.label), **fields))
    key = "ladder.counted" if counted else "ladder.sentence" if parts else "ladder.open"
    others = tally(view, [step.verdict for step in result.steps])
    said = say(key, parts=joined(view.text("ladder.and"), parts), others=others)
    return say("ladder.titled", title=view.label(result.title), sentence=said) if titled else said


def check_sentence(view: View, path: str, result: LadderResult) -> Sentence:
    """Whether the steps add up to the top against the bottom; empty where there is a single step."""
    if result.direct is None or result.total is None or result.direct.difference is None:
        return ()
    shared: Fields = {
        "total": shown(result, path, "total", microseconds),
        "direct": shown(result, path, "direct.difference", microseconds),
        "interval": difference_interval(view, result.direct, f"{path}.direct"),
    }
    ends = interval(view, result, path, microseconds, ("gap_low", "gap_high"))
    if result.gap is None or not ends:
        return view.say("ladder.not-checked", **shared)
    gap = view.say("ladder.gap", gap=microseconds(result.gap, f"{path}.gap"), interval=ends)
    return view.say(f"ladder.{result.check}", gap=gap, **shared)


def _figure(view: View, path: str, result: LadderResult) -> Plots:
    text, title = view.text, view.label(result.title)
    at, lowest = next((at, rung) for at, rung in numbered(f"{path}.rungs", result.rungs) if rung.cpu_us is not None)
    counted = any(step.instructions is not None for step in result.steps)
    columns = (
        words("words.target", lambda view, step, at: view.name(step.a.target)),
        words("real.where", lambda view, step, at: view.where(step.a.point)),
        *added_columns(counted),
        Column("ladder.ratio", "ratio", times),
        VERDICT,
        words("ladder.within", lambda view, step, at: text(f"ladder.within_{step.within}")),
    )
    steps = numbered(f"{path}.steps", result.steps)
    table = Table.of(view, title, columns, steps, head="ladder.step", row=lambda step: view.label(step.label))
    first = (view.name(lowest.target), view.where(lowest.point), *[None] * counted)
    cost = shown(lowest, at, "cpu_us", measured)
    bottom = Row(view.label(lowest.label), (*first, cost, None, None, text("ladder.bottom"), None))
    table = replace(table, rows=(bottom, *table.rows))
    skipped = [
        text("ladder.rung", label=view.label(each.label), reason=view.language.reason(each.reason))
        for each in result.rungs
        if each.cpu_us is None and each.reason is not None
    ]
    notes = (Text(f"{text('ladder.skipped')} {'; '.join(skipped)}.", note=True),) if skipped else ()
    charts = ladder_chart(view, result, path.replace("ladders.", "ladder-chart-"))
    return Plots(
        charts,
        title,
        ladder_sentence(view, path, result, titled=False),
        check_sentence(view, path, result),
        path.replace("ladders.", "ladder-"),
        (Fold(text("page.table"), (table,), open=not charts), *notes),
    )


def added_columns(counted: bool) -> tuple[Column, ...]:
    """What a step adds: instructions where they are ``counted``, and CPU µs with their interval."""
    return (
        *[Column("counts.added", "instructions", ADDED["instructions"])] * counted,
        Column("validation.added", "difference", ADDED["difference"]),
        Column("words.interval", said=partial(difference_interval, text="validation.between")),
    )
