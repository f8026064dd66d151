"""What a crossover came to, in words: never beyond the waits that were measured."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.analyse.summary import ContrastResult, Crossover
from harness.render.language.catalogue import Field
from harness.render.numbers import Figure, Sentence
from harness.render.sentences import APART
from harness.render.view import View
from harness.units import significant

CENTRE = 64
"""The concurrency that is told first: more connections than most targets have threads."""

Indexed = tuple[int, Crossover]


def told_first(found: Sequence[Crossover]) -> list[Indexed]:
    """By nearness to 64 connections, and then in declared order; with the index into ``summary.crossovers``."""
    return sorted(enumerate(found), key=lambda each: (abs(math.log(each[1].concurrency / CENTRE)), each[0]))


def main_ones(found: Sequence[Crossover]) -> list[Indexed]:
    """Of every pair, scenario and other parameters the one nearest to 64 connections."""
    chosen: dict[tuple[object, ...], Indexed] = {}
    for index, each in told_first(found):
        chosen.setdefault((each.a, each.b, each.scenario, tuple(each.params.items())), (index, each))
    return sorted(chosen.values())


def crossover_sentence(view: View, index: int, found: Crossover) -> Sentence:
    """The wait from which A is ahead, as the interval between two measured waits."""
    say, path = view.language.say, f"crossovers.{index}"
    sides: dict[str, Field] = {"a": found.a, "b": found.b, "setting": setting(view, found)}
    waits = found.waits_ms
    if found.outcome in ("overtakes", "draws-ahead") and found.low_ms is not None and found.high_ms is not None:
        key = "move.overtakes" if found.outcome == "overtakes" else "move.draws_ahead"
        below, above = wait_figure(found.low_ms, f"{path}.low_ms"), wait_figure(found.high_ms, f"{path}.high_ms")
        return say(key, below=below, above=above, estimate=_estimate(view, path, found), **sides)
    if found.outcome == "ahead" and found.high_ms is not None:
        tail = say("move.open_below") if found.high_ms > waits[0] else ""
        return say("move.ahead", waits=_waits(view, found.high_ms, waits[-1]), tail=tail, **sides)
    if found.outcome == "behind":
        return say("move.behind", waits=_waits(view, waits[0], waits[-1]), **sides)
    by_id = {contrast.id: contrast for contrast in view.summary.contrasts}
    listed = [
        view.language.text("move.listed", wait=f"{wait:g}", words=_words(view, by_id[key]))
        for wait, key in zip(waits, found.contrasts, strict=True)
    ]
    return say("move.no_crossover", listed="; ".join(listed), **sides)


def setting(view: View, found: Crossover) -> Sentence:
    """``at 64 connections with 8 worker threads``; the scenario too, where the run has crossovers of several."""
    said = view.language.say("move.setting", count=found.concurrency, capacity=_capacity(view, found.b))
    if len({(each.scenario, *each.params.items()) for each in view.summary.crossovers}) < 2:
        return said
    params = "".join(f", {key}={value}" for key, value in found.params.items())
    return view.language.say("move.within", scenario=f"{found.scenario}{params}", setting=said)


def wait_figure(wait_ms: float, path: str) -> Figure:
    return Figure(f"{wait_ms:g}", wait_ms, path)


def estimate_figures(found: Crossover, path: str) -> tuple[Figure, ...]:
    """The interpolated crossover and the ends of its interval, in milliseconds; empty where there is none."""
    names = ("estimate_ms", "estimate_low_ms", "estimate_high_ms")
    values = [(getattr(found, name), name) for name in names]
    return tuple(Figure(significant(value), value, f"{path}.{name}") for value, name in values if value is not None)


def _estimate(view: View, path: str, found: Crossover) -> Sentence:
    figures = estimate_figures(found, path)
    if len(figures) < 3:
        return ()
    return view.language.say("move.estimate", estimate=figures[0], low=figures[1], high=figures[2])


def _words(view: View, contrast: ContrastResult) -> str:
    apart = contrast.verdict in APART and contrast.ratio is not None
    if not apart:
        return view.language.text(f"verdicts.{contrast.verdict}")
    return view.language.text("move.more" if (contrast.ratio or 0) > 1 else "move.fewer")


def _waits(view: View, first: float, last: float) -> str:
    key = "move.one_wait" if first == last else "move.all_waits"
    return view.language.text(key, first=f"{first:g}", last=f"{last:g}")


def _capacity(view: View, name: str) -> str:
    target = view.targets.get(name)
    if target is None or target.interface != "wsgi":
        return ""
    if target.threads == 1 and target.workers == 1:
        return view.language.text("move.sync")
    return view.language.text(
        "move.threads" if target.threads > 1 else "move.workers", count=target.workers * target.threads
    )
