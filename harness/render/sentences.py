"""How a contrast and its parts are put into words; the words themselves are in ``language/``.

No sentence claims more than the verdict it words: what is not significant is never called equal, and what is undecided
is called so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime

from harness.analyse.summary import ContrastResult, Summary, Verdict
from harness.render.language.catalogue import ENGLISH, Field, Language
from harness.render.numbers import Figure, Sentence, excess, microseconds, plain, share, times
from harness.render.view import View
from harness.units import format_duration, significant

_UNIT = re.compile(r"ms|[hms]")
Fields = dict[str, Field]
__all__ = ["APART", "Sentence", "contrast_sentence", "parties", "plain", "title"]

BADGES = ENGLISH.names("badges")
VERDICTS = ENGLISH.names("verdicts")
METRICS = ENGLISH.names("metrics")
QUESTIONS = ENGLISH.names("questions")
HOLDS = ENGLISH.text("page.holds")
"""English words for what has no page: the terminal, and ``harness versus``."""
APART: frozenset[Verdict] = frozenset({"different", "different-size-open", "small"})
"""The verdicts that say that there is a difference."""


def title(summary: Summary, language: Language = ENGLISH) -> str:
    """The run's name, or the day on which it was made."""
    if summary.name:
        return summary.name
    try:
        day = datetime.fromisoformat(summary.created_at)
    except ValueError:
        return summary.run
    month = language.text(f"months.{day.month}")
    return language.text("page.title", day=str(day.day), month=month, year=str(day.year))


def duration(seconds: float, language: Language = ENGLISH) -> str:
    """``3m 20s``, with the units as the language writes them."""
    return _UNIT.sub(lambda unit: language.text(f"duration.{unit[0]}"), format_duration(seconds))


def contrast_sentence(view: View, index: int, contrast: ContrastResult, *, located: bool = True) -> Sentence:
    """What one contrast came to, in the words of its verdict; ``located`` False leaves out where it was measured."""
    language, path = view.language, f"contrasts.{index}"
    a, b, where = parties(view, contrast)
    shared: Fields = {
        "a": a,
        "b": b,
        "at": language.say("contrast.at", where=where) if located else "",
        "metric": language.text(f"metrics.{contrast.metric}"),
    }
    if contrast.verdict == "not-measurable" or contrast.ratio is None:
        because = _because(language, contrast.reason) if contrast.reason else ""
        return language.say("contrast.not-measurable", because=because, **shared)
    margin = share(contrast.margin, f"{path}.margin")
    if contrast.verdict in APART:
        return language.say(f"contrast.{contrast.verdict}", claim=_claim(view, contrast, path, shared), margin=margin)
    ratio: Fields = {
        "ratio": times(contrast.ratio, f"{path}.ratio"),
        "interval": _interval(view, contrast, path, times),
    }
    if contrast.verdict == "same":
        return language.say("contrast.same", margin=margin, **ratio, **shared)
    needed = _needed(language, contrast, path)
    return language.say("contrast.undecided", count=contrast.blocks, needed=needed, **ratio, **shared)


def parties(view: View, contrast: ContrastResult) -> tuple[str, str, str]:
    """The two names and what they have in common."""
    a, b, language = contrast.a, contrast.b, view.language
    if a.point == b.point:
        return a.target, b.target, view.where(a.point)
    if a.target == b.target:
        return view.where(a.point), view.where(b.point), language.text("where.on", target=a.target)
    one, two = (language.text("where.side", target=side.target, point=view.where(side.point)) for side in (a, b))
    return one, two, language.text("where.across")


def difference_interval(view: View, contrast: ContrastResult, path: str) -> Sentence:
    """`` [19, 24]`` in the metric's unit; empty where there is none."""
    if contrast.difference_low is None or contrast.difference_high is None:
        return ()
    low = microseconds(contrast.difference_low, f"{path}.difference_low")
    high = microseconds(contrast.difference_high, f"{path}.difference_high")
    return view.language.say("contrast.interval", low=low, high=high)


def tally(view: View, verdicts: Sequence[Verdict]) -> str:
    """``; no difference at the margin for 2; undecided for 1`` – what a range of decided contrasts leaves out."""
    language = view.language
    kinds = ("same", "undecided", "not-measurable")
    counted = [(language.text(f"verdicts.{kind}"), sum(verdict == kind for verdict in verdicts)) for kind in kinds]
    return "".join(language.text("real.tally", words=words, count=count) for words, count in counted if count)


def noise(view: View, verdicts: Sequence[Verdict], margin: Figure) -> Sentence:
    """How many of the contrasts came to which verdict."""
    apart = sum(verdict in APART for verdict in verdicts)
    return view.language.say("real.noise", count=len(verdicts), apart=apart, margin=margin, rest=tally(view, verdicts))


def _claim(view: View, contrast: ContrastResult, path: str, shared: Fields) -> Sentence:
    """``A uses 12% [9.1, 15] more CPU per request than B``, or ``2.4 [2.3, 2.5] times the CPU per request of B``."""
    ratio = 1.0 if contrast.ratio is None else contrast.ratio
    if not 0.5 <= ratio < 2:
        interval = _interval(view, contrast, path, lambda end, at: Figure(significant(end), end, at))
        value = Figure(significant(ratio), ratio, f"{path}.ratio")
        return view.language.say(f"contrast.times_{contrast.metric}", value=value, interval=interval, **shared)
    sign = 1 if ratio >= 1 else -1
    interval = _interval(view, contrast, path, lambda end, at: excess(end, at, sign=sign), reverse=sign < 0)
    distance = excess(ratio, f"{path}.ratio", sign=sign)
    value = Figure(f"{distance.text}%", distance.value, distance.path)
    word = "more" if sign > 0 else "less"
    return view.language.say(f"contrast.{word}_{contrast.metric}", value=value, interval=interval, **shared)


def _interval(
    view: View,
    contrast: ContrastResult,
    path: str,
    show: Callable[[float, str], Figure],
    *,
    reverse: bool = False,
) -> Sentence:
    if contrast.ci_low is None or contrast.ci_high is None:
        return ()
    ends = [show(contrast.ci_low, f"{path}.ci_low"), show(contrast.ci_high, f"{path}.ci_high")]
    low, high = reversed(ends) if reverse else ends
    return view.language.say("contrast.interval", low=low, high=high)


def _because(language: Language, reason: str) -> Sentence:
    """The first reason, and how many there are besides; the table of contrasts has all."""
    first, *others = reason.split("; ")
    more = language.text("contrast.because_more", count=len(others)) if others else ""
    return language.say("contrast.because", reason=language.reason(first), more=more)


def _needed(language: Language, contrast: ContrastResult, path: str) -> Sentence:
    if contrast.blocks_needed is None:
        return language.say("contrast.needed_unknown")
    needed = Figure(f"{contrast.blocks_needed:,}", contrast.blocks_needed, f"{path}.blocks_needed")
    return language.say("contrast.needed", blocks=needed)
