"""The four answers at the top of the report: which contrasts answer a question, and which sentence words them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.model import Point, Question, Side
from harness.report.charts.rows import throughput_chart
from harness.report.charts.svg import Chart
from harness.report.numbers import Sentence, delta, imprecise, joined, measured, multiple, shown
from harness.report.sections.crossover import busy_sentence, crossover_sentence, in_order, near_limit, threads_sentence
from harness.report.sections.study_sections import study_sentences
from harness.report.sections.validation import validation_lines
from harness.report.sentences import Fields, contrast_sentence, interval, listed, noise, size
from harness.report.view import View
from harness.results.cells import FLOOR
from harness.results.summary import Cell, ContrastResult, Crossover
from harness.stats.estimate import DIFFERENT, REAL

MOVES = 8
"""The most sentences on crossovers that the answers hold; the section has all."""
JSON = "json"
"""The scenario without a wait that the summary draws first: every framework and server answers it."""
DATABASE = "io-db"
"""The scenario whose waits are a database's: of all waits the one that most people have."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said of a question, or of studies, at once, and what goes into detail."""

    heading: str
    lines: tuple[Sentence, ...]
    details: tuple[Sentence, ...] = ()

    @property
    def headline(self) -> Sentence:
        return joined(" ", self.lines)


def answers(view: View) -> tuple[Answer, ...]:
    """Pick, move, validate, real?, in this order; of the first, a line for each point that the summary draws.

    Of a run of studies only, what each says.
    """
    if not view.summary.cells and (studied := study_sentences(view)):
        return tuple(Answer(view.text(f"sections.{each}"), tuple(said)) for each, said in studied.items())
    drawn, others = _points(view)
    leaders = _leaders(view, drawn)
    sentences: dict[Question, tuple[int, list[Sentence]]] = {
        "pick": (len(leaders) or 1, leaders + _leaders(view, others)),
        "move": (1, _move(view)),
        "validate": (1, validation_lines(view)),
        "real": (1, _real(view)),
    }
    results = []
    for question, (first, lines) in sentences.items():
        heading = view.text(f"questions.{question}")
        nothing = view.say("real.nothing", question=heading)
        results.append(Answer(heading, tuple(lines[:first]) or (nothing,), tuple(lines[first:])))
    return tuple(results)


def summary_charts(view: View) -> tuple[Chart, ...]:
    """Throughput of the frameworks without a wait and with one, as the summary begins."""
    places = enumerate(_points(view)[0])
    return tuple(chart for n, place in places for chart in throughput_chart(view, place, f"summary-{n}"))


def _points(view: View) -> tuple[list[Point], list[Point]]:
    """Those that the summary draws, one without a wait and one with (the database's, the longest); then all others."""
    busy = sorted(view.places_of("pick"), key=lambda place: place.scenario != JSON)
    waiting = sorted(
        (place for place in view.places_of("move") if place.wait_s > 0),
        key=lambda place: (place.scenario != DATABASE, -place.concurrency, -place.wait_s),
    )
    return [*busy[:1], *waiting[:1]], [*busy[1:], *waiting[1:]]


def _leaders(view: View, places: Sequence[Point]) -> list[Sentence]:
    return [line for place in places if (line := _leader(view, place))]


def _leader(view: View, place: Point) -> Sentence:
    """The highest throughput of a framework at a point, and who is not clearly slower."""
    say = view.say
    ranked = sorted(
        (-entry[1].throughput_rps.value, target.name, entry)
        for target in view.targets.values()
        if not target.twin_of
        and target.framework != FLOOR
        and (entry := view.ok(target.name, place.id))
        and entry[1].throughput_rps
    )
    if not ranked:
        return ()
    (_, name, (path, cell)), *rivals = ranked
    where, rate = view.where(place.id), _rate(view, path, cell)
    top = say("pick.highest", where=where, target=view.name(name), rate=rate, aside=_aside(view, name, place, cell))
    if not rivals:
        return (*top, *say("pick.unchallenged"))
    against = {
        side.target: each
        for each in view.contrasts(metric="throughput")
        for one, side in ((each[1].a, each[1].b), (each[1].b, each[1].a))
        if one == Side(name, place.id) and side.point == place.id
    }
    alike: dict[str, list[Sentence]] = {"undecided": [], "same": []}
    for _, rival, (at, other) in rivals:
        # What the run's own comparison of every pair at a point leaves open, where no contrast was declared.
        tied = "undecided" if cell.tie_group and cell.tie_group == other.tie_group else ""
        kind = against[rival][1].verdict if rival in against else tied
        if kind in alike:
            alike[kind].append(say("pick.rival", target=view.name(rival), rate=_rate(view, at, other)))
    if others := [say(f"pick.{kind}", others=listed(view, each)) for kind, each in alike.items() if each]:
        return (*top, *joined("", others))
    next_ = rivals[0][1]
    if next_ in against and (compared := _compared(view, name, *against[next_])):
        return (*top, *compared)
    return (*top, *say("pick.clear" if cell.tie_group else "pick.not_compared", target=view.name(name)))


def _rate(view: View, path: str, cell: Cell) -> Sentence:
    """``1,990 ± 570``, or ``about 1,990``."""
    rate = measured(cell.throughput_rps, f"{path}.throughput_rps")
    if rate is None or rate.half is None:
        return (rate.value,) if rate else ()
    key = "pick.rate_unknown" if imprecise(cell.throughput_rps) else "pick.rate"
    return view.say(key, value=rate.value, half=rate.half)


def _aside(view: View, name: str, place: Point, cell: Cell) -> Sentence:
    """That the leader's figure is not exact; or what the connections or threads allow at a wait, if it is near that."""
    if imprecise(cell.throughput_rps):
        return view.say("pick.unsure")
    allowed = near_limit(view, name, place)
    if allowed is None:
        return ()
    count, rps = allowed
    parallel = view.text(f"move.parallel_{'connections' if count == place.concurrency else 'threads'}", count=count)
    return view.say("pick.limit", parallel=parallel, wait=f"{place.wait_s * 1e3:g}", rps=rps)


def _compared(view: View, leader: str, path: str, contrast: ContrastResult) -> Sentence:
    """How many times as many the next one answers; empty where that is not known."""
    if contrast.ratio is None or contrast.verdict not in REAL:
        return ()
    key, other = ("pick.ahead", contrast.b) if contrast.a.target == leader else ("pick.next", contrast.a)
    ratio, ends = multiple(contrast.ratio, f"{path}.ratio"), interval(view, contrast, path, multiple)
    return view.say(key, target=view.name(other.target), size=size(view, contrast.verdict), ratio=ratio, interval=ends)


def _move(view: View) -> list[Sentence]:
    """The crossovers, the usual concurrency first, each after the pair's result without a wait; then the contrasts
    that were measured at one wait only.
    """
    along = {key for each in view.summary.crossovers for key in each.contrasts}
    single_wait = [
        (path, contrast)
        for path, contrast in view.contrasts("move", "throughput")
        if contrast.id not in along and contrast.a.point == contrast.b.point
    ]
    lines = list[Sentence]()
    for path, crossover in in_order(view):
        busy = next((each for each in single_wait if _busy(view, each[1], crossover)), None)
        if busy:
            single_wait.remove(busy)
        crossed = crossover_sentence(view, path, crossover, again=busy is not None)
        lines.append((*busy_sentence(view, busy), *crossed, *threads_sentence(view, crossover)))
    lines += [contrast_sentence(view, *each) for each in single_wait]
    if len(lines) <= MOVES:
        return lines
    return [*lines[:MOVES], view.say("move.more_below", count=len(lines) - MOVES)]


def _busy(view: View, contrast: ContrastResult, crossover: Crossover) -> bool:
    """Whether it compares the pair of a crossover without a wait, and is decided."""
    place = view.places.get(contrast.a.point)
    pair = contrast.a.target, contrast.b.target
    return bool(place and place.wait_s == 0 and pair == (crossover.a, crossover.b) and contrast.verdict in REAL)


def _real(view: View) -> list[Sentence]:
    """How much is decided, and what the A/A control says of that; each control that differs comes after it."""
    say, controls = view.say, view.controls()
    lines: list[Sentence] = []
    known = [(abs(math.log(c.ratio)), path, c) for path, c in controls if c.ratio is not None]
    if not controls:
        lines.append(say("real.control_missing"))
    elif len(controls) > 1 and known:
        _, path, widest = max(known, key=lambda each: each[0])
        differing = sum(contrast.verdict in REAL for _, contrast in controls)
        fields: Fields = {"count": len(controls), "differing": differing, "widest": shown(widest, path, "ratio", delta)}
        lines.append(say("real.controls_differ" if differing else "real.controls", **fields))
    for path, contrast in controls:
        differs = contrast.verdict in DIFFERENT
        if differs or len(controls) == 1 or not known:
            tail = say("real.control_differs") if differs else ()
            lines.append((*say("real.control", sentence=contrast_sentence(view, path, contrast)), *tail))
    if counted := noise(view):
        lines[0] = (*counted, " ", *lines[0])
    return lines
