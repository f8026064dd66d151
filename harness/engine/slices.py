"""A window of several sides that take turns in random order, slice by slice, with the CPU time of each server."""

from __future__ import annotations

import asyncio
import gc
import math
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.engine.clocks import ProcessGone, TreeClock, clock_of
from harness.engine.closedloop import ClosedLoop, Turn
from harness.engine.loops import PROGRESS_S, no_collections
from harness.engine.spec import OnProgress, Progress, SideOutcome, SideSpec, SlicesResult, SlicesSpec
from harness.engine.tally import GeneratorUse
from harness.model import Reason, Slices
from harness.model.units import US

LONGEST_SLICE_S = 1.0
SETTLE_S = 0.001
SETTLE_STEPS = 12
QUIET_STEPS = 5
SETTLED_SHARE = 0.05
"""After the last reply a server still has to close, log and clean up: work that its CPU cost includes, and that must
not fall into another's turn. It is waited for in steps of ``SETTLE_S`` until ``QUIET_STEPS`` in a row pass in each of
which the server used less than this share; for ``SETTLE_STEPS`` steps, or as long as the slice itself took where that
is longer: 1,000 requests that Django answered under ASGI leave work for half a second. One quiet step is not
enough: Linux may update the clock of a running process only at ticks, up to 4 ms apart.
"""

WARMUP_S = 0.05
"""A warm-up opens the connections and shows the rate; it need not hold many waits."""

GIVE_UP_SHARE = 0.5


@dataclass(slots=True)
class _Side:
    spec: SideSpec
    loop: ClosedLoop
    clock: TreeClock | None
    slice_s: float
    service: list[Any] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    fatal: Reason | None = None
    answered: int = 0
    unanswered: int = 0
    processes: Counter[int] = field(default_factory=Counter)

    def outcome(self) -> SideOutcome:
        return SideOutcome(
            service_time_us=np.concatenate(self.service) * US if self.service else np.empty(0),
            errors=dict(self.errors),
            examples=dict(self.examples),
            fatal=self.fatal,
            answered=self.answered,
            unanswered=self.unanswered + self.loop.traffic.retries,
            processes_cpu=tuple(spent * 1e-9 for _, spent in self.processes.most_common()),
        )


class SliceRunner:
    """Runs one ``SlicesSpec``; to be made and run within the engine's event loop.

    Args:
        on_progress: called a few times a second.
        stop: set to end it after the slice that is under way.
    """

    def __init__(self, spec: SlicesSpec, on_progress: OnProgress, stop: asyncio.Event) -> None:
        self._spec, self._on_progress, self._stop = spec, on_progress, stop
        self._rng, self._phases = random.Random(spec.seed), random.Random(spec.seed + 1)
        self._rows: dict[str, list[Any]] = {name: [] for name in Slices.__slots__}
        self._replies = self._round = 0
        self._begun = self._first = self._reported = 0.0
        self._clocks = {side.root_pid: clock_of(side.root_pid, side.usage_file) for side in spec.sides if side.root_pid}
        self._sides = [
            _Side(side, ClosedLoop(side, spec.seed), self._clocks.get(side.root_pid), side.slice_s)
            for side in spec.sides
        ]

    async def run(self) -> SlicesResult:
        self._begun = self._reported = time.perf_counter()
        use = GeneratorUse()
        try:
            with no_collections():
                await self._rounds()
        finally:
            for side in self._sides:
                side.loop.close()
        return SlicesResult(
            duration_s=time.perf_counter() - self._begun,
            slices=Slices(**{name: tuple(column) for name, column in self._rows.items()}),
            sides=tuple(side.outcome() for side in self._sides),
            **use.seconds(),
        )

    async def _rounds(self) -> None:
        for _ in range(self._spec.warmup_rounds):
            await self._one_round(self._calibrate, WARMUP_S)
        self._first = time.perf_counter()
        longest = 0.0
        while any(not side.fatal for side in self._sides) and not self._stop.is_set():
            started = time.perf_counter()
            if self._round >= self._spec.min_rounds and started + longest > self._begun + self._spec.budget_s:
                break
            await self._one_round(self._record, math.inf)
            longest = max(time.perf_counter() - started, longest * 0.9)
            self._round += 1

    async def _one_round(self, use: Callable[[int, _Side, Turn], None], window_s: float) -> None:
        """A turn of every side: its slice, or ``window_s`` past its ramp where that is shorter."""
        gc.collect(1)
        for index in self._rng.sample(range(len(self._sides)), len(self._sides)):
            side = self._sides[index]
            if side.fatal or self._stop.is_set():
                continue
            ramp = max(side.spec.lead_in_s, side.spec.stagger_s)
            turn = await self._slice(side, min(side.slice_s, ramp + window_s))
            self._replies += turn.replies
            if turn.gone:
                self._give_up(side, turn)
            else:
                use(index, side, turn)
            self._report_progress()

    async def _slice(self, side: _Side, length_s: float) -> Turn:
        # A turn of the loop, so that connections closed meanwhile are known to be before the first request.
        await asyncio.sleep(0)
        try:
            ended = side.clock.refresh() if side.clock else ()
            before = side.clock.cpu() if side.clock else math.nan
        except ProcessGone as error:
            now = time.perf_counter()
            return Turn(started=now, stopped=now, gone=(error.pid,))
        others, each = self._others(side), side.clock.each() if side.clock else {}
        generator = time.process_time()
        turn = await side.loop.turn(length_s, side.spec.stagger_s, self._phases.random())
        turn.generator_cpu = time.process_time() - generator
        side.answered += turn.replies
        side.unanswered += turn.errors.total() + turn.unfinished
        await settled(side.clock, turn.ended - turn.started)
        if side.clock:
            try:
                ended += side.clock.refresh()
                turn.cpu = side.clock.cpu() - before
                side.processes.update(
                    {pid: round((now - each[pid]) * 1e9) for pid, now in side.clock.each().items() if pid in each}
                )
            except ProcessGone as error:
                ended += (error.pid,)
        turn.foreign_cpu = sum(now - others[pid] for pid, now in self._others(side).items() if pid in others)
        turn.gone = ended
        return turn

    def _others(self, side: _Side) -> dict[int, float]:
        readings = {}
        for pid, clock in self._clocks.items():
            if pid != side.spec.root_pid:
                with suppress(ProcessGone):
                    readings[pid] = clock.cpu()
        return readings

    def _calibrate(self, index: int, side: _Side, turn: Turn) -> None:
        if self._failing(side, turn):
            _count(side, turn)
        elif turn.replies:
            gap = (turn.ended - turn.started) / turn.replies
            side.slice_s = max(side.slice_s, min(side.spec.least_replies * gap, LONGEST_SLICE_S))

    def _record(self, index: int, side: _Side, turn: Turn) -> None:
        _count(side, turn)
        window, counted = _window(side, turn)
        side.service.append(np.array(turn.service))
        row = {
            "round": self._round,
            "side": index,
            "started": turn.started - self._first,
            "length": turn.stopped - turn.started,
            "window": window,
            "drain": max(0.0, turn.ended - turn.stopped),
            "window_replies": counted,
            "replies": turn.replies,
            "wrong": turn.wrong,
            "failed": turn.failed,
            "cpu": turn.cpu,
            "generator_cpu": turn.generator_cpu,
            "foreign_cpu": turn.foreign_cpu,
        }
        for name, value in row.items():
            self._rows[name].append(value)
        self._failing(side, turn)

    def _failing(self, side: _Side, turn: Turn) -> bool:
        errors = turn.errors.total()
        if errors <= GIVE_UP_SHARE * (errors + turn.replies):
            return False
        [(kind, _)] = turn.errors.most_common(1)
        failed = {"failed": errors, "requests": errors + turn.replies}
        side.fatal = Reason("given-up", {**failed, "kind": kind, "example": turn.examples[kind]})
        return True

    def _give_up(self, died: _Side, turn: Turn) -> None:
        gone = sorted(set(turn.gone))
        _count(died, turn)
        for side in self._sides:
            # Sides of one server share its processes, and so its fate.
            if side.clock is died.clock and not side.fatal:
                side.fatal = Reason("process-ended", {"count": len(gone)})
                side.errors["process-died"] = 1
                side.examples["process-died"] = f"process {', '.join(map(str, gone))} ended"

    def _report_progress(self) -> None:
        now = time.perf_counter()
        if now - self._reported >= PROGRESS_S:
            self._reported = now
            self._on_progress(Progress(now - self._begun, self._round, self._replies))


def _window(side: _Side, turn: Turn) -> tuple[float, int]:
    """The time over which throughput is counted, and the right replies in it.

    Where requests wait (``lead_in_s``), from the end of the ramp to the last send. Elsewhere the server works from the
    first send to the last reply, so that all replies over all of that time are its rate: replies that come in waves of
    the concurrency would make a window's count too coarse. Where many wait, the time in which such a server had nothing
    to do is taken off.
    """
    spec, lead_in_s = side.spec, min(side.spec.lead_in_s, side.slice_s / 2)
    if not lead_in_s:
        elapsed = turn.ended - turn.started
        return elapsed - idle_seconds(elapsed, turn.replies, spec.connections, spec.crowd_wait_s), turn.replies
    opened, ends = turn.started + lead_in_s, np.array(turn.ends)
    return turn.stopped - opened, int(np.count_nonzero((ends >= opened) & (ends <= turn.stopped)))


def idle_seconds(elapsed_s: float, replies: int, connections: int, wait_s: float) -> float:
    """For how long a server had nothing to do between the first send and the last reply, because all requests waited.

    One wait in all where it keeps up with the connections, and none where a request takes two waits or more to come
    round; in between two waits less that cycle, which is connections ÷ rate. As the rate is replies ÷ (elapsed − idle),
    it is (replies − connections) ÷ (elapsed − 2 waits) there. In simulated event loops and thread pools with 256 and
    1,000 connections the rate is out by 0.4% at most, and by up to 4% where the cycle is between one and two waits.
    """
    if elapsed_s <= 2 * wait_s or replies <= connections:
        return 0.0
    cycle_s = connections * (elapsed_s - 2 * wait_s) / (replies - connections)
    return min(wait_s, max(0.0, 2 * wait_s - cycle_s))


async def settled(clock: TreeClock | None, slice_s: float) -> None:
    """Wait until the server has finished the work that a slice of ``slice_s`` seconds left, at most as long again."""
    if clock is None:
        await asyncio.sleep(SETTLE_S)
        return
    deadline, quiet = time.perf_counter() + max(SETTLE_STEPS * SETTLE_S, slice_s), 0
    try:
        before = clock.cpu()
        while quiet < QUIET_STEPS and time.perf_counter() < deadline:
            await asyncio.sleep(SETTLE_S)
            now = clock.cpu()
            quiet = quiet + 1 if now - before < SETTLED_SHARE * SETTLE_S else 0
            before = now
    except ProcessGone:
        return


def _count(side: _Side, turn: Turn) -> None:
    side.errors += turn.errors
    side.examples = turn.examples | side.examples
