"""Waiting without CPU: throughput by connections and wait, beside what each target's capacity allows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from harness.render.charts.svg import Chart
from harness.render.charts.sweep import model_rps, sweep_charts
from harness.render.numbers import Measured, measured
from harness.render.sections.decision import missing
from harness.render.view import View
from harness.units import significant

PANELS = 12
"""The most targets that are drawn; the table holds all."""


@dataclass(frozen=True, slots=True)
class WaitRow:
    """``allowed`` is the model's figure, computed for this page from the cell's CPU cost; empty where it has none."""

    target: str
    capacity: str
    scenario: str
    wait: str
    concurrency: int
    throughput: Measured | str
    allowed: str


@dataclass(frozen=True, slots=True)
class Waits:
    charts: tuple[Chart, ...]
    rows: tuple[WaitRow, ...]


def waits(view: View) -> Waits | None:
    """``None`` where the run measured no scenario of this question."""
    places = sorted(
        (place for place in view.places.values() if view.question(place) == "move"),
        key=lambda place: (place.scenario, place.wait_s, place.concurrency),
    )
    rows = []
    for target in view.targets.values():
        for place in places:
            found = view.cell(target.name, place.id)
            if target.twin_of or found is None or found[1].status == "not-run":
                continue
            index, cell = found
            value: Measured | str = missing(cell, view.language)[0]
            allowed = None
            if cell.status == "ok" and cell.throughput_rps is not None:
                value = measured(cell.throughput_rps, f"cells.{index}.throughput_rps")
                allowed = model_rps(view, target, place, cell)
            rows.append(
                WaitRow(
                    target=target.name,
                    capacity=target.capacity,
                    scenario=place.scenario,
                    wait=f"{place.wait_s * 1e3:g}",
                    concurrency=place.concurrency,
                    throughput=value,
                    allowed="" if allowed is None else significant(allowed, 3),
                )
            )
    counts = Counter(place.scenario for place in places)
    swept = [place for place in places if place.scenario == max(counts, key=lambda name: counts[name])]
    return Waits(sweep_charts(view, view.reference[:PANELS], swept), tuple(rows)) if rows else None
