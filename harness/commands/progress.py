"""Progress of a run on stderr: a live bar on a terminal, one plain line per slot elsewhere."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from harness.load.spec import Progress as SlotProgress
from harness.model import Extension, Failure, Plan, Slot, SlotRecord, Trial, Window, WindowRecord
from harness.observe import Observer
from harness.units import format_duration


class ProgressObserver(Observer):
    """A context manager; shows the bar where ``console`` is a terminal."""

    def __init__(self, console: Console, quiet: bool = False) -> None:
        self._console, self._quiet = console, quiet
        self._live = console.is_terminal and not quiet
        columns = (SpinnerColumn(), BarColumn(24), TextColumn("{task.percentage:>3.0f}%"), TimeElapsedColumn())
        texts = (TextColumn("{task.fields[left]}"), TextColumn("{task.description}"))
        self._bar = Progress(*columns, *texts, console=console, refresh_per_second=4)
        self._task = self._bar.add_task("starting servers", total=1.0, left="")
        self._pace = 0.0
        self._total = self._done = 0.0
        self._slots = self._slot_number = 0
        self._blocks = self._trials = self._trial_number = 0
        self._window = ""
        self._shown: set[tuple[str, str]] = set()
        self._started = time.monotonic()

    def __enter__(self) -> ProgressObserver:
        if self._live:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Where it was never started, stopping would print an empty line.
        if self._live:
            self._bar.stop()

    def run_started(self, plan: Plan, folder: str) -> None:
        self._total = sum(slot.budget_s for block in plan.blocks for slot in block.slots)
        self._total += sum(window.seconds for window in plan.windows)
        self._total += sum(trial.budget_s for trial in plan.trials)
        self._trials = len(plan.trials)
        self._slots = sum(len(block.slots) for block in plan.blocks)
        self._blocks = max([len(plan.blocks), *(trial.block + 1 for trial in plan.trials)])
        self._pace = (plan.estimate_s + plan.studies_s) / self._total if self._total else 0.0
        self._bar.update(self._task, total=self._total)
        self._at(0.0)
        parts = []
        if plan.blocks:
            parts.append(f"{len(plan.blocks[0].targets)} targets × {len(plan.points)} points in {self._blocks} blocks")
        if plan.windows:
            parts.append(f"{len(plan.windows)} windows of load on one target alone")
        if plan.trials:
            studies = len({trial.scenario for trial in plan.trials})
            targets = len({trial.target for trial in plan.trials})
            parts.append(f"{studies} {'study' if studies == 1 else 'studies'} of {targets} targets alone")
        self._say(f"{' and '.join(parts)}, seed {plan.seed}: {time_of(plan)}. Results: {folder}")

    def plan_extended(self, added: Extension) -> None:
        self._total += sum(slot.budget_s for block in added.blocks for slot in block.slots)
        self._slots += sum(len(block.slots) for block in added.blocks)
        self._blocks += len(added.blocks)
        self._bar.update(self._task, total=self._total)
        if added.points:
            waits = ", ".join(point.id for point in added.points)
            self._say(f"{len(added.blocks)} blocks more, where a crossover lies: {waits}")

    def block_started(self, index: int, targets: int) -> None:
        self._describe(f"block {self._block(index)}: starting {targets} servers")

    def target_failed(self, failure: Failure) -> None:
        key = (failure.target, failure.message)
        if key not in self._shown:
            self._shown.add(key)
            lines = [f"{failure.target}: {failure.message}", *(f"    {line}" for line in failure.log[-6:])]
            self._say("\n".join(lines), style="yellow")

    def slot_started(self, slot: Slot, attempt: int) -> None:
        self._slot_number += attempt == 0
        again = f" (try {attempt + 1})" if attempt else ""
        self._describe(f"block {self._block(slot.block)}  {slot.id.partition('-')[2]}{again}")

    def slot_progress(self, progress: SlotProgress) -> None:
        if progress.elapsed_s > 0:
            rate = progress.replies / progress.elapsed_s
            name = self._window or progress.slot.partition("-")[2]
            text = f"{name}  {rate:,.0f} req/s" + ("" if self._window else f", round {progress.round + 1}")
            self._at(self._done + progress.elapsed_s)
            self._describe(text)

    def slot_ended(self, slot: Slot, record: SlotRecord) -> None:
        if record.attempt == 0:
            self._done += slot.budget_s
        self._at(self._done)
        for gate in record.gates:
            if gate.fatal:
                self._say(f"{slot.id}: {gate.target or 'slot'}: {gate.gate}: {gate.reason}", style="yellow")
        if not self._live and not self._quiet:
            replies = sum(record.slices.replies)
            elapsed = format_duration(time.monotonic() - self._started)
            self._console.print(
                f"[{self._slot_number}/{self._slots}] {slot.id}: {replies:,} verified replies in "
                f"{record.duration_s:.1f} s ({elapsed} so far)",
                markup=False, highlight=False, soft_wrap=True,
            )  # fmt: skip

    def window_started(self, block: int, study: str, target: str) -> None:
        self._describe(f"block {self._block(block)}  {study}: {target}")

    def journey_started(self, window: Window, number: int, count: int, attempt: int) -> None:
        self._window = f"[{number}/{count}] {window.target}, {window.point}"
        again = f" (try {attempt + 1})" if attempt else ""
        self._describe(f"{self._window}: starting{again}")

    def journey_ended(self, window: Window, record: WindowRecord) -> None:
        if record.attempt == 0:
            self._done += window.seconds
        self._at(self._done)
        for gate in record.gates:
            self._say(f"{window.target}, {window.point}: {gate.gate}: {gate.reason}", style="yellow")
        if not self._live and not self._quiet:
            elapsed = format_duration(time.monotonic() - self._started)
            took = f"{record.duration_s:.1f} s ({elapsed} so far)"
            text = f"{self._window}: {record.answered:,} verified replies in {took}"
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def trial_started(self, trial: Trial) -> None:
        self._window = f"{trial.scenario}: {trial.target}"
        self._trial_number += 1
        self._describe(f"block {self._block(trial.block)}  {trial.scenario}: {trial.target}")

    def window_ended(self, record: WindowRecord) -> None:
        for gate in record.gates:
            if gate.fatal:
                self._say(f"{record.id}: {gate.gate}: {gate.reason}", style="yellow")
        self._done += record.duration_s
        self._total = max(self._total, self._done)
        self._bar.update(self._task, total=self._total)
        self._at(self._done)
        if not self._live and not self._quiet:
            elapsed = format_duration(time.monotonic() - self._started)
            self._console.print(
                f"[{self._trial_number}/{self._trials}] {record.id}: {window_text(record)} ({elapsed} so far)",
                markup=False, highlight=False, soft_wrap=True,
            )  # fmt: skip

    def trial_ended(self, trial: Trial) -> None:
        self._window = ""

    def warned(self, message: str) -> None:
        self._say(message, style="yellow")

    def _at(self, done: float) -> None:
        """Moves the bar; the time left is that of the plan, without what goes to undecided contrasts at the end."""
        left = self._pace * max(0.0, self._total - done)
        text = f"{format_duration(left)} left" if left else "using what is left of the budget"
        self._bar.update(self._task, completed=done, left=text)

    def _block(self, index: int) -> str:
        return f"{index + 1}/{self._blocks}"

    def _describe(self, text: str) -> None:
        self._bar.update(self._task, description=escape(text))

    def _say(self, text: str, style: str = "") -> None:
        if not self._quiet:
            self._console.print(text, style=style or None, markup=False, highlight=False, soft_wrap=True)


def time_of(plan: Plan) -> str:
    """What the run will take, in words: what is planned, and what may be added to it."""
    if not plan.blocks:
        return f"about {format_duration(plan.studies_s)}"
    text = f"about {format_duration(plan.estimate_s)}"
    if plan.reserve_s:
        text += f", then up to {format_duration(plan.reserve_s)} to narrow down crossovers"
    if plan.studies_s:
        text += f", then {format_duration(plan.studies_s)} of studies"
    return text


def window_text(record: WindowRecord) -> str:
    """What one window came to, in a few words."""
    if record.failures:
        return record.failures[0].message
    parts = [f"{record.answered:,} of {record.planned:,} answered"]
    for name, latency in record.latency_us.items():
        parts.append(f"{name} p99 {format_duration(latency['p99'] / 1e6)}")
    return ", ".join(parts)
