"""The four answers at the top of the report: which contrasts bear on a question, and which sentence words them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from harness.model import Point, Question
from harness.report.charts.rows import throughput_chart
from harness.report.charts.svg import Chart
from harness.report.crossings import crossover_sentence, told_first
from harness.report.numbers import Placed, Sentence, apart, measured, microseconds, part_at, share, shown, thousands
from harness.report.sentences import APART, Fields, contrast_sentence, difference_interval, noise, tally
from harness.report.view import View
from harness.results.cells import FLOOR
from harness.results.summary import Cell, ContrastResult, Verdict

MOVES = 8
"""The most sentences on crossovers that the answers hold; the section has all."""
DATABASE = "io-db"
"""The scenario whose waits are a database's: of all waits the one that most people have."""
TIED = 4
"""The most targets that a sentence names as not told apart."""


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
        "validate": _validate,
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
    half = say("pick.half", half=rate.half) if rate.half else ()
    top = say("pick.highest", where=view.where(place.id), target=view.name(name), value=rate.value, half=half)
    if len(ranked) == 1:
        return [(*top, *say("pick.unchallenged"))]
    second = ranked[1][1]
    for at, contrast in view.contrasts(metric="throughput"):
        pair = {contrast.a.target, contrast.b.target}
        if contrast.a.point == contrast.b.point == place.id and pair == {name, second}:
            return [(*top, *contrast_sentence(view, at, contrast, located=False))]
    return [(*top, *_tied(view, place, cell))]


def _tied(view: View, place: Point, leader: Cell) -> Sentence:
    """Whom the leader shares its letter with: the run's own comparison of every pair at a point."""
    name, letter, say = leader.target, leader.tie_group, view.language.say
    if not letter:
        return say("pick.not_compared", target=view.name(name))
    cells = [found[1] for target in view.targets if target != name and (found := view.cell(target, place.id))]
    tied = [view.name(cell.target) for cell in cells if cell.tie_group == letter]
    if not tied:
        return say("pick.clear", target=view.name(name))
    more = view.language.text("pick.more_tied", count=len(tied) - TIED) if len(tied) > TIED else ""
    return say("pick.tied", target=view.name(name), others=", ".join(tied[:TIED]), more=more)


def _move(view: View) -> list[Sentence]:
    """The crossovers, the usual concurrency first, and the contrasts that were measured at one wait alone."""
    along = {key for each in view.summary.crossovers for key in each.contrasts}
    alone = [
        contrast_sentence(view, path, contrast)
        for path, contrast in view.contrasts("move", "throughput")
        if contrast.id not in along and contrast.a.point == contrast.b.point
    ]
    lines = [*(crossover_sentence(view, *each) for each in told_first(view)), *alone]
    if len(lines) <= MOVES:
        return lines
    return [*lines[:MOVES], view.language.say("move.more_below", count=len(lines) - MOVES)]


def _validate(view: View) -> list[Sentence]:
    """One sentence per step (two points of one target), over all targets."""
    steps: dict[tuple[str, str], list[Placed[ContrastResult]]] = defaultdict(list)
    for path, contrast in view.contrasts("validate", "cpu_cost"):
        if contrast.a.target == contrast.b.target:
            steps[contrast.a.point, contrast.b.point].append((path, contrast))
    return [_step(view, a, b, rows) for (a, b), rows in steps.items()]


def _step(view: View, a: str, b: str, rows: list[Placed[ContrastResult]]) -> Sentence:
    """In CPU time; where no target shows a difference there, in instructions, which repeat more exactly."""
    fields: Fields = {"step": view.step(a, b), "others": tally(view, [contrast.verdict for _, contrast in rows])}
    told = [(path, c) for path, c in rows if c.verdict in APART and c.difference is not None]
    counted = [(path, c) for path, c in rows if c.instructions is not None]
    if not told and not counted:
        return view.language.say("validate.open", **fields)
    name, show = ("difference", microseconds) if told else ("instructions", thousands)
    ordered = sorted(told or counted, key=lambda row: part_at(row[1], name))
    for end, (path, contrast) in zip(("low", "high"), (ordered[0], ordered[-1]), strict=True):
        fields |= {end: shown(contrast, path, name, show), f"{end}_target": view.name(contrast.a.target)}
    if not told:
        return view.language.say("validate.counted", **fields)
    path, least = ordered[0]
    below = "" if (least.difference or 0.0) >= 0 else "_below"
    if len(told) > 1:
        return view.language.say(f"validate.range{below}", **fields)
    return view.language.say(f"validate.single{below}", interval=difference_interval(view, least, path), **fields)


def _real(view: View) -> list[Sentence]:
    say, controls = view.language.say, view.controls()
    verdicts: list[Verdict] = [contrast.verdict for _, contrast in view.contrasts()]
    lines: list[Sentence] = []
    known = [(abs(math.log(c.ratio)), path, c) for path, c in controls if c.ratio is not None]
    if not controls:
        lines.append(say("real.control_missing"))
    elif len(controls) > 1 and known:
        _, path, widest = max(known, key=lambda each: each[0])
        outcome = _outcome(view, [contrast.verdict for _, contrast in controls])
        lines.append(
            say("real.controls", count=len(controls), listed=outcome, widest=shown(widest, path, "ratio", apart))
        )
    for path, contrast in controls:
        differs = contrast.verdict in ("different", "different-size-open")
        if differs or len(controls) == 1 or not known:
            tail = say("real.control_differs") if differs else ()
            lines.append((*say("real.control", sentence=contrast_sentence(view, path, contrast)), *tail))
    if verdicts:
        told = noise(view, verdicts, share(view.summary.margin, "margin"))
        # Of many controls the first line is one short sentence, which leaves room for the other.
        lines[:1] = [(*lines[0], *told)] if len(controls) > 1 and known else [lines[0], told]
    return lines


def _outcome(view: View, verdicts: list[Verdict]) -> str:
    text, words = view.language.text, view.language.names("verdicts")
    counted = [(said, sum(verdict == kind for verdict in verdicts)) for kind, said in words.items()]
    return "; ".join(text("real.controls_part", words=said, count=found) for said, found in counted if found)
