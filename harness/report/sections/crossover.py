"""From which wait ASGI pays: ratios along the wait, the crossovers, and the map that they lie in."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from harness.model.units import MIB
from harness.report.blocks import Block, Column, Fold, Items, Plots, Table, Text, folded, words
from harness.report.charts.lines import crossover_charts
from harness.report.charts.svg import Chart
from harness.report.crossings import crossover_sentence, estimate, main_ones, scenario_of, told_first
from harness.report.numbers import Sentence, measured, number, numbered, shown, times, wait
from harness.report.view import View
from harness.results.summary import Cell, Crossover

PANELS = 12
"""The most pairs that are drawn; the tables hold all."""


def crossover(view: View) -> tuple[Block, ...]:
    """Empty where no pair was measured at two waits or more."""
    if not view.summary.crossovers:
        return ()
    text = view.language.text
    charts, changes, measured_map = _charts(view), _changes(view), _map(view)
    return (
        Text(text("crossover.intro")),
        Items(tuple(crossover_sentence(view, *each) for each in main_ones(view))),
        *((Plots(charts, text("crossover.caption"), text("crossover.figure")),) if charts else ()),
        Fold(text("crossover.all", count=len(changes.rows)), (changes,), open=not charts),
        *_model(view),
        *folded(text("crossover.map", count=len(measured_map.rows)), measured_map, measured_map.rows),
    )


def _changes(view: View) -> Table:
    text = view.language.text
    columns = (
        words("B", lambda found, path: view.name(found.b)),
        words(text("crossover.scenario"), lambda found, path: scenario_of(view, found)),
        Column(text("words.connections"), said=lambda found, path: str(found.concurrency)),
        words(text("crossover.outcome"), lambda found, path: text(f"crossover.{found.outcome}")),
        Column(text("crossover.low"), "low_ms", wait),
        Column(text("crossover.high"), "high_ms", wait),
        Column(
            text("crossover.estimate"),
            said=lambda found, path: estimate(view, path, found, "crossover.between") or None,
        ),
        words(text("crossover.tested"), lambda found, path: ", ".join(f"{ms:g}" for ms in found.waits_ms)),
    )
    return Table.of(text("crossover.caption"), "A", lambda found: view.name(found.a), columns, told_first(view))


def _charts(view: View) -> tuple[Chart, ...]:
    """The main crossover of each pair, and the pair's others as thin lines."""
    pairs: list[list[Crossover]] = []
    for _, main in main_ones(view):
        others = [
            each
            for each in view.summary.crossovers
            if (each.a, each.b, each.scenario, each.params) == (main.a, main.b, main.scenario, main.params)
            and each.concurrency != main.concurrency
        ]
        pairs.append([main, *others])
    by_id = {contrast.id: contrast for contrast in view.summary.contrasts}
    margin = max((by_id[key].margin for each in view.summary.crossovers for key in each.contrasts), default=0.0)
    return crossover_charts(view, pairs[:PANELS], by_id, margin)


def _model(view: View) -> tuple[Text, ...]:
    """How often measurement leaves the model, and where it does so farthest."""
    checks = numbered("models", view.summary.models)
    leaving = [each for each in checks if each[1].leaves]
    if not checks:
        return ()
    if not leaving:
        return (Text(view.language.say("crossover.model_holds", count=len(checks))),)
    path, worst = min(leaving, key=lambda each: min(each[1].ratio, 1 / each[1].ratio))
    said: Sentence = view.language.say(
        "crossover.model_leaves",
        leaving=len(leaving),
        count=len(checks),
        target=view.name(worst.target),
        where=view.where(worst.point),
        ratio=shown(worst, path, "ratio", times),
    )
    return (Text(said),)


def _map(view: View) -> Table:
    """Every target at every wait and concurrency, beside what the model allows."""
    text = view.language.text
    checks = {(check.target, check.point): (path, check) for path, check in numbered("models", view.summary.models)}
    upkeep = {each.target: (path, each) for path, each in numbered("upkeep", view.summary.upkeep)}
    order = {target: place for place, target in enumerate(dict.fromkeys(cell.target for cell in view.summary.cells))}
    cells = [
        (path, cell)
        for path, cell in numbered("cells", view.summary.cells)
        if cell.target in view.targets
        and cell.status == "ok"
        and cell.throughput_rps is not None
        and (cell.target, cell.point) in checks
    ]

    def place(cell: Cell) -> tuple[int, float, int]:
        return order[cell.target], view.places[cell.point].wait_s, cell.concurrency

    def of_model(name: str, show: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
        def figure(cell: Cell, _: str) -> Any:
            path, check = checks[cell.target, cell.point]
            return shown(check, path, name, show)

        return figure

    def memory(cell: Cell, _: str) -> Any:
        path, kept = upkeep.get(cell.target, ("", None))
        return shown(kept, path, "rss_bytes", partial(measured, unit=MIB))

    def agrees(cell: Cell, _: str) -> str:
        return text("crossover.leaves" if checks[cell.target, cell.point][1].leaves else "crossover.within")

    columns = (
        Column(text("words.capacity"), said=lambda cell, path: view.targets[cell.target].capacity),
        Column(text("words.wait"), said=lambda cell, path: f"{view.places[cell.point].wait_s * 1e3:g}"),
        Column(text("words.connections"), said=lambda cell, path: str(cell.concurrency)),
        Column(text("words.rps"), "throughput_rps", measured),
        Column(text("words.cpu"), "cpu_us", measured),
        Column(text("words.memory"), said=memory),
        Column(text("waits.allowed"), said=of_model("model_rps", number)),
        Column(text("crossover.ratio"), said=of_model("ratio", times)),
        words(text("crossover.agrees"), agrees),
    )
    rows = sorted(cells, key=lambda each: place(each[1]))
    return Table.of(
        text("crossover.map_caption"), text("words.target"), lambda cell: view.name(cell.target), columns, rows
    )
