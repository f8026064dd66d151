"""The four answers at the top of the report: which contrasts bear on a question, and which sentence words them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from harness.model import Point, Question, Side
from harness.report.charts.rows import throughput_chart
from harness.report.charts.svg import Chart
from harness.report.crossings import busy_sentence, crossover_sentence, near_limit, threads_sentence, told_first
from harness.report.numbers import (
    Placed,
    Sentence,
    apart,
    count,
    measured,
    multiple,
    shown,
)
from harness.report.sentences import Fields, contrast_sentence, interval, listed, noise, size
from harness.report.steps import validation_lines
from harness.report.view import View
from harness.results.cells import FLOOR
from harness.results.summary import Cell, ContrastResult, Crossover, Verdict
from harness.stats.estimate import DIFFERENT, REAL

MOVES = 8
"""The most sentences on crossovers that the answers hold; the section has all."""
DATABASE = "io-db"
"""The scenario whose waits are a database's: of all waits the one that most people have."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One sentence for a question, and those that go into detail."""

    question: Question
    headline: Sentence
    details: tuple[Sentence, ...] = ()


def answers(view: View) -> tuple[Answer, ...]:
    """Pick, move, validate, real?, in this order."""
    tellers: dict[Question, Callable[[View], list[Sentence]]] = {
        "pick": _pick,
        "move": _move,
        "validate": validation_lines,
        "real": _real,
    }
    found = []
    for question, tell in tellers.items():
        nothing = view.language.say("real.nothing", question=view.language.text(f"questions.{question}"))
        headline, *details = tell(view) or [nothing]
        found.append(Answer(question, headline, tuple(details)))
    return tuple(found)


def _pick(view: View) -> list[Sentence]:
    """First the points that the summary shows, then all others."""
    busy, waiting = _busy_and_waiting(view)
    first = [_leader(view, place) for place in (*busy[:1], *waiting[:1])]
    told = [line for lines in first for line in lines]
    headline = [tuple(part for line in told for part in (*line, " "))[:-1]] if told else []
    return headline + [line for place in (*busy[1:], *waiting[1:]) for line in _leader(view, place)]


def summary_charts(view: View) -> tuple[Chart, ...]:
    """Throughput of the frameworks without a wait and with one, as the summary begins."""
    busy, waiting = _busy_and_waiting(view)
    places = enumerate((*busy[:1], *waiting[:1]))
    return tuple(chart for n, place in places for chart in throughput_chart(view, place, f"summary-{n}"))


def _busy_and_waiting(view: View) -> tuple[list[Point], list[Point]]:
    """The points without a wait in the plan's order, and those with one: the database's and the longest first."""
    waiting = sorted(
        (place for place in view.asking("move") if place.wait_s > 0),
        key=lambda place: (place.scenario != DATABASE, -place.concurrency, -place.wait_s),
    )
    return view.asking("pick"), waiting


def _leader(view: View, place: Point) -> list[Sentence]:
    """The highest throughput of a framework at a point, and who cannot be told from it."""
    say = view.language.say
    ranked = sorted(
        (-found[1].throughput_rps.value, target.name, found)
        for target in view.targets.values()
        if not target.twin_of
        and target.framework != FLOOR
        and (found := view.ok(target.name, place.id))
        and found[1].throughput_rps
    )
    if not ranked:
        return []
    _, name, (path, cell) = ranked[0]
    rate = shown(cell, path, "throughput_rps", measured)
    top = say(
        "pick.highest",
        where=view.where(place.id),
        target=view.name(name),
        value=rate.value,
        half=say("pick.half", half=rate.half) if rate.half else (),
        limit=_limit(view, name, place),
    )
    rivals = [(rival, found) for _, rival, found in ranked[1:]]
    if not rivals:
        return [(*top, *say("pick.unchallenged"))]
    against = {
        side.target: each
        for each in view.contrasts(metric="throughput")
        for one, side in ((each[1].a, each[1].b), (each[1].b, each[1].a))
        if one == Side(name, place.id) and side.point == place.id
    }
    open_, same = list[Sentence](), list[Sentence]()
    for rival, found in rivals:
        kind = against[rival][1].verdict if rival in against else _by_letter(cell, found[1])
        if kind in ("same", "undecided"):
            (same if kind == "same" else open_).append(_rival(view, rival, found, against.get(rival)))
    if open_ or same:
        said = [
            say(f"pick.{key}", others=listed(view, each)) for key, each in (("open", open_), ("same", same)) if each
        ]
        return [(*top, *(part for line in said for part in line))]
    if rivals[0][0] in against and (compared := _compared(view, name, *against[rivals[0][0]])):
        return [(*top, *compared)]
    return [(*top, *say("pick.clear" if cell.tie_group else "pick.not_compared", target=view.name(name)))]


def _limit(view: View, name: str, place: Point) -> Sentence:
    """What the connections or the threads allow at a wait, where the throughput is near it."""
    allowed = near_limit(view, name, place)
    if allowed is None:
        return ()
    held, rps = allowed
    unit = "connections" if held == place.concurrency else "threads"
    return view.language.say(
        "pick.limit", held=view.language.text(f"move.held_{unit}", count=held), wait=f"{place.wait_s * 1e3:g}", rps=rps
    )


def _by_letter(leader: Cell, other: Cell) -> Verdict | None:
    """What the run's own comparison of every pair at a point leaves open, where no contrast was declared."""
    return "undecided" if leader.tie_group and leader.tie_group == other.tie_group else None


def _rival(view: View, name: str, found: Placed[Cell], against: Placed[ContrastResult] | None) -> Sentence:
    """``FastAPI on Uvicorn (1,990 ± 570; about 9 blocks would decide it)``."""
    path, cell = found
    rate = shown(cell, path, "throughput_rps", measured)
    half = view.language.say("pick.half", half=rate.half) if rate.half else ()
    blocks = shown(against[1], against[0], "blocks_needed", count) if against else None
    needed = view.language.say("pick.needed", blocks=blocks) if blocks else ()
    return view.language.say("pick.rival", target=view.name(name), value=rate.value, half=half, needed=needed)


def _compared(view: View, leader: str, path: str, contrast: ContrastResult) -> Sentence:
    """How many times as many the next one answers; empty where that is not known."""
    if contrast.ratio is None or contrast.verdict not in REAL:
        return ()
    key, other = ("pick.ahead", contrast.b) if contrast.a.target == leader else ("pick.next", contrast.a)
    fields: Fields = {
        "ratio": multiple(contrast.ratio, f"{path}.ratio"),
        "interval": interval(view, contrast, path, multiple),
    }
    return view.language.say(key, target=view.name(other.target), size=size(view, contrast.verdict), **fields)


def _move(view: View) -> list[Sentence]:
    """The crossovers, the usual concurrency first, each after what the pair comes to without a wait; then the contrasts
    that were measured at one wait alone.
    """
    along = {key for each in view.summary.crossovers for key in each.contrasts}
    alone = [
        (path, contrast)
        for path, contrast in view.contrasts("move", "throughput")
        if contrast.id not in along and contrast.a.point == contrast.b.point
    ]
    lines = list[Sentence]()
    for path, found in told_first(view):
        busy = next((each for each in alone if _busy(view, each[1], found)), None)
        if busy:
            alone.remove(busy)
        behind = busy is not None and (busy[1].ratio or 0.0) < 1
        crossed = crossover_sentence(view, path, found, again=behind)
        lines.append((*busy_sentence(view, busy), *crossed, *threads_sentence(view, found)))
    lines += [contrast_sentence(view, *each) for each in alone]
    if len(lines) <= MOVES:
        return lines
    return [*lines[:MOVES], view.language.say("move.more_below", count=len(lines) - MOVES)]


def _busy(view: View, contrast: ContrastResult, found: Crossover) -> bool:
    """Whether it compares the pair of a crossover without a wait, and is decided."""
    place = view.places.get(contrast.a.point)
    pair = contrast.a.target, contrast.b.target
    return bool(place and place.wait_s == 0 and pair == (found.a, found.b) and contrast.verdict in REAL)


def _real(view: View) -> list[Sentence]:
    """How much is decided, and what the A/A control says of that; each control that is odd comes after it."""
    say, controls = view.language.say, view.controls()
    verdicts: list[Verdict] = [contrast.verdict for _, contrast in view.contrasts()]
    lines: list[Sentence] = []
    known = [(abs(math.log(c.ratio)), path, c) for path, c in controls if c.ratio is not None]
    if not controls:
        lines.append(say("real.control_missing"))
    elif len(controls) > 1 and known:
        _, path, widest = max(known, key=lambda each: each[0])
        differing = sum(contrast.verdict in REAL for _, contrast in controls)
        fields: Fields = {"count": len(controls), "differing": differing, "widest": shown(widest, path, "ratio", apart)}
        lines.append(say("real.controls_differ" if differing else "real.controls", **fields))
    for path, contrast in controls:
        differs = contrast.verdict in DIFFERENT
        if differs or len(controls) == 1 or not known:
            tail = say("real.control_differs") if differs else ()
            lines.append((*say("real.control", sentence=contrast_sentence(view, path, contrast)), *tail))
    if verdicts:
        lines[0] = (*noise(view, verdicts), " ", *lines[0])
    return lines
