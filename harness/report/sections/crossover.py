"""From which wait ASGI pays: the crossovers in words, never beyond the waits that were measured, and the ratios."""

from __future__ import annotations

import math

from harness.model import Point
from harness.report.blocks import Block, Column, Fold, Items, Plots, Table, Text, words
from harness.report.charts.lines import crossover_charts
from harness.report.numbers import Placed, Sentence, joined, multiple, number, numbered, rough, shown, times, wait
from harness.report.sentences import Fields, interval, size
from harness.report.view import View
from harness.results.summary import ContrastResult, Crossover
from harness.stats.estimate import REAL

PANELS = 12
"""The most pairs that are drawn; the tables hold all."""
CENTRE = 64
"""The concurrency that is shown first: more connections than most targets have threads."""
NEAR = 0.8
"""The share of what the requests in flight allow above which they are the limit."""


def crossover(view: View) -> tuple[Block, ...]:
    """Empty where no pair was measured at two waits or more."""
    text, crossovers, main = view.text, view.summary.crossovers, main_ones(view)
    if not crossovers:
        return ()
    # The main crossover of each pair, and the pair's others as thin lines.
    pairs = [[one, *(each for each in crossovers if _pair(each) == _pair(one) and each is not one)] for _, one in main]
    charts = crossover_charts(view, pairs[:PANELS])
    ordered = in_order(view)
    changes = Table.of(view, "crossover.caption", CHANGES, ordered, head="A", row=lambda each: view.name(each.a))
    return (
        Text(text("crossover.intro")),
        Items(tuple(crossover_sentence(view, *each) for each in main)),
        *((Plots(charts, text("crossover.caption"), text("crossover.figure")),) if charts else ()),
        Fold(text("crossover.all", count=len(crossovers)), (changes,), open=not charts),
        *_model(view),
    )


def _estimate(view: View, result: Crossover, path: str) -> Sentence | None:
    """The interpolated crossover and its interval, in milliseconds."""
    value, low, high = (shown(result, path, f"estimate{end}_ms", rough) for end in ("", "_low", "_high"))
    known = None not in (value, low, high)
    return view.say("crossover.between", value=value, low=low, high=high) if known else None


CHANGES = (
    words("B", lambda view, result, path: view.name(result.b)),
    words("crossover.scenario", lambda view, result, path: scenario_of(view, result)),
    Column("words.connections", said=lambda view, result, path: str(result.concurrency)),
    words("crossover.outcome", lambda view, result, path: view.text(f"crossover.{result.outcome}")),
    Column("crossover.low", "low_ms", wait),
    Column("crossover.high", "high_ms", wait),
    Column("crossover.estimate", said=_estimate),
    words("crossover.tested", lambda view, result, path: ", ".join(f"{ms:g}" for ms in result.waits_ms)),
)


def _model(view: View) -> tuple[Text, ...]:
    """How often measurement leaves the model, and where it does so farthest."""
    checks = numbered("models", view.summary.models)
    leaving = [each for each in checks if each[1].leaves]
    if not leaving:
        return (Text(view.say("crossover.model_holds", count=len(checks))),) if checks else ()
    path, worst = min(leaving, key=lambda each: min(each[1].ratio, 1 / each[1].ratio))
    fields: Fields = {"leaving": len(leaving), "count": len(checks), "ratio": shown(worst, path, "ratio", times)}
    fields |= {"target": view.name(worst.target), "where": view.where(worst.point)}
    return (Text(view.say("crossover.model_leaves", **fields)),)


def in_order(view: View) -> list[Placed[Crossover]]:
    """By nearness to 64 connections, and then in declared order; each after where it stands in the summary."""
    entries = numbered("crossovers", view.summary.crossovers)
    return sorted(entries, key=lambda each: abs(math.log(each[1].concurrency / CENTRE)))


def main_ones(view: View) -> list[Placed[Crossover]]:
    """Of every pair, scenario and other parameters the one nearest to 64 connections, in declared order."""
    chosen: dict[tuple[object, ...], str] = {}
    for path, each in in_order(view):
        chosen.setdefault(_pair(each), path)
    return [each for each in numbered("crossovers", view.summary.crossovers) if each[0] in chosen.values()]


def _pair(result: Crossover) -> tuple[object, ...]:
    return result.a, result.b, result.scenario, tuple(result.params.items())


def crossover_sentence(view: View, path: str, result: Crossover, *, again: bool = False) -> Sentence:
    """The wait from which A is ahead, as the interval between two measured waits; ``again``: who A and B are was said,
    and how they compare without a wait.
    """
    say = view.say
    sides: Fields = {"a": view.name(result.a), "b": view.name(result.b), "setting": setting(view, result)}
    first, last, more = result.waits_ms[0], result.waits_ms[-1], "_again" if again else ""
    if result.outcome in ("overtakes", "draws-ahead") and result.low_ms is not None:
        below, above = (shown(result, path, name, wait) for name in ("low_ms", "high_ms"))
        ratios = _ratios(view, result, *([] if again else [result.low_ms]), last)
        return say(f"move.{result.outcome}{more}", below=below, above=above, ratios=ratios, **sides)
    if result.outcome in ("ahead", "behind"):
        start = first if result.high_ms is None else result.high_ms
        tail, ratios = say("move.open_below") if start > first else (), _ratios(view, result, start, last)
        key = "move.one_wait" if start == last else "move.all_waits"
        waits = view.text(key, first=f"{start:g}", last=f"{last:g}")
        return say(f"move.{result.outcome}{more}", waits=waits, ratios=ratios, tail=tail, **sides)
    listed = [
        view.say("move.listed", wait=f"{ms:g}", words=_words(view, view.by_id[key][1]))
        for ms, key in zip(result.waits_ms, result.contrasts, strict=True)
    ]
    return say("move.no_crossover", listed=joined(view.text("move.and"), listed), **sides)


def _ratios(view: View, result: Crossover, *waits: float) -> Sentence:
    """``0.41 [0.35, 0.48] times as many at 5 ms, 2.2 [1.9, 2.6] times as many at 20 ms``, where they are known."""
    at, said = dict(zip(result.waits_ms, result.contrasts, strict=True)), list[Sentence]()
    for ms in dict.fromkeys(waits):
        path, contrast = view.by_id[at[ms]]
        if contrast.ratio is not None:
            ratio, ends = rough(contrast.ratio, f"{path}.ratio"), interval(view, contrast, path, rough)
            said.append(view.say("move.ratio", ratio=ratio, interval=ends, wait=f"{ms:g}"))
    return view.say("move.ratios", listed=joined(view.text("move.and"), said)) if said else ()


def busy_sentence(view: View, compared: Placed[ContrastResult] | None) -> Sentence:
    """The pair's ratio without a wait, to stand before a crossover; empty where that is not known."""
    if compared is None or (value := compared[1].ratio) is None:
        return ()
    path, contrast = compared
    ratio, ends = multiple(value, f"{path}.ratio"), interval(view, contrast, path, multiple)
    fields: Fields = {side: view.name(getattr(contrast, side).target) for side in ("a", "b")}
    fields |= {"ratio": ratio, "interval": ends, "size": size(view, contrast.verdict)}
    return view.say("move.busy_ahead" if ratio.value > 1 else "move.busy_behind", **fields)


def threads_sentence(view: View, result: Crossover) -> Sentence:
    """That the threads of B are the limit at the longest wait; empty where they are not."""
    place = view.places.get(view.by_id[result.contrasts[-1]][1].b.point)
    target, allowed = view.target(result.b), near_limit(view, result.b, place) if place else None
    if place is None or allowed is None or allowed[0] == place.concurrency:
        return ()
    alike = [
        other for other in view.targets.values() if (other.framework, other.server) == (target.framework, target.server)
    ]
    more = any(other.worker_threads > target.worker_threads and view.ok(other.name, place.id) for other in alike)
    parallel = view.text("move.parallel_threads", count=allowed[0])
    wait_ms, open_ = f"{result.last_ms:g}", "" if more else view.text("move.more_threads")
    return view.say("move.limit", b=view.name(result.b), parallel=parallel, wait=wait_ms, rps=allowed[1], open=open_)


def near_limit(view: View, name: str, place: Point) -> tuple[int, str] | None:
    """How many requests a target holds at once at a wait, and how many a second that allows; ``None`` where it answers
    far fewer, or the wait is not exactly known.
    """
    target, scenario, cell = view.target(name), view.scenarios.get(place.scenario), view.ok(name, place.id)
    if scenario is None or not scenario.bisect or place.wait_s <= 0 or cell is None:
        return None
    parallel, rate = target.parallel(place.concurrency), cell[1].throughput_rps
    allowed = parallel / place.wait_s
    return (parallel, number.text(allowed)) if rate and rate.value >= NEAR * allowed else None


def setting(view: View, result: Crossover) -> Sentence:
    """``64 connections, 8 WSGI threads``; the scenario too, where the run has crossovers of several."""
    said = view.say("move.setting", count=result.concurrency, capacity=_capacity(view, result.b))
    if len({(each.scenario, *each.params.items()) for each in view.summary.crossovers}) < 2:
        return said
    return view.say("move.within", scenario=scenario_of(view, result), setting=said)


def scenario_of(view: View, result: Crossover) -> str:
    """With its parameters but for the wait."""
    return view.title(result.scenario) + "".join(f", {key}={value}" for key, value in result.params.items())


def _words(view: View, contrast: ContrastResult) -> str:
    if contrast.verdict not in REAL or contrast.ratio is None:
        return view.text(f"verdicts.{contrast.verdict}")
    return view.text("move.more" if contrast.ratio > 1 else "move.fewer")


def _capacity(view: View, name: str) -> str:
    target = view.target(name)
    if target.interface != "wsgi":
        return ""
    if target.threads == 1 and target.workers == 1:
        return view.text("move.sync")
    return view.text("move.threads" if target.threads > 1 else "move.workers", count=target.worker_threads)
