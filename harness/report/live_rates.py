"""While a run goes: its windows in words, and requests per second per target, which firm up block by block."""

from __future__ import annotations

from collections import defaultdict
from statistics import median

from rich.table import Table

from harness.model import Manifest, Side, Window, WindowRecord, side_faults
from harness.model.units import number_of
from harness.report.language.catalogue import ENGLISH
from harness.report.names import display_names, setting_of
from harness.report.numbers import measured
from harness.stats.interval import estimate

COLUMNS = 2
FIRM = 3
"""Blocks from which on a value has an interval worth reading."""
WIDTH = 15
"""Columns of the screen for a value with its interval, so that nothing moves when it gets one."""


class LiveRates:
    """What the windows so far say of each target's throughput."""

    def __init__(self, manifest: Manifest) -> None:
        plan = manifest.plan
        titles = {scenario.name: scenario.title for scenario in manifest.scenarios}
        self._names = display_names(manifest.targets)
        self._twins = {target.name for target in manifest.targets if target.twin_of}
        self._where = {
            point.id: f"{titles.get(point.scenario, point.scenario)}, {setting_of(point, ENGLISH)}"
            for point in plan.points
        }
        # As in the report's summary: what waits for nothing first, then the longest waits.
        waits = {point.id: point.wait_s for point in plan.points}
        self._columns = [
            *[p for p in waits if not waits[p]][:1],
            *sorted(filter(waits.get, waits), key=lambda p: -waits[p]),
        ]
        self._rates: dict[Side, list[float]] = defaultdict(list)

    def words(self, window: Window) -> str:
        """``Small JSON reply, 16 connections, 9 targets in turns``; of load on one target alone, that target."""
        targets = dict.fromkeys(self._names.get(side.target, side.target) for side in window.sides)
        where = self._where.get(window.sides[0].point, window.sides[0].point)
        if window.study:
            return f"{' and '.join(targets)}: {where} ({window.study})"
        more = len({side.point for side in window.sides}) - 1
        return f"{where}{f' and {more} more' if more else ''}, {number_of(len(targets), 'target')} in turns"

    def take(self, record: WindowRecord) -> None:
        """Each side's median over the slices of a window, where nothing speaks against it."""
        slices, faults = record.slices, side_faults(record)
        if slices is None or not record.sides:
            return
        for index, side in enumerate(record.sides):
            rows = zip(slices.side, slices.window_replies, slices.window, strict=True)
            rates = [replies / window for of, replies, window in rows if of == index and window > 0 and replies]
            if rates and side.side not in faults and side.target not in self._twins:
                self._rates[side.side].append(median(rates))

    def table(self) -> Table | None:
        """Nothing until a first window has ended."""
        known = [point for point in self._columns if any(side.point == point for side in self._rates)][:COLUMNS]
        if not known:
            return None
        drawn = Table(box=None, pad_edge=False)
        drawn.add_column("requests per second", no_wrap=True)
        for point in known:
            drawn.add_column(self._where[point], justify="right", min_width=WIDTH)
        for target, name in self._names.items():
            cells = [self._cell(Side(target, point)) for point in known]
            if any(cells):
                drawn.add_row(name, *cells)
        return drawn

    def _cell(self, side: Side) -> str:
        rates = self._rates.get(side, [])
        shown = measured(estimate(rates), "")
        if shown is None:
            return ""
        half = shown.half if len(rates) >= FIRM else None
        return shown.value.text if half is None else f"{shown.value.text} ± {half.text}"
