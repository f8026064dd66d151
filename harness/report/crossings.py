"""What a crossover came to, in words: never beyond the waits that were measured."""

from __future__ import annotations

import math

from harness.report.language.catalogue import Field
from harness.report.numbers import Placed, Sentence, numbered, rough, shown, wait
from harness.report.sentences import APART, interval
from harness.report.view import View
from harness.results.summary import ContrastResult, Crossover

CENTRE = 64
"""The concurrency that is told first: more connections than most targets have threads."""


def told_first(view: View) -> list[Placed[Crossover]]:
    """By nearness to 64 connections, and then in declared order; each after where it stands in the summary."""
    found = numbered("crossovers", view.summary.crossovers)
    return sorted(found, key=lambda each: abs(math.log(each[1].concurrency / CENTRE)))


def main_ones(view: View) -> list[Placed[Crossover]]:
    """Of every pair, scenario and other parameters the one nearest to 64 connections, in declared order."""
    chosen: dict[tuple[object, ...], Placed[Crossover]] = {}
    for path, each in told_first(view):
        chosen.setdefault((each.a, each.b, each.scenario, tuple(each.params.items())), (path, each))
    kept = {path for path, _ in chosen.values()}
    return [each for each in numbered("crossovers", view.summary.crossovers) if each[0] in kept]


def crossover_sentence(view: View, path: str, found: Crossover) -> Sentence:
    """The wait from which A is ahead, as the interval between two measured waits."""
    say = view.language.say
    sides: dict[str, Field] = {"a": view.name(found.a), "b": view.name(found.b), "setting": setting(view, found)}
    waits = found.waits_ms
    if found.outcome in ("overtakes", "draws-ahead") and found.low_ms is not None:
        key = "move.overtakes" if found.outcome == "overtakes" else "move.draws_ahead"
        below, above = (shown(found, path, name, wait) for name in ("low_ms", "high_ms"))
        ratios = _ratios(view, found, (found.low_ms, waits[-1]))
        return say(key, below=below, above=above, ratios=ratios, **sides)
    if found.outcome == "ahead" and found.high_ms is not None:
        tail = say("move.open_below") if found.high_ms > waits[0] else ""
        ratios = _ratios(view, found, (found.high_ms, waits[-1]))
        return say("move.ahead", waits=_waits(view, found.high_ms, waits[-1]), ratios=ratios, tail=tail, **sides)
    if found.outcome == "behind":
        ratios = _ratios(view, found, (waits[0], waits[-1]))
        return say("move.behind", waits=_waits(view, waits[0], waits[-1]), ratios=ratios, **sides)
    by_id = {contrast.id: contrast for contrast in view.summary.contrasts}
    listed = [
        view.language.text("move.listed", wait=f"{ms:g}", words=_words(view, by_id[key]))
        for ms, key in zip(waits, found.contrasts, strict=True)
    ]
    return say("move.no_crossover", listed="; ".join(listed), **sides)


def _ratios(view: View, found: Crossover, waits: tuple[float, float]) -> Sentence:
    """``0.41 [0.35, 0.48] times as many at 5 ms, 2.2 [1.9, 2.6] times as many at 20 ms``, where they are known."""
    placed = {contrast.id: (path, contrast) for path, contrast in numbered("contrasts", view.summary.contrasts)}
    at, said = dict(zip(found.waits_ms, found.contrasts, strict=True)), list[Sentence]()
    for ms in dict.fromkeys(waits):
        path, contrast = placed[at[ms]]
        if contrast.ratio is not None:
            ratio, ends = rough(contrast.ratio, f"{path}.ratio"), interval(view, contrast, path, rough)
            said.append(view.language.say("move.ratio", ratio=ratio, interval=ends, wait=f"{ms:g}"))
    joined = [
        part for each in said for part in ((view.language.text("move.and"),) if each is not said[0] else ()) + each
    ]
    return view.language.say("move.ratios", listed=tuple(joined)) if said else ()


def setting(view: View, found: Crossover) -> Sentence:
    """``at 64 connections with 8 worker threads``; the scenario too, where the run has crossovers of several."""
    said = view.language.say("move.setting", count=found.concurrency, capacity=_capacity(view, found.b))
    if len({(each.scenario, *each.params.items()) for each in view.summary.crossovers}) < 2:
        return said
    return view.language.say("move.within", scenario=scenario_of(view, found), setting=said)


def scenario_of(view: View, found: Crossover) -> str:
    """With its parameters but for the wait."""
    scenario = view.scenarios.get(found.scenario)
    title = view.language.known(scenario.title) if scenario else found.scenario
    return title + "".join(f", {key}={value}" for key, value in found.params.items())


def estimate(view: View, path: str, found: Crossover, key: str) -> Sentence:
    """The interpolated crossover and its interval, in milliseconds; empty where there is none."""
    value, low, high = (shown(found, path, f"estimate{end}_ms", rough) for end in ("", "_low", "_high"))
    return () if None in (value, low, high) else view.language.say(key, value=value, low=low, high=high)


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
    return view.language.text("move.threads" if target.threads > 1 else "move.workers", count=target.worker_threads)
