"""Progress of a run, a comparison or a load on stderr: a line that moves on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress as Bar, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.status import Status
from rich.table import Table
from rich.text import Text

from harness.model import Block, Extension, Failure, Manifest, Plan, Reason, Side, Window, WindowRecord, side_faults
from harness.model.load import Progress
from harness.model.units import MIB, format_duration, number_of, significant
from harness.report.language.catalogue import ENGLISH
from harness.report.names import display_names, setting_of
from harness.report.numbers import measured
from harness.report.plan import plan_in_words, time_of
from harness.session.observe import Observer
from harness.stats.interval import estimate

COLUMNS = 2
"""Of the table of rates."""
FIRM = 3
"""Blocks from which on a value has an interval worth reading."""
WIDTH = 15
"""Columns of the screen for a value with its interval, so that nothing moves when it gets one."""


@contextmanager
def load_shown(console: Console, title: str) -> Iterator[Callable[[Progress], None]]:
    """Shows the title and, on a terminal, progress: the block gets a function to call with it."""
    if console.quiet or not console.is_terminal:
        console.print(title, markup=False)
        yield lambda progress: None
        return
    last = Progress(0.0, 0, 0)

    def show(progress: Progress) -> None:
        nonlocal last
        rate = (progress.replies - last.replies) / max(progress.elapsed_s - last.elapsed_s, 1e-9)
        last = progress
        status.update(f"{title} · {format_duration(progress.elapsed_s)} · {significant(rate, 3)} replies/s")

    with console.status(title) as status:
        yield show


def worker_news(console: Console, live_port: int) -> Callable[[str, bool], None]:
    """Prints what happens to workers; what is important, with --quiet too."""
    if live_port:
        console.print(f"live: http://127.0.0.1:{live_port}", markup=False)

    def say(text: str, important: bool) -> None:
        quiet, console.quiet = console.quiet, console.quiet and not important
        console.print(text, style="yellow" if important else None, markup=False, soft_wrap=True)
        console.quiet = quiet

    return say


class Display(Observer):
    """A context manager: a screen that moves on a terminal, and lines that stay."""

    def __init__(self, console: Console, screen: Live | Status) -> None:
        self._console, self._screen = console, screen
        self._live = console.is_terminal and not console.quiet

    def __enter__(self) -> Self:
        if self._live:
            self._screen.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._screen.stop()

    def _say(self, text: str, style: str | None = None) -> None:
        self._console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


class VersusProgress(Display):
    """The verdict, which each block makes firmer."""

    def __init__(self, console: Console) -> None:
        self._status = Status("starting servers", console=console)
        super().__init__(console, self._status)
        self._verdict = "no block yet"

    def verdict_changed(self, verdict: str) -> None:
        """Shows how far the verdict is."""
        self._verdict = verdict
        self._update(verdict)

    def block_started(self, block: Block) -> None:
        if block.study:
            # Under valgrind an app starts 50 times slower, and reports nothing before it is counted.
            self._update(f"{self._verdict} · start {block.index + 1}: counting instructions")
        else:
            self._status.update(f"{self._verdict} · block {block.index + 1}: starting servers")

    def _update(self, text: str) -> None:
        if self._live:
            self._status.update(text)
        else:
            self._say(text)

    def progressed(self, progress: Progress) -> None:
        self._status.update(f"{self._verdict} · round {progress.round + 1}")

    def window_ended(self, window: Window, record: WindowRecord) -> None:
        for gate in record.gates:
            self._say(f"{window.id}: {ENGLISH.reason(gate.reason)}", "yellow")

    def target_failed(self, failure: Failure) -> None:
        self._say(f"{failure.target}: {ENGLISH.reason(failure.reason)}", "yellow")


class RunProgress(Display):
    """A bar over a table of rates, or a line per window."""

    def __init__(self, console: Console, manifest: Manifest) -> None:
        columns = (SpinnerColumn(), BarColumn(20), TextColumn("{task.percentage:>3.0f}%"), TimeElapsedColumn())
        self._bar = Bar(*columns, TextColumn("{task.fields[left]}"), console=console)
        self._now = "starting servers"
        self._rates = LiveRates(manifest)
        super().__init__(console, Live(console=console, refresh_per_second=4, get_renderable=self._drawn))
        self._task = self._bar.add_task("", total=1.0, left="")
        self._pace = self._total = self._done = 0.0
        self._blocks: dict[str, int] = {}
        self._block = ""
        self._shown: set[tuple[str, Reason]] = set()
        self._started = time.monotonic()

    def run_started(self, plan: Plan, folder: str) -> None:
        self._expect(plan.blocks)
        self._pace = plan.estimate_s / self._total if self._total else 0.0
        self._at(0.0)
        self._say(f"{plan_in_words(plan)}, seed {plan.seed}: {time_of(plan)}. Results: {folder}")

    def plan_extended(self, added: Extension) -> None:
        self._expect(added.blocks)
        if added.points:
            waits = ", ".join(point.id for point in added.points)
            self._say(f"{number_of(len(added.blocks), 'more block')} where a crossover lies: {waits}")
        for failure in added.left_out:
            if not failure.target:
                self._say(f"left out: {failure.point}: {ENGLISH.reason(failure.reason)}", "yellow")

    def block_started(self, block: Block) -> None:
        name = f"{block.study}, " if block.study else ""
        self._block = f"{name}block {block.index + 1} of {self._blocks.get(block.study, block.index + 1)}"
        self._now = f"{self._block}: starting {number_of(len(block.targets), 'server')}"

    def target_failed(self, failure: Failure) -> None:
        key = (failure.target, failure.reason)
        if key not in self._shown:
            self._shown.add(key)
            said = ENGLISH.reason(failure.reason.plus(side=failure.target))
            self._say("\n".join([said, *(f"    {line}" for line in failure.log[-6:])]), "yellow")

    def window_started(self, window: Window, attempt: int) -> None:
        again = f" (try {attempt + 1})" if attempt else ""
        self._now = f"{self._block}: {self._rates.words(window)}{again}"

    def progressed(self, progress: Progress) -> None:
        if progress.elapsed_s > 0:
            self._at(self._done + progress.elapsed_s, f", {progress.replies / progress.elapsed_s:,.0f} req/s")

    def window_ended(self, window: Window, record: WindowRecord) -> None:
        self._rates.add(record)
        if record.attempt == 0:
            self._done += window.budget_s
        self._total = max(self._total, self._done)
        left = self._at(self._done)
        for gate in record.gates:
            where = f"{gate.target}: " if gate.target else ""
            self._say(f"{self._rates.words(window)}: {where}{ENGLISH.reason(gate.reason)}", "yellow")
        if not self._live:
            elapsed = format_duration(time.monotonic() - self._started)
            said = f"{self._rates.words(window)}: {record_in_words(record)}"
            share = f"{self._done / self._total:.0%}" if self._total else ""
            self._say(f"[{share:>4}] {self._block}: {said} ({elapsed} so far, {left})")

    def _drawn(self) -> Group:
        table, now = self._rates.table(), Text(self._now, no_wrap=True, overflow="ellipsis")
        return Group(table, now, self._bar) if table else Group(now, self._bar)

    def _expect(self, blocks: Sequence[Block]) -> None:
        self._total += sum(block.load_s for block in blocks)
        for block in blocks:
            self._blocks[block.study] = max(self._blocks.get(block.study, 0), block.index + 1)

    def _at(self, done: float, more: str = "") -> str:
        """Moves the bar; the time left is that of the plan, without what goes to undecided contrasts at the end."""
        seconds = self._pace * max(0.0, self._total - done)
        left = f"{format_duration(seconds)} left" if seconds else "using the rest of the budget"
        self._bar.update(self._task, total=self._total, completed=done, left=left + more)
        return left


class LiveRates:
    """What the windows so far say of each target's throughput."""

    def __init__(self, manifest: Manifest) -> None:
        points = manifest.plan.points
        titles = {scenario.name: scenario.title for scenario in manifest.scenarios}
        self._names = display_names(manifest.targets)
        self._twins = {target.name for target in manifest.targets if target.twin_of}
        self._where = {
            each.id: f"{titles.get(each.scenario, each.scenario)}, {setting_of(each, ENGLISH)}" for each in points
        }
        # As in the report's summary: what waits for nothing first, then the longest waits.
        waiting = sorted((each for each in points if each.wait_s), key=lambda each: -each.wait_s)
        self._columns = [each.id for each in [*[each for each in points if not each.wait_s][:1], *waiting]]
        self._rates: dict[Side, list[float]] = defaultdict(list)

    def words(self, window: Window) -> str:
        """``Small JSON reply, 16 connections, 9 targets in turns``; of load on one target alone, that target."""
        targets = dict.fromkeys(self._names.get(side.target, side.target) for side in window.sides)
        where = self._where.get(window.sides[0].point, window.sides[0].point)
        if window.study:
            return f"{' and '.join(targets)}: {where} ({window.study})"
        more = len({side.point for side in window.sides}) - 1
        return f"{where}{f' and {more} more' if more else ''}, {number_of(len(targets), 'target')} in turns"

    def add(self, record: WindowRecord) -> None:
        """Each side's median over the slices of a window, if it has no fault."""
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
        return shown.text if len(rates) >= FIRM else shown.value.text


def record_in_words(record: WindowRecord) -> str:
    """The result of one window, in a few words."""
    answered = sum(side.answered for side in record.sides)
    if not record.study:
        return f"{number_of(answered, 'verified reply', 'verified replies')} in {record.duration_s:.1f} s"
    if record.failures:
        return ENGLISH.reason(record.failures[0].reason)
    if record.counts:
        counts = (f"{each.target} {each.per_request / 1e3:,.1f}" for each in record.counts)
        return f"thousand instructions per request: {', '.join(counts)}"
    if record.profiles:
        return ", ".join(f"{each.samples:,} samples of {each.cpu_us:,.0f} µs per request" for each in record.profiles)
    first, expected = record.sides[0], sum(side.planned for side in record.sides)
    parts = [f"{answered:,} of {expected:,} answered"] if expected else []
    if memory := first.figures.get("memory_bytes"):
        parts.append(f"memory {memory / MIB:.1f} MiB")
    for name, latency in first.latency_us.items():
        parts.append(f"{name} p99 {format_duration(latency['p99'] / 1e6)}")
    return ", ".join(parts)
