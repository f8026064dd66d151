"""Loads on one target alone, each in a section of its own: journeys of users, which Locust sends and whose figures are
never compared with those of another engine, and loads that several workers shared.
"""

from __future__ import annotations

from harness.model import Journey
from harness.report.blocks import Block, Column, Entry, Heading, Missing, Row, Table, Text, folded, words
from harness.report.numbers import Placed, Sentence, count, measured, number, numbered, shown, times
from harness.report.sentences import interval
from harness.report.view import View
from harness.results.summary import JourneyResult, SharedContrast, SharedLoad


def journey_figures(view: View) -> tuple[Block, ...]:
    """Per journey of the run, in its order."""
    blocks: list[Block] = []
    for journey in view.manifest.journeys:
        found = [each for each in numbered("journeys", view.summary.journeys) if each[1].journey == journey.name]
        blocks += _journey(view, journey, found)
    return (Text(view.language.text("journeys.intro")), *blocks) if blocks else ()


def _journey(view: View, journey: Journey, found: list[Placed[JourneyResult]]) -> tuple[Block, ...]:
    text, title = view.language.text, view.language.known(journey.title)
    columns = (
        Column(text("words.rps"), "throughput_rps", measured),
        Column(text("words.cpu"), "cpu_us", measured),
        Column(text("journeys.replies"), "replies", count),
        _state(view),
    )
    table = Table.of(title, text("words.target"), lambda result: view.name(result.target), columns, found)
    per_class = (
        words(text("journeys.class"), lambda each, path: each.name),
        Column(text("journeys.replies"), "count", count),
        *_percentiles(),
    )
    rows = tuple(
        Row(view.name(result.target), tuple(column.entry(each, at) for column in per_class))
        for path, result in found
        for at, each in numbered(f"{path}.classes", result.classes)
    )
    classes = Table(text("journeys.classes_of", title=title), text("words.target"), per_class, rows)
    sentence = Text(_journey_sentence(view, found, journey.users))
    return Heading(title), sentence, table, *folded(text("journeys.classes"), classes, rows)


def _state(view: View) -> Column:
    return words(view.language.text("journeys.state"), lambda each, path: view.status(each.status, each.reasons))


def _percentiles() -> tuple[Column, ...]:
    """Of times; none where too few samples say."""
    return Column("p50, µs", "p50_us", measured), Column("p90, µs", "p90_us"), Column("p99, µs", "p99_us")


def _journey_sentence(view: View, found: list[Placed[JourneyResult]], users: int) -> Sentence:
    """How many targets got every reply right, and what a request of the journey costs them."""
    say, sound = view.language.say, [(path, result) for path, result in found if result.status == "ok"]
    tried = sum(result.status != "not-run" for _, result in found)
    right = say("journeys.right", right=len(sound), tried=tried, users=users)
    costs = sorted((result.cpu_us.value, path, result.target) for path, result in sound if result.cpu_us is not None)
    if len(costs) < 2:
        return right
    (low_us, low, first), (high_us, high, last) = costs[0], costs[-1]
    cost = say(
        "journeys.cost",
        low=number(low_us, f"{low}.cpu_us.value"),
        low_target=view.name(first),
        high=number(high_us, f"{high}.cpu_us.value"),
        high_target=view.name(last),
    )
    return (*right, " ", *cost)


def shared_figures(view: View) -> tuple[Block, ...]:
    """Per point, in the plan's order: who is fastest there, every comparison, and the table."""
    text, blocks = view.language.text, list[Block]()
    columns = (
        Column(text("shared.workers"), "workers", count),
        Column(text("words.rps"), "throughput_rps", measured),
        Column(text("words.cpu"), said=lambda load, path: _cost(view, load, path)),
        *_percentiles(),
        _state(view),
    )
    loads, contrasts = (numbered(name, getattr(view.summary, name)) for name in ("shared_loads", "shared_contrasts"))
    for point in dict.fromkeys(load.point for _, load in loads):
        here = [(path, load) for path, load in loads if load.point == point]
        compared = [_compared(view, path, each) for path, each in contrasts if each.point == point]
        table = Table.of(point, text("words.target"), lambda load: view.name(load.target), columns, here)
        blocks += [Heading(point), *map(Text, (_fastest(view, point, here), *compared)), table]
    return (Text(text("shared.intro")), *blocks) if blocks else ()


def _cost(view: View, load: SharedLoad, path: str) -> Entry:
    """Of servers elsewhere there are no clocks to read."""
    unread = Missing(view.language.text("states.not-measurable")) if load.status == "ok" else None
    return measured(load.cpu_us, f"{path}.cpu_us") or unread


def _fastest(view: View, point: str, loads: list[Placed[SharedLoad]]) -> Sentence:
    sound = [(path, load) for path, load in loads if load.throughput_rps is not None]
    if not sound:
        return view.language.say("shared.none", where=point)
    path, load = max(sound, key=lambda each: each[1].throughput_rps.value if each[1].throughput_rps else 0.0)
    rate, workers = shown(load, path, "throughput_rps.value"), shown(load, path, "workers", count)
    return view.language.say("shared.fastest", where=point, target=view.name(load.target), rate=rate, workers=workers)


def _compared(view: View, path: str, contrast: SharedContrast) -> Sentence:
    a, b, verdict = view.name(contrast.a), view.name(contrast.b), view.language.text(f"verdicts.{contrast.verdict}")
    if contrast.ratio is None:
        return (f"{a}, {b}: {verdict}.",)
    ratio, ends = times(contrast.ratio, f"{path}.ratio"), interval(view, contrast, path, times)
    said = view.language.say("shared.ratio", a=a, b=b, ratio=ratio, interval=ends, verdict=verdict)
    return view.language.say("shared.control", sentence=said) if contrast.control else said
