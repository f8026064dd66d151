"""Every generated English sentence of report, terminal and Markdown; another language would be another such module.

A sentence is a tuple of text and figures, so that each rendering can mark the numbers up in its own way. None claims
more than the verdict it words: what is not significant is never called equal, and what is undecided is called so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from harness.analyse.summary import Badge, ContrastResult, Summary, Verdict
from harness.model import Metric
from harness.render.numbers import Figure, Measured, excess, microseconds, share, times
from harness.render.view import Place, View
from harness.units import significant

Sentence = tuple[str | Figure, ...]

BADGES: dict[Badge, str] = {"sound": "Sound", "warnings": "Sound with warnings", "do-not-cite": "Do not cite"}
VERDICTS: dict[Verdict, str] = {
    "different": "differs by at least the margin",
    "different-size-open": "differs, size not pinned down",
    "small": "real but smaller than the margin",
    "same": "no difference at the margin",
    "undecided": "undecided",
    "not-measurable": "not measurable",
}
METRICS: dict[Metric, str] = {"cpu_cost": "CPU per request", "throughput": "requests per second"}
QUESTIONS = {
    "pick": "Which one should I pick?",
    "move": "Does moving from WSGI to ASGI pay?",
    "validate": "What does validation cost?",
    "real": "Is the difference real?",
    "ladder": "Which layer costs what?",
}
HOLDS = "Holds for this machine, at this concurrency."
APART: frozenset[Verdict] = frozenset({"different", "different-size-open", "small"})
"""The verdicts that say that there is a difference."""


def title(summary: Summary) -> str:
    """The run's name, or the day on which it was made."""
    if summary.name:
        return summary.name
    try:
        day = datetime.fromisoformat(summary.created_at)
    except ValueError:
        return summary.run
    return f"Frameworks and servers, {day.day} {day:%B %Y}"


def plain(sentence: Sentence) -> str:
    """The sentence as text."""
    return "".join(part if isinstance(part, str) else part.text for part in sentence)


def contrast_sentence(view: View, index: int, contrast: ContrastResult, *, located: bool = True) -> Sentence:
    """What one contrast came to, in the words of its verdict; ``located`` False leaves out where it was measured."""
    path = f"contrasts.{index}"
    a, b, where = parties(view, contrast)
    at = f", {where}" if located else ""
    about = f"{METRICS[contrast.metric]}{at}"
    margin = share(contrast.margin, f"{path}.margin")
    if contrast.verdict == "not-measurable" or contrast.ratio is None:
        return (f"Not measurable: {a} against {b} in {about}", f" ({contrast.reason})." if contrast.reason else ".")
    if contrast.verdict == "same":
        return ("No difference at ±", margin, f" between {a} and {b} in {about}: ratio ", *_ratio(contrast, path), ".")
    if contrast.verdict == "undecided":
        return (
            f"Undecided whether {a} and {b} differ in {about}: ratio ",
            *_ratio(contrast, path),
            f" after {_count(contrast.blocks, 'block')}; ",
            *_needed(contrast, path),
            ".",
        )
    sentence = (f"{a} {_verb(contrast.metric)} ", *comparison(contrast, path), f" {b}{at}")
    if contrast.verdict == "small":
        return (*sentence, ": real, but smaller than the margin of ", margin, ".")
    if contrast.verdict == "different-size-open":
        return (*sentence, "; that it differs is clear, by how much is not pinned down.")
    return (*sentence, ".")


def comparison(contrast: ContrastResult, path: str) -> Sentence:
    """``12% [9.1, 15] more CPU per request than``, or ``2.4 [2.3, 2.5] times the CPU per request of``."""
    noun = METRICS[contrast.metric]
    ratio = 1.0 if contrast.ratio is None else contrast.ratio
    if not 0.5 <= ratio < 2:
        value = Figure(significant(ratio), ratio, f"{path}.ratio")
        ends = _interval(contrast, path, lambda end, at: Figure(significant(end), end, at))
        return (value, *ends, f" times the {noun} of")
    if ratio >= 1:
        word = "more"
        ends = _interval(contrast, path, excess)
    else:
        word = "less" if contrast.metric == "cpu_cost" else "fewer"
        ends = _interval(contrast, path, lambda end, at: excess(end, at, sign=-1), reverse=True)
    value = excess(ratio, f"{path}.ratio", sign=1 if ratio >= 1 else -1)
    return (Figure(f"{value.text}%", value.value, value.path), *ends, f" {word} {noun} than")


def highest(view: View, place: Place, target: str, throughput: Measured) -> Sentence:
    """Names the largest measured value and claims nothing about the others."""
    half: Sentence = (" ± ", throughput.half) if throughput.half else ()
    return (
        f"Highest measured throughput for {view.where(place.id)}: {target}, ",
        throughput.value,
        *half,
        " requests per second. ",
    )


def not_compared(target: str, other: str) -> Sentence:
    return (f"No contrast of this run compares it with the next, {other}, so whether {target} leads is open.",)


def unchallenged() -> Sentence:
    return ("No other target was measured there.",)


def overtakes(a: str, b: str, below_ms: float, above_ms: float, setting: str, ahead_below: bool) -> Sentence:
    """A is ahead from ``above_ms`` on; at ``below_ms`` B was (``ahead_below``), or the two did not differ."""
    verb = "overtakes" if ahead_below else "draws ahead of"
    return (f"{a} {verb} {b} in throughput between {_ms(below_ms)} and {_ms(above_ms)} of I/O wait, {setting}.",)


def ahead_from(a: str, b: str, first_ms: float, last_ms: float, setting: str, open_below: bool) -> Sentence:
    """A is ahead at all waits from ``first_ms`` to ``last_ms``; ``open_below``: smaller waits are undecided."""
    tail = "; at shorter waits it is undecided or not measurable" if open_below else ""
    return (f"{a} answers more requests per second than {b} {_waits(first_ms, last_ms)}, {setting}{tail}.",)


def behind_throughout(a: str, b: str, first_ms: float, last_ms: float, setting: str) -> Sentence:
    return (f"{a} answers fewer requests per second than {b} {_waits(first_ms, last_ms)}, {setting}.",)


def no_crossover(a: str, b: str, setting: str, words: Sequence[tuple[float, str]]) -> Sentence:
    """Wait by wait, for what no simpler sentence covers; ``words`` are wait in ms and the verdict's words."""
    listed = "; ".join(f"{_ms(wait)}: {word}" for wait, word in words)
    return (f"No crossover to report for {a} against {b} in throughput, {setting}: {listed}.",)


def step_range(step: str, low: tuple[str, Figure], high: tuple[str, Figure], others: str) -> Sentence:
    """The least and the most that a step costs, over the targets for which a contrast shows that it costs anything."""
    verb = "adds" if low[1].value >= 0 else "changes the cost by"
    return (f"{step} {verb} ", low[1], f" µs ({low[0]}) to ", high[1], f" µs ({high[0]}) of CPU per request{others}.")


def step_single(step: str, target: str, added: Figure, interval: Sentence, others: str) -> Sentence:
    verb = "adds" if added.value >= 0 else "changes the cost by"
    return (f"{step} {verb} ", added, " µs", *interval, f" of CPU per request for {target}{others}.")


def step_open(step: str, others: str) -> Sentence:
    return (f"Whether {step} adds CPU per request was not shown for any target{others}.",)


def interval_us(contrast: ContrastResult, path: str) -> Sentence:
    if contrast.difference_low is None or contrast.difference_high is None:
        return ()
    low = microseconds(contrast.difference_low, f"{path}.difference_low")
    return (" [", low, ", ", microseconds(contrast.difference_high, f"{path}.difference_high"), "]")


def tally(verdicts: Sequence[Verdict]) -> str:
    """``; no difference at the margin for 2; undecided for 1`` – what a range of decided contrasts leaves out."""
    counted = [(VERDICTS[kind], verdicts.count(kind)) for kind in ("same", "undecided", "not-measurable")]
    return "".join(f"; {words} for {count}" for words, count in counted if count)


def control_missing() -> Sentence:
    return ("This run has no A/A control, so nothing shows how large a difference its noise can feign.",)


def controls(verdicts: Sequence[Verdict], widest: Figure) -> Sentence:
    """Several controls at once; ``widest`` is the ratio farthest from one among them."""
    parts = [f"{VERDICTS[kind]} for {verdicts.count(kind)}" for kind in VERDICTS if verdicts.count(kind)]
    return (
        f"A/A control, one target under two names, compared {_count(len(verdicts), 'time')}: {'; '.join(parts)}. "
        "The ratio farthest from 1 is ",
        widest,
        ".",
    )


def noise(verdicts: Sequence[Verdict], margin: Figure) -> Sentence:
    """How many of the contrasts came to which verdict."""
    apart = sum(verdicts.count(kind) for kind in APART)
    rest = tally(verdicts)
    return (f"Of {_count(len(verdicts), 'contrast')}, {apart} show a real difference (margin ±", margin, f"){rest}.")


def control_differs() -> Sentence:
    return (" One target differs from itself here: treat differences of that size as noise.",)


def nothing_measured(question: str) -> Sentence:
    return (f"This run measured nothing that answers “{QUESTIONS[question]}”.",)


def parties(view: View, contrast: ContrastResult) -> tuple[str, str, str]:
    """The two names and what they have in common."""
    a, b = contrast.a, contrast.b
    if a.point == b.point:
        return a.target, b.target, view.where(a.point)
    if a.target == b.target:
        return view.where(a.point), view.where(b.point), f"on {a.target}"
    return f"{a.target} ({view.where(a.point)})", f"{b.target} ({view.where(b.point)})", "across points"


def _verb(metric: Metric) -> str:
    return "uses" if metric == "cpu_cost" else "answers"


def _ratio(contrast: ContrastResult, path: str) -> Sentence:
    ratio = 1.0 if contrast.ratio is None else contrast.ratio
    return (times(ratio, f"{path}.ratio"), *_interval(contrast, path, times))


def _interval(
    contrast: ContrastResult, path: str, show: Callable[[float, str], Figure], *, reverse: bool = False
) -> Sentence:
    if contrast.ci_low is None or contrast.ci_high is None:
        return ()
    ends = [show(contrast.ci_low, f"{path}.ci_low"), show(contrast.ci_high, f"{path}.ci_high")]
    first, last = reversed(ends) if reverse else ends
    return (" [", first, ", ", last, "]")


def _needed(contrast: ContrastResult, path: str) -> Sentence:
    if contrast.blocks_needed is None:
        return ("how many blocks would decide it cannot be told yet",)
    needed = Figure(f"{contrast.blocks_needed:,}", contrast.blocks_needed, f"{path}.blocks_needed")
    return ("about ", needed, " blocks in all would decide it")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:g} ms"


def _waits(first_ms: float, last_ms: float) -> str:
    if first_ms == last_ms:
        return f"at {_ms(first_ms)} of I/O wait"
    return f"at every measured I/O wait from {_ms(first_ms)} to {_ms(last_ms)}"
