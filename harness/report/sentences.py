"""How a contrast and its parts are put into words; the words themselves are in ``language/``.

No sentence claims more than the verdict it words: what is not significant is never called equal, and what is undecided
is called so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from harness.model.units import format_duration
from harness.report.language.catalogue import ENGLISH, Field, Language
from harness.report.numbers import (
    Format,
    Placed,
    Sentence,
    Show,
    by,
    count,
    joined,
    microseconds,
    percent,
    rough,
    share,
    shown,
    signed,
    thousands,
    times,
)
from harness.report.view import View
from harness.results.summary import ContrastResult, LadderStep, Summary, Verdict
from harness.stats.estimate import REAL

NAMED = 4
"""The most targets that a sentence names of those that a verdict leaves open."""
_UNIT = re.compile(r"ms|[hms]")
ENDS = ("ci_low", "ci_high")
Fields = dict[str, Field]
ADDED = {"difference": microseconds, "instructions": thousands}
"""What a step adds, and how that is written."""

BADGES = ENGLISH.names("badges")
VERDICTS = ENGLISH.names("verdicts")
HOLDS = ENGLISH.text("page.holds")
"""English words for what has no page: the terminal, and ``harness versus``."""


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


def contrast_sentence(view: View, path: str, contrast: ContrastResult, *, single: bool = False) -> Sentence:
    """The result of one contrast, in the words of its verdict; ``single``: not where, but what would decide it."""
    a, b, where = parties(view, contrast)
    fields: Fields = {
        "a": a,
        "b": b,
        "at": "" if single else view.say("contrast.at", where=where),
        "metric": view.text(f"metrics.{contrast.metric}"),
        "margin": share(contrast.margin, f"{path}.margin"),
    }
    if contrast.verdict == "not-measurable" or contrast.ratio is None:
        because: Field = ""
        if contrast.reasons:
            # The first, and how many there are besides; the table of contrasts has all.
            first, *others = contrast.reasons
            reason = first.plus(more=len(others)) if others else first
            because = view.say("contrast.because", reason=view.language.reason(reason))
        return view.say("contrast.not-measurable", because=because, **fields)
    if contrast.verdict in REAL:
        claim = _claim(view, contrast.ratio, contrast, path, fields)
        return view.say(f"contrast.{contrast.verdict}", claim=claim, **fields)
    fields |= {"ratio": times(contrast.ratio, f"{path}.ratio"), "interval": interval(view, contrast, path, times)}
    if contrast.verdict == "same":
        return view.say("contrast.same", **fields)
    needed = _needed(view, [(path, contrast)]) if single else ""
    return view.say("contrast.undecided", count=contrast.blocks, needed=needed, **fields)


def parties(view: View, contrast: ContrastResult) -> tuple[str, str, str]:
    """The two names and what they have in common."""
    a, b = contrast.a, contrast.b
    if a.point == b.point:
        return view.name(a.target), view.name(b.target), view.where(a.point)
    if a.target == b.target:
        return view.where(a.point), view.where(b.point), view.text("where.on", target=view.name(a.target))
    one, two = (view.text("where.side", target=view.name(each.target), point=view.where(each.point)) for each in (a, b))
    return one, two, view.text("where.across")


def interval(
    view: View, part: object, path: str, show: Show, ends: Sequence[str] = ENDS, text: str = "contrast.interval"
) -> Sentence:
    """`` [19, 24]``, or what else ``text`` makes of two fields of a part of the summary; empty where one is missing."""
    low, high = (shown(part, path, end, show) for end in ends)
    return () if low is None or high is None else view.say(text, low=low, high=high)


def difference_interval(
    view: View, result: ContrastResult | LadderStep, path: str, text: str = "contrast.interval"
) -> Sentence:
    """In the metric's unit."""
    return interval(view, result, path, microseconds, ("difference_low", "difference_high"), text)


def listed(view: View, each: Sequence[Sentence]) -> Sentence:
    """``A, B and C``; of many the first, and how many more."""
    said, text = list(each[:NAMED]), view.text
    if len(each) > NAMED:
        return (*joined(", ", said), text("pick.more", count=len(each) - NAMED))
    return joined(text("pick.and"), [joined(", ", said[:-1]), said[-1]] if said[1:] else said)


def extremes(view: View, rows: Iterable[Placed[Any]], name: str, show: Show) -> Fields:
    """Fields of a text: the targets with the lowest and the highest figure under ``name``; empty for fewer than two."""
    ranked = sorted(rows, key=by(name))
    if len(ranked) < 2:
        return {}
    (low, first), (high, last) = ranked[0], ranked[-1]
    fields: Fields = {"first": view.name(first.target), "last": view.name(last.target)}
    return fields | {"lowest": shown(first, low, name, show), "highest": shown(last, high, name, show)}


def size(view: View, verdict: Verdict) -> str:
    """``; size not settled`` – what the verdict leaves open of a difference."""
    return view.language.texts.get(f"contrast.size_{verdict}", "")


def margins(view: View) -> Sentence:
    """``±12% (waits: ±28–31%)``: at waits the noise, and so the margin, is of another kind."""
    waits: Sentence = ()
    margin = share(view.summary.margin, "margin")
    waiting = sorted(
        (contrast.margin, path)
        for path, contrast in view.contrasts()
        if (place := view.places.get(contrast.a.point)) and place.wait_s > 0
    )
    if waiting:
        low, high = (percent(value, f"{path}.margin") for value, path in (waiting[0], waiting[-1]))
        if not low.text == high.text == margin.text.removesuffix("%"):
            waits = view.say("real.margin_wait" if low.text == high.text else "real.margin_waits", low=low, high=high)
    return view.say("real.margin", margin=margin, waits=waits)


def tally(view: View, verdicts: Sequence[Verdict]) -> str:
    """``; no difference at the margin for 2; undecided for 1`` – what a range of decided contrasts leaves out."""
    counted = [(kind, verdicts.count(kind)) for kind in ("same", "undecided", "not-measurable")]
    said = ((view.text(f"verdicts.{kind}"), number) for kind, number in counted if number)
    return "".join(view.text("real.tally", words=words, count=number) for words, number in said)


def noise(view: View) -> Sentence:
    """How many of the contrasts have which verdict, and what would decide those that are open; empty without any."""
    text, contrasts = view.text, view.contrasts()
    verdicts = [contrast.verdict for _, contrast in contrasts]
    kinds = [(f"real.noise_{kind}", verdicts.count(kind)) for kind in ("different-size-open", "small")]
    how = [text(key, count=number) for key, number in kinds if number]
    lost = verdicts.count("not-measurable")
    if not contrasts:
        return ()
    return view.say(
        "real.noise",
        count=len(verdicts),
        differing=sum(verdict in REAL for verdict in verdicts),
        how=text("real.noise_how", listed=", ".join(how)) if how else "",
        same=verdicts.count("same"),
        margin=margins(view),
        lost=text("real.noise_not-measurable", count=lost) if lost else "",
        undecided=verdicts.count("undecided"),
        needed=_needed(view, contrasts),
    )


def _needed(view: View, contrasts: Sequence[Placed[ContrastResult]]) -> Sentence:
    """How many blocks would decide half of those that are undecided."""
    open_ = [each for each in contrasts if each[1].verdict == "undecided"]
    if not open_:
        return ()
    ordered = sorted(open_, key=lambda each: each[1].blocks_needed or math.inf)
    path, middle = ordered[(len(ordered) - 1) // 2]
    blocks = count(middle.blocks_needed, f"{path}.blocks_needed")
    if blocks is None or blocks.value <= view.summary.blocks:
        return view.say("real.needed_unknown")
    return view.say("real.needed" if open_[1:] else "real.needed_one", blocks=blocks)


def _claim(view: View, ratio: float, contrast: ContrastResult, path: str, shared: Fields) -> Sentence:
    """``A uses 12% [9.1, 15] more CPU per request than B``, or ``2.4 [2.3, 2.5] times the CPU per request of B``."""
    say = view.say
    if not 0.5 <= ratio < 2:
        value, ends = rough(ratio, f"{path}.ratio"), interval(view, contrast, path, rough)
        return say(f"contrast.times_{contrast.metric}", value=value, interval=ends, **shared)
    sign, word, *names = (1, "more", "ci_low", "ci_high") if ratio >= 1 else (-1, "less", "ci_high", "ci_low")
    show = Format(lambda end: signed(sign * (end - 1) * 100))
    value = Format(lambda end: f"{show.text(end)}%")(ratio, f"{path}.ratio")
    ends = interval(view, contrast, path, show, names)
    return say(f"contrast.{word}_{contrast.metric}", value=value, interval=ends, **shared)
