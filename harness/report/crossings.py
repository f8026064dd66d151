"""What a crossover came to, in words: never beyond the waits that were measured."""

from __future__ import annotations

import math

from harness.model import Point
from harness.report.language.catalogue import Field
from harness.report.numbers import Placed, Sentence, multiple, number, numbered, rough, shown, wait
from harness.report.sentences import interval, size
from harness.report.view import View
from harness.results.summary import ContrastResult, Crossover
from harness.stats.estimate import REAL

CENTRE = 64
"""The concurrency that is told first: more connections than most targets have threads."""
NEAR = 0.8
"""The share of what the requests in flight allow above which they are the limit."""


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


def crossover_sentence(view: View, path: str, found: Crossover, *, again: bool = False) -> Sentence:
    """The wait from which A is ahead, as the interval between two measured waits; ``again``: who A and B are was said,
    and that B is ahead without a wait.
    """
    say = view.language.say
    sides: dict[str, Field] = {"a": view.name(found.a), "b": view.name(found.b), "setting": setting(view, found)}
    waits = found.waits_ms
    if found.outcome in ("overtakes", "draws-ahead") and found.low_ms is not None:
        key = "move.overtakes" if found.outcome == "overtakes" else "move.draws_ahead"
        below, above = (shown(found, path, name, wait) for name in ("low_ms", "high_ms"))
        ratios = _ratios(view, found, (waits[-1],) if again else (found.low_ms, waits[-1]))
        return say(f"{key}_again" if again else key, below=below, above=above, ratios=ratios, **sides)
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


def _ratios(view: View, found: Crossover, waits: tuple[float, ...]) -> Sentence:
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


def busy_sentence(view: View, compared: Placed[ContrastResult] | None) -> Sentence:
    """What the pair comes to where nothing waits, to stand before a crossover; empty where that is not known."""
    if compared is None:
        return ()
    path, contrast = compared
    if contrast.ratio is None:
        return ()
    ratio, ends = multiple(contrast.ratio, f"{path}.ratio"), interval(view, contrast, path, multiple)
    fields: dict[str, Field] = {side: view.name(getattr(contrast, side).target) for side in ("a", "b")}
    fields |= {"ratio": ratio, "interval": ends, "size": size(view, contrast.verdict)}
    return view.language.say("move.busy_ahead" if ratio.value > 1 else "move.busy_behind", **fields)


def threads_sentence(view: View, found: Crossover) -> Sentence:
    """That the threads of B are the limit at the longest wait; empty where they are not."""
    by_id = {contrast.id: contrast for contrast in view.summary.contrasts}
    place = view.places.get(by_id[found.contrasts[-1]].b.point)
    target, allowed = view.targets.get(found.b), near_limit(view, found.b, place) if place else None
    if place is None or target is None or allowed is None or allowed[0] == place.concurrency:
        return ()
    alike = [
        other for other in view.targets.values() if (other.framework, other.server) == (target.framework, target.server)
    ]
    more = any(other.worker_threads > target.worker_threads and view.ok(other.name, place.id) for other in alike)
    held = view.language.text("move.held_threads", count=allowed[0])
    wait_ms, open_ = f"{found.last_ms:g}", "" if more else view.language.text("move.more_threads")
    return view.language.say("move.limit", b=view.name(found.b), held=held, wait=wait_ms, rps=allowed[1], open=open_)


def near_limit(view: View, name: str, place: Point) -> tuple[int, str] | None:
    """How many requests a target holds at once at a wait, and how many a second that allows; ``None`` where it answers
    far fewer, or the wait is not exactly known.
    """
    target, scenario, found = view.targets.get(name), view.scenarios.get(place.scenario), view.ok(name, place.id)
    if target is None or scenario is None or not scenario.bisect or place.wait_s <= 0 or found is None:
        return None
    held, rate = target.parallel(place.concurrency), found[1].throughput_rps
    allowed = held / place.wait_s
    return (held, number.text(allowed)) if rate and rate.value >= NEAR * allowed else None


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
    apart = contrast.verdict in REAL and contrast.ratio is not None
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
