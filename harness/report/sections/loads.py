"""Loads on one target alone, each in a section of its own: journeys of users, which Locust sends and whose figures are
never compared with those of another engine, and loads that several workers shared.
"""

from __future__ import annotations

from harness.report.blocks import Block, Column, Entry, Heading, Missing, Table, Text, folded, words
from harness.report.numbers import Placed, Sentence, by, count, measured, number, numbered, shown, times
from harness.report.sentences import extremes, interval
from harness.report.view import View
from harness.results.summary import JourneyResult, SharedContrast, SharedLoad


def _cost(view: View, load: SharedLoad, path: str) -> Entry:
    """Of servers elsewhere there are no clocks to read."""
    unread = Missing(view.text("states.not-measurable")) if load.status == "ok" else None
    return measured(load.cpu_us, f"{path}.cpu_us") or unread


RATE = Column("words.rps", "throughput_rps", measured)
STATE = words("journeys.state", lambda view, each, path: view.status(each.status, each.reasons))
TIMES = Column("p50, µs", "p50_us", measured), Column("p90, µs", "p90_us"), Column("p99, µs", "p99_us")
"""None where too few samples say."""
JOURNEYS = RATE, Column("words.cpu", "cpu_us", measured), Column("journeys.replies", "replies", count), STATE
REQUEST = words("journeys.class", lambda view, each, path: each.name)
REQUESTS = REQUEST, Column("journeys.replies", "count", count), *TIMES
SHARED = Column("shared.workers", "workers", count), RATE, Column("words.cpu", said=_cost), *TIMES, STATE


def journey_figures(view: View) -> tuple[Block, ...]:
    """Per journey of the run, in its order."""
    blocks: list[Block] = []
    for journey in view.manifest.journeys:
        results = [each for each in numbered("journeys", view.summary.journeys) if each[1].journey == journey.name]
        title, sentence = view.language.known(journey.title), _journey_sentence(view, results, journey.users)
        blocks += [
            Heading(title),
            Text(sentence),
            Table.of(view, title, JOURNEYS, results),
            *_classes(view, title, results),
        ]
    return (Text(view.text("journeys.intro")), *blocks) if blocks else ()


def _classes(view: View, title: str, results: list[Placed[JourneyResult]]) -> tuple[Block, ...]:
    """Each class of request of each target."""
    parts = [(result, each) for path, result in results for each in numbered(f"{path}.classes", result.classes)]
    names = iter([view.name(result.target) for result, _ in parts])
    heading, rows = view.text("journeys.classes_of", title=title), [each for _, each in parts]
    classes = Table.of(view, heading, REQUESTS, rows, row=lambda _: next(names))
    return folded(view.text("journeys.classes"), classes, rows)


def _journey_sentence(view: View, results: list[Placed[JourneyResult]], users: int) -> Sentence:
    """How many targets got every reply right, and what a request of the journey costs them."""
    sound = [(path, result) for path, result in results if result.status == "ok"]
    tried = sum(result.status != "not-run" for _, result in results)
    right = view.say("journeys.right", right=len(sound), tried=tried, users=users)
    costs = extremes(view, [each for each in sound if each[1].cpu_us], "cpu_us.value", number)
    return (*right, " ", *view.say("journeys.cost", **costs)) if costs else right


def shared_figures(view: View) -> tuple[Block, ...]:
    """Per point, in the plan's order: who is fastest there, every comparison, and the table."""
    blocks: list[Block] = []
    loads, contrasts = (numbered(name, getattr(view.summary, name)) for name in ("shared_loads", "shared_contrasts"))
    for point in dict.fromkeys(load.point for _, load in loads):
        here = [(path, load) for path, load in loads if load.point == point]
        compared = [_compared(view, path, each) for path, each in contrasts if each.point == point]
        said = map(Text, (_fastest(view, point, here), *compared))
        blocks += [Heading(point), *said, Table.of(view, point, SHARED, here)]
    return (Text(view.text("shared.intro")), *blocks) if blocks else ()


def _fastest(view: View, point: str, loads: list[Placed[SharedLoad]]) -> Sentence:
    sound = [(path, load) for path, load in loads if load.throughput_rps is not None]
    if not sound:
        return view.say("shared.none", where=point)
    path, load = max(sound, key=by("throughput_rps.value"))
    rate, workers = shown(load, path, "throughput_rps.value"), shown(load, path, "workers", count)
    return view.say("shared.fastest", where=point, target=view.name(load.target), rate=rate, workers=workers)


def _compared(view: View, path: str, contrast: SharedContrast) -> Sentence:
    a, b, verdict = view.name(contrast.a), view.name(contrast.b), view.text(f"verdicts.{contrast.verdict}")
    if contrast.ratio is None:
        return (f"{a}, {b}: {verdict}.",)
    ratio, ends = times(contrast.ratio, f"{path}.ratio"), interval(view, contrast, path, times)
    said = view.say("shared.ratio", a=a, b=b, ratio=ratio, interval=ends, verdict=verdict)
    return view.say("shared.control", sentence=said) if contrast.control else said
