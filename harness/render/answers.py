"""The four answers at the top of the report: which contrasts bear on a question, and which sentence words them."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

from harness.analyse.summary import ContrastResult, Verdict
from harness.model import Question
from harness.render import sentences
from harness.render.numbers import measured, microseconds, share, times
from harness.render.sentences import APART, Sentence, contrast_sentence
from harness.render.view import Place, View

Numbered = tuple[int, ContrastResult]
FLOOR = "raw"
"""The framework of the raw apps: a floor to measure from, nothing to pick."""


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
    return tuple(_answer(question, lines or [sentences.nothing_measured(question)]) for question, lines in found)


def _answer(question: Question, lines: list[Sentence]) -> Answer:
    return Answer(question, lines[0], tuple(lines[1:]))


def _pick(view: View) -> list[Sentence]:
    return [line for place in view.places.values() if view.question(place) == "pick" for line in _leader(view, place)]


def _leader(view: View, place: Place) -> list[Sentence]:
    """The highest throughput of a framework at a point, and the contrast with the next highest."""
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
    top = sentences.highest(view, place, name, measured(estimate, f"cells.{index}.throughput_rps"))
    if len(ranked) == 1:
        return [(*top, *sentences.unchallenged())]
    second = ranked[1][1]
    for number, contrast in view.contrasts(metric="throughput"):
        pair = {contrast.a.target, contrast.b.target}
        if contrast.a.point == contrast.b.point == place.id and pair == {name, second}:
            return [(*top, *contrast_sentence(view, number, contrast, located=False))]
    return [(*top, *sentences.not_compared(name, second))]


def _move(view: View) -> list[Sentence]:
    groups: dict[tuple[str, str, int], list[tuple[float, Numbered]]] = defaultdict(list)
    for numbered in view.contrasts("move", "throughput"):
        contrast = numbered[1]
        place = view.places.get(contrast.a.point)
        if place is not None and contrast.a.point == contrast.b.point:
            groups[contrast.a.target, contrast.b.target, place.concurrency].append((place.wait_s * 1e3, numbered))
    busiest_first = sorted(groups.items(), key=lambda item: -item[0][2])
    return [_crossover(view, a, b, count, sorted(rows)) for (a, b, count), rows in busiest_first]


def _crossover(view: View, a: str, b: str, concurrency: int, rows: list[tuple[float, Numbered]]) -> Sentence:
    """The wait from which A is ahead, as the interval between two measured waits; never beyond them."""
    if len(rows) == 1:
        return contrast_sentence(view, *rows[0][1])
    states = [(wait, _direction(contrast)) for wait, (_, contrast) in rows]
    setting = f"at {concurrency} connection{'' if concurrency == 1 else 's'}{_capacity(view, b)}"
    first, last = states[0][0], states[-1][0]
    ahead = len(states)
    while ahead and states[ahead - 1][1] == 1:
        ahead -= 1
    if ahead < len(states):
        above = states[ahead][0]
        below = next(((wait, state) for wait, state in reversed(states[:ahead]) if state is not None), None)
        if below is None:
            return sentences.ahead_from(a, b, above, last, setting, open_below=ahead > 0)
        if below[1] != 1:
            return sentences.overtakes(a, b, below[0], above, setting, ahead_below=below[1] == -1)
    if all(state == -1 for _, state in states):
        return sentences.behind_throughout(a, b, first, last, setting)
    words = [(wait, _words(contrast)) for wait, (_, contrast) in rows]
    return sentences.no_crossover(a, b, setting, words)


def _direction(contrast: ContrastResult) -> int | None:
    """1: A is ahead, −1: B is, 0: no difference at the margin, ``None``: not known."""
    if contrast.verdict in APART and contrast.ratio is not None:
        return 1 if contrast.ratio > 1 else -1
    return 0 if contrast.verdict == "same" else None


def _words(contrast: ContrastResult) -> str:
    direction = _direction(contrast)
    return {1: "more", -1: "fewer"}.get(direction or 0, sentences.VERDICTS[contrast.verdict])


def _capacity(view: View, name: str) -> str:
    target = view.targets.get(name)
    if target is None or target.interface != "wsgi":
        return ""
    return f" with {target.workers * target.threads} worker threads" if target.threads > 1 else " with sync workers"


def _validate(view: View) -> list[Sentence]:
    """One sentence per step (two points of one target), over all targets."""
    steps: dict[tuple[str, str], list[Numbered]] = defaultdict(list)
    for index, contrast in view.contrasts("validate", "cpu_cost"):
        if contrast.a.target == contrast.b.target:
            steps[contrast.a.point, contrast.b.point].append((index, contrast))
    return [_step(view, a, b, rows) for (a, b), rows in steps.items()]


def _step(view: View, a: str, b: str, rows: list[Numbered]) -> Sentence:
    step = view.step(a, b)
    shown = [(i, c, c.difference) for i, c in rows if c.verdict in APART and c.difference is not None]
    others = sentences.tally([contrast.verdict for _, contrast in rows])
    if not shown:
        return sentences.step_open(step, others)
    ordered = sorted(shown, key=lambda row: row[2])
    ends = [(c.a.target, microseconds(added, f"contrasts.{i}.difference")) for i, c, added in (ordered[0], ordered[-1])]
    if len(shown) == 1:
        index, contrast, _ = shown[0]
        interval = sentences.interval_us(contrast, f"contrasts.{index}")
        return sentences.step_single(step, ends[0][0], ends[0][1], interval, others)
    return sentences.step_range(step, ends[0], ends[1], others)


def _real(view: View) -> list[Sentence]:
    controls = view.controls()
    verdicts: list[Verdict] = [contrast.verdict for _, contrast in view.contrasts()]
    lines: list[Sentence] = []
    measured_controls = [(i, c, c.ratio) for i, c in controls if c.ratio is not None]
    if not controls:
        lines.append(sentences.control_missing())
    elif len(controls) > 1 and measured_controls:
        index, _, ratio = max(measured_controls, key=lambda row: abs(math.log(row[2])))
        outcome: list[Verdict] = [contrast.verdict for _, contrast in controls]
        lines.append(sentences.controls(outcome, times(ratio, f"contrasts.{index}.ratio")))
    for index, contrast in controls:
        differs = contrast.verdict in ("different", "different-size-open")
        if differs or len(controls) == 1 or not measured_controls:
            tail = sentences.control_differs() if differs else ()
            lines.append(("A/A control: ", *contrast_sentence(view, index, contrast), *tail))
    if verdicts:
        lines.append(sentences.noise(verdicts, share(view.summary.margin, "margin")))
    return lines
