"""The four answers at the top of the report: which contrasts bear on a question, and which sentence words them."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

from harness.analyse.cells import FLOOR
from harness.analyse.summary import ContrastResult, Verdict
from harness.model import Question
from harness.render.crossings import crossover_sentence, told_first
from harness.render.language.catalogue import Field
from harness.render.numbers import Sentence, measured, microseconds, share, times
from harness.render.sentences import APART, contrast_sentence, difference_interval, noise, tally
from harness.render.view import Place, View

Numbered = tuple[int, ContrastResult]
MOVES = 8
"""The most sentences on crossovers that the answers hold; the section has all."""
DATABASE = "io-db"
"""The scenario whose waits are a database's: of all waits the one that most people have."""
SLEEP = "io-sleep"
"""The scenario whose waits cost no CPU: what it stands for is said beside it."""
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
    found: tuple[tuple[Question, list[Sentence]], ...] = (
        ("pick", _pick(view)),
        ("move", _move(view)),
        ("validate", _validate(view)),
        ("real", _real(view)),
    )
    return tuple(_answer(question, lines or [_nothing(view, question)]) for question, lines in found)


def _answer(question: Question, lines: list[Sentence]) -> Answer:
    return Answer(question, lines[0], tuple(lines[1:]))


def _nothing(view: View, question: Question) -> Sentence:
    return view.language.say("real.nothing", question=view.language.text(f"questions.{question}"))


def _pick(view: View) -> list[Sentence]:
    """First the point without a wait that was planned first and the one that waits the most, then all others."""
    busy = [place for place in view.places.values() if view.question(place) == "pick"]
    waiting = sorted(
        (place for place in view.places.values() if view.question(place) == "move" and place.wait_s > 0),
        key=lambda place: (place.scenario != DATABASE, -place.concurrency, -place.wait_s),
    )
    first = [_leader(view, place) for place in (*busy[:1], *waiting[:1])]
    told = [line for lines in first for line in lines]
    headline = [tuple(part for line in told for part in (*line, " "))[:-1]] if told else []
    return headline + [line for place in (*busy[1:], *waiting[1:]) for line in _leader(view, place)]


def _leader(view: View, place: Place) -> list[Sentence]:
    """The highest throughput of a framework at a point, and who cannot be told from it."""
    say = view.language.say
    ranked = sorted(
        (
            (found[1].throughput_rps.value, target.name, found[0])
            for target in view.targets.values()
            if not target.twin_of
            and target.framework != FLOOR
            and (found := view.cell(target.name, place.id))
            and found[1].status == "ok"
            and found[1].throughput_rps
        ),
        key=lambda row: (-row[0], row[1]),
    )
    if not ranked:
        return []
    _, name, index = ranked[0]
    estimate = view.summary.cells[index].throughput_rps
    if estimate is None:
        return []
    rate = measured(estimate, f"cells.{index}.throughput_rps")
    half = say("pick.half", half=rate.half) if rate.half else ()
    top = say("pick.highest", where=_where(view, place), target=name, value=rate.value, half=half)
    if len(ranked) == 1:
        return [(*top, *say("pick.unchallenged"))]
    second = ranked[1][1]
    for number, contrast in view.contrasts(metric="throughput"):
        pair = {contrast.a.target, contrast.b.target}
        if contrast.a.point == contrast.b.point == place.id and pair == {name, second}:
            return [(*top, *contrast_sentence(view, number, contrast, located=False))]
    return [(*top, *_tied(view, place, name, index))]


def _where(view: View, place: Place) -> str:
    """The point, with its wait in words."""
    if not place.wait_s:
        return view.where(place.id)
    wait = f"{place.wait_s * 1e3:g}"
    params = "".join(f", {key}={value}" for key, value in place.params.items() if key != "ms")
    stands = view.language.text("pick.stands") if place.scenario == SLEEP else ""
    shared = {"scenario": place.scenario, "params": params, "wait": wait, "stands": stands}
    return view.language.text("pick.waiting", count=place.concurrency, **shared)


def _tied(view: View, place: Place, name: str, index: int) -> Sentence:
    """Whom the leader shares its letter with: the run's own comparison of every pair at a point."""
    letter = view.summary.cells[index].tie_group
    if not letter:
        return view.language.say("pick.not_compared", target=name)
    tied = [
        target.name
        for target in view.targets.values()
        if target.name != name and (found := view.cell(target.name, place.id)) and found[1].tie_group == letter
    ]
    if not tied:
        return view.language.say("pick.clear", target=name)
    more = view.language.text("pick.more_tied", count=len(tied) - TIED) if len(tied) > TIED else ""
    return view.language.say("pick.tied", target=name, others=", ".join(tied[:TIED]), more=more)


def _move(view: View) -> list[Sentence]:
    """The crossovers, the usual concurrency first, and the contrasts that were measured at one wait alone."""
    found = view.summary.crossovers
    told = [crossover_sentence(view, index, each) for index, each in told_first(found)]
    along = {key for each in found for key in each.contrasts}
    alone = [
        contrast_sentence(view, index, contrast)
        for index, contrast in view.contrasts("move", "throughput")
        if contrast.id not in along and contrast.a.point == contrast.b.point
    ]
    lines = [*told, *alone]
    if len(lines) <= MOVES:
        return lines
    return [*lines[:MOVES], view.language.say("move.more_below", count=len(lines) - MOVES)]


def _validate(view: View) -> list[Sentence]:
    """One sentence per step (two points of one target), over all targets."""
    steps: dict[tuple[str, str], list[Numbered]] = defaultdict(list)
    for index, contrast in view.contrasts("validate", "cpu_cost"):
        if contrast.a.target == contrast.b.target:
            steps[contrast.a.point, contrast.b.point].append((index, contrast))
    return [_step(view, a, b, rows) for (a, b), rows in steps.items()]


def _step(view: View, a: str, b: str, rows: list[Numbered]) -> Sentence:
    say = view.language.say
    step = view.step(a, b)
    shown = [(i, c, c.difference) for i, c in rows if c.verdict in APART and c.difference is not None]
    others = tally(view, [contrast.verdict for _, contrast in rows])
    if not shown:
        return say("validate.open", step=step, others=others)
    ordered = sorted(shown, key=lambda row: row[2])
    low, high = (microseconds(added, f"contrasts.{i}.difference") for i, _, added in (ordered[0], ordered[-1]))
    below = "" if low.value >= 0 else "_below"
    least, most = (c.a.target for _, c, _ in (ordered[0], ordered[-1]))
    if len(shown) > 1:
        ends: dict[str, Field] = {"low": low, "high": high, "low_target": least, "high_target": most}
        return say(f"validate.range{below}", step=step, others=others, **ends)
    index, contrast, _ = shown[0]
    interval = difference_interval(view, contrast, f"contrasts.{index}")
    return say(f"validate.single{below}", step=step, added=low, interval=interval, target=least, others=others)


def _real(view: View) -> list[Sentence]:
    say = view.language.say
    controls = view.controls()
    verdicts: list[Verdict] = [contrast.verdict for _, contrast in view.contrasts()]
    lines: list[Sentence] = []
    measured_controls = [(i, c, c.ratio) for i, c in controls if c.ratio is not None]
    if not controls:
        lines.append(say("real.control_missing"))
    elif len(controls) > 1 and measured_controls:
        index, _, ratio = max(measured_controls, key=lambda row: abs(math.log(row[2])))
        widest = times(ratio, f"contrasts.{index}.ratio")
        outcome = _outcome(view, [contrast.verdict for _, contrast in controls])
        lines.append(say("real.controls", count=len(controls), listed=outcome, widest=widest))
    for index, contrast in controls:
        differs = contrast.verdict in ("different", "different-size-open")
        if differs or len(controls) == 1 or not measured_controls:
            tail = say("real.control_differs") if differs else ()
            lines.append((*say("real.control", sentence=contrast_sentence(view, index, contrast)), *tail))
    if verdicts:
        lines.append(noise(view, verdicts, share(view.summary.margin, "margin")))
    return lines


def _outcome(view: View, verdicts: list[Verdict]) -> str:
    words = view.language.names("verdicts")
    counted = [(words[kind], sum(verdict == kind for verdict in verdicts)) for kind in words]
    return "; ".join(
        view.language.text("real.controls_part", words=text, count=count) for text, count in counted if count
    )
