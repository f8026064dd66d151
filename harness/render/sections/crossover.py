"""From which wait ASGI pays: ratios along the wait, the crossovers, and the map that they lie in."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from harness.analyse.summary import Cell, Crossover, ModelCheck
from harness.render.charts.crossover import crossover_charts
from harness.render.charts.svg import Chart
from harness.render.crossings import Indexed, crossover_sentence, estimate_figures, main_ones, told_first, wait_figure
from harness.render.numbers import Figure, Measured, Sentence, measured, mebibytes, times
from harness.render.view import View
from harness.units import significant

PANELS = 12
"""The most pairs that are drawn; the tables hold all."""


@dataclass(frozen=True, slots=True)
class Change:
    """One crossover; ``estimate`` holds the value and the ends of its interval, or nothing."""

    a: str
    b: str
    scenario: str
    concurrency: int
    outcome: str
    low: Figure | None
    high: Figure | None
    estimate: tuple[Figure, ...]
    tested: str


@dataclass(frozen=True, slots=True)
class MapRow:
    """One target at one wait and concurrency; ``model`` and ``ratio`` are empty where there is no CPU cost."""

    target: str
    capacity: str
    wait: str
    concurrency: int
    throughput: Measured
    p99: Figure | None
    cpu: Measured | None
    memory: Figure | None
    model: Figure | None
    ratio: Figure | None
    leaves: bool


@dataclass(frozen=True, slots=True)
class CrossoverSection:
    """``left_out``: name of a point (and target), and why it was not measured."""

    sentences: tuple[Sentence, ...]
    charts: tuple[Chart, ...]
    changes: tuple[Change, ...]
    model: Sentence
    rows: tuple[MapRow, ...]
    left_out: tuple[tuple[str, str], ...]


def crossover(view: View) -> CrossoverSection | None:
    """``None`` where no pair was measured at two waits or more."""
    found = view.summary.crossovers
    if not found:
        return None
    chosen = main_ones(found)
    plan = view.manifest.plan
    return CrossoverSection(
        sentences=tuple(crossover_sentence(view, index, each) for index, each in chosen),
        charts=_charts(view, chosen),
        changes=tuple(_change(view, index, each) for index, each in told_first(found)),
        model=_model(view),
        rows=_rows(view),
        left_out=tuple((" ".join(filter(None, (f.target, f.point))), f.message) for f in plan.left_out),
    )


def _charts(view: View, chosen: list[Indexed]) -> tuple[Chart, ...]:
    """The main crossover of each pair, and the pair's others as thin lines."""
    pairs: list[list[Crossover]] = []
    for _, main in chosen:
        if len(main.waits_ms) < 3:
            continue
        others = [
            each
            for each in view.summary.crossovers
            if (each.a, each.b, each.scenario, each.params) == (main.a, main.b, main.scenario, main.params)
            and each.concurrency != main.concurrency
        ]
        pairs.append([main, *others])
    by_id = {contrast.id: contrast for contrast in view.summary.contrasts}
    return crossover_charts(view, pairs[:PANELS], by_id, view.summary.margin)


def _change(view: View, index: int, found: Crossover) -> Change:
    path = f"crossovers.{index}"
    ends = ((found.low_ms, f"{path}.low_ms"), (found.high_ms, f"{path}.high_ms"))
    low, high = (None if wait is None else wait_figure(wait, where) for wait, where in ends)
    params = "".join(f", {key}={value}" for key, value in found.params.items())
    return Change(
        a=found.a,
        b=found.b,
        scenario=f"{found.scenario}{params}",
        concurrency=found.concurrency,
        outcome=view.language.text(f"crossover.{found.outcome}"),
        low=low,
        high=high,
        estimate=estimate_figures(found, path),
        tested=", ".join(f"{wait:g}" for wait in found.waits_ms),
    )


def _model(view: View) -> Sentence:
    """How often measurement leaves the model, and where it does so farthest."""
    checks = view.summary.models
    leaving = [(index, check) for index, check in enumerate(checks) if check.leaves]
    if not checks:
        return ()
    if not leaving:
        return view.language.say("crossover.model_holds", count=len(checks))
    index, worst = min(leaving, key=lambda each: min(each[1].ratio, 1 / each[1].ratio))
    return view.language.say(
        "crossover.model_leaves",
        leaving=len(leaving),
        count=len(checks),
        target=worst.target,
        where=view.where(worst.point),
        ratio=times(worst.ratio, f"models.{index}.ratio"),
    )


def _rows(view: View) -> tuple[MapRow, ...]:
    checks = {(check.target, check.point): (index, check) for index, check in enumerate(view.summary.models)}
    memory = {each.target: (index, each.rss_bytes) for index, each in enumerate(view.summary.upkeep)}
    places: dict[str, list[tuple[float, int, MapRow]]] = defaultdict(list)
    for index, cell in enumerate(view.summary.cells):
        place, target = view.places.get(cell.point), view.targets.get(cell.target)
        if place is None or target is None or cell.status != "ok" or (cell.target, cell.point) not in checks:
            continue
        row = _row(index, cell, place.wait_s, target.capacity, memory.get(cell.target), checks[cell.target, cell.point])
        if row is not None:
            places[cell.target].append((place.wait_s, place.concurrency, row))
    return tuple(row for rows in places.values() for _, _, row in sorted(rows, key=lambda each: each[:2]))


def _row(
    index: int,
    cell: Cell,
    wait_s: float,
    capacity: str,
    memory: tuple[int, float | None] | None,
    checked: tuple[int, ModelCheck],
) -> MapRow | None:
    if cell.throughput_rps is None:
        return None
    path, p99 = f"cells.{index}", cell.service_time_us.get("p99")
    number, check = checked
    held = None if memory is None or memory[1] is None else mebibytes(memory[1], f"upkeep.{memory[0]}.rss_bytes")
    return MapRow(
        target=cell.target,
        capacity=capacity,
        wait=f"{wait_s * 1e3:g}",
        concurrency=cell.concurrency,
        throughput=measured(cell.throughput_rps, f"{path}.throughput_rps"),
        p99=None if p99 is None else Figure(significant(p99, 3), p99, f"{path}.service_time_us.p99"),
        cpu=None if cell.cpu_us is None else measured(cell.cpu_us, f"{path}.cpu_us"),
        memory=held,
        model=Figure(significant(check.model_rps, 3), check.model_rps, f"models.{number}.model_rps"),
        ratio=times(check.ratio, f"models.{number}.ratio"),
        leaves=check.leaves,
    )
