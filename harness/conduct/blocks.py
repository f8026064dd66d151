"""The only orchestrator: blocks of fresh servers, verified, measured slot by slot, each saved before the next."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from harness import validity
from harness.conduct.attempt import Attempts, Engine
from harness.errors import NotReadyError, RecordError
from harness.guard import Guard
from harness.launch import Fleet, Servers
from harness.model import Abilities, Block, Extension, Failure, Plan, Point, Side, Slot, SlotRecord, Target
from harness.objective import STUDIES
from harness.observe import Observer
from harness.placement import Placement
from harness.plan.timing import block_seconds, held_seconds
from harness.record import Run
from harness.services import WRITES, Services
from harness.studies.trials import Bench, measure_trials
from harness.studies.trials import incomplete as incomplete_windows
from harness.studies.trials import latest as latest_windows
from harness.verify import case_of, verify
from harness.verify.effort import effort
from harness.verify.features import probe_all
from harness.waiting import COUNTS, STUDY, hold, window_id

TRIES = 3
SHRINK = 0.25
LONGER = 1.5
"""A slot whose rate drifted is tried again for longer: what settles late has settled then."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run: slots and windows of studies, and how many of them lack a number."""

    slots: int
    incomplete: int

    @property
    def complete(self) -> bool:
        return self.incomplete == 0


Extend = Callable[[Run, float], Extension | None]
"""After the planned blocks: what is added to them, given the run so far and the seconds left; ``None`` ends the run."""


Alone = Callable[[float], int]
"""Measures the plan's windows until about a moment of ``time.monotonic()``; returns how many of them lack a number."""


def as_planned(run: Run, left_s: float) -> Extension | None:
    """Ends the run with its last planned block."""
    return None


def conduct(
    run: Run,
    engine: Engine,
    placement: Placement,
    observer: Observer,
    extend: Extend = as_planned,
    around: Services | None = None,
    fleet: Callable[[], Servers] | None = None,
    ceilings: Mapping[int, float] = validity.NO_CEILINGS,
    alone: Alone | None = None,
    features: bool = True,
) -> Outcome:
    """Measures what the run's plan still lacks, then what ``extend`` adds to it, and then the studies.

    ``around`` are the services that the targets call; the rows of the database are restored between slots that write.
    ``fleet`` makes the servers of a block; processes of our own unless given. ``ceilings`` are the rates of a null
    server by concurrency, for the gate that a target nearly as fast cannot pass. ``alone`` measures
    the plan's windows. ``features``: whether the first block also asks what each target can do, which takes a second.

    Whatever happens, servers are ended, and what was measured is on disk.

    Raises:
        RecordError: the results cannot be saved.
        EngineError: the load generator failed.
        NotReadyError: not one of the targets came up.
        KeyboardInterrupt: the user's; the run is marked as interrupted first.
    """
    began = time.monotonic()
    already = _spent(run)
    guard = Guard()
    try:
        conductor = _Conductor(run, engine, placement, observer, guard, around or Services(), fleet, ceilings, features)
        conductor.measure()
        conductor.extend(extend)
        missing = alone(conductor.deadline + conductor.alone_s) if alone is not None else 0
        measure_trials(Bench(run, engine, placement, observer, conductor.fleet))
    except BaseException:
        # The first error is the one to tell, also where the disk takes no manifest any more.
        with contextlib.suppress(RecordError):
            run.finish("interrupted", already + time.monotonic() - began)
        raise
    finally:
        guard.close()
    run.finish("finished", already + time.monotonic() - began)
    latest = latest_attempts(run.slots())
    incomplete = sum(1 for record in latest if record.failures or any(gate.fatal for gate in record.gates))
    windows = [record for record in run.windows() if record.study in STUDIES]
    tried = len(latest) + len(run.manifest.plan.windows) + len(latest_windows(windows))
    return Outcome(tried, incomplete + missing + incomplete_windows(windows))


def latest_attempts(records: Iterable[SlotRecord]) -> list[SlotRecord]:
    """The last attempt of every slot: the one that counts."""
    latest: dict[str, SlotRecord] = {}
    for record in records:
        if record.slot not in latest or record.attempt >= latest[record.slot].attempt:
            latest[record.slot] = record
    return list(latest.values())


def _spent(run: Run) -> float:
    """Seconds of earlier sittings; one that was killed could not write its own."""
    return max(run.manifest.duration_s, sum(record.duration_s for record in run.slots()))


class _Conductor:
    def __init__(
        self,
        run: Run,
        engine: Engine,
        placement: Placement,
        observer: Observer,
        guard: Guard,
        around: Services,
        fleet: Callable[[], Servers] | None,
        ceilings: Mapping[int, float],
        features: bool,
    ) -> None:
        self._run, self._placement, self._features = run, placement, features
        self._observer, self._guard, self._around = observer, guard, around
        self._attempts = Attempts(run, engine, placement, observer, around, ceilings)
        self.fleet, self._holds = fleet or self._own_fleet, fleet is None
        plan = run.manifest.plan
        self._plan: Plan = plan
        self._targets: Mapping[str, Target] = {target.name: target for target in run.manifest.targets}
        self._points: Mapping[str, Point] = {point.id: point for point in plan.points}
        done = {record.id for record in run.windows()}
        self.alone_s = sum(window.budget_s for window in plan.windows if window.id not in done)
        left = plan.budget_s - plan.studies_s - self.alone_s - _spent(run)
        self.deadline = time.monotonic() + max(left, self._missing_s())

    def measure(self) -> None:
        blocks = self._missing()
        for number, block in enumerate(blocks):
            self._block(block, blocks[number + 1 :])

    def _missing(self) -> list[Block]:
        """The blocks, without the slots that are recorded."""
        done = {record.slot for record in self._run.slots()}
        left = [
            replace(block, slots=tuple(slot for slot in block.slots if slot.id not in done))
            for block in self._plan.blocks
        ]
        return [block for block in left if block.slots]

    def _missing_s(self) -> float:
        return sum(block_seconds(len(b.targets)) + sum(slot.budget_s for slot in b.slots) for b in self._missing())

    def extend(self, more: Extend) -> None:
        """What is added joins the run's plan before it is measured, so that a resumed run knows it."""
        while True:
            added = more(self._run, self.deadline - time.monotonic())
            if added is None:
                return
            plan = self._plan
            self._plan = replace(
                plan,
                blocks=(*plan.blocks, *added.blocks),
                points=(*plan.points, *added.points),
                contrasts=(*plan.contrasts, *added.contrasts),
                left_out=(*plan.left_out, *added.left_out),
            )
            self._points = {point.id: point for point in self._plan.points}
            self._run.update(replace(self._run.manifest, plan=self._plan))
            self._observer.plan_extended(added)
            self.measure()

    def _block(self, block: Block, later: Sequence[Block]) -> None:
        self._observer.block_started(block.index, len(block.targets))
        self._hold(block)
        with self.fleet() as fleet:
            fleet.start([self._targets[name] for name in start_order(block, self._plan.seed)])
            for failure in fleet.failures.values():
                self._observer.target_failed(failure)
            if not fleet.running:
                first = next(iter(fleet.failures.values()))
                raise NotReadyError("no target came up; the first one: " + _with_log(first), hint="harness doctor")
            wrong = self._verify(block, fleet)
            for number, slot in enumerate(block.slots):
                self._slot(slot, fleet, wrong, block.slots[number + 1 :], later)
            # After the block's last slot, so that nothing measured so far has been touched by the probes.
            if self._features and not self._run.has_abilities():
                probed = probe_all(fleet.running.values())
                frameworks = {self._targets[feature.target].framework for feature in probed}
                self._run.save_abilities(Abilities(tuple(probed), effort(frameworks) if frameworks else ()))

    def _own_fleet(self) -> Fleet:
        cpus = tuple(sorted({*self._placement.server, *self._placement.generator}))
        return Fleet(
            self._guard,
            start_cpus=cpus,
            server_cpus=self._placement.server,
            many_cpus=self._placement.many,
            environment=self._around.environment,
        )

    def _hold(self, block: Block) -> None:
        """Waiting requests and their memory, under servers of their own: afterwards these are good for nothing else."""
        done = {record.id for record in self._run.windows()}
        left = [name for name in block.held if not all(window_id(block.index, name, n) in done for n in COUNTS)]
        if not left or not self._holds:
            return
        with self._own_fleet() as fleet:
            fleet.start([self._targets[name] for name in left])
            for failure in fleet.failures.values():
                self._observer.target_failed(failure)
            for name in left:
                self._observer.window_started(block.index, STUDY, name)
                if name in fleet.running:
                    for record in hold(fleet.running[name], block.index):
                        self._run.append_window(record, {})
                    fleet.kill(name)

    def _verify(self, block: Block, fleet: Servers) -> dict[Side, Failure]:
        """Every case that the block's slots send, to every target that will be sent it."""
        wrong: dict[Side, Failure] = {}
        for side in dict.fromkeys(side for slot in block.slots for side in slot.sides):
            running = fleet.running.get(side.target)
            if running is None:
                continue
            requests = self._points[side.point].requests
            pairs = [(request.endpoint, case_of(request)) for request in requests]
            for checked in verify(running.target, running.bind, pairs, running.secret):
                if checked.difference and side not in wrong:
                    message = f"{checked.endpoint} ({checked.case}): {checked.difference}"
                    wrong[side] = Failure(side.target, side.point, "wrong-reply", message, running.log())
                    self._observer.target_failed(wrong[side])
        return wrong

    def _slot(
        self, slot: Slot, fleet: Servers, wrong: Mapping[Side, Failure], rest: Sequence[Slot], later: Sequence[Block]
    ) -> None:
        planned = slot.budget_s + sum(s.budget_s for s in rest)
        planned += sum(s.budget_s for block in later for s in block.slots)
        starts = len(later) * _start_seconds(self._plan) + sum(held_seconds(len(block.held)) for block in later)
        left = max(0.0, self.deadline - time.monotonic() - starts)
        share = min(1.0, max(SHRINK, left / planned))
        budget = slot.budget_s * share
        slot = replace(slot, min_rounds=max(1, round(slot.min_rounds * share)))
        for attempt in range(TRIES):
            if any(request.endpoint in WRITES for side in slot.sides for request in self._points[side.point].requests):
                self._around.restore()
            self._observer.slot_started(slot, attempt)
            record = self._attempts.measure(slot, self._points, fleet, wrong, attempt, budget)
            self._observer.slot_ended(slot, record)
            spare = self.deadline - time.monotonic() > planned - slot.budget_s + starts + budget
            if not (validity.transient(record.gates) and spare):
                return
            if any(gate.gate == validity.UNSTEADY for gate in record.gates):
                budget *= LONGER


def start_order(block: Block, seed: int) -> list[str]:
    """The block's targets in an order of its own.

    Who starts first may get other memory, and so other caches, than who starts last; over blocks this must be noise of
    every target, not an advantage of one.
    """
    return random.Random(seed * 1009 + block.index).sample(block.targets, len(block.targets))


def _start_seconds(plan: Plan) -> float:
    """What a block is expected to take besides its slots and the requests that it holds."""
    slots = sum(slot.budget_s for block in plan.blocks for slot in block.slots)
    held = sum(held_seconds(len(block.held)) for block in plan.blocks)
    return max(0.0, (plan.estimate_s - slots - held) / len(plan.blocks))


def _with_log(failure: Failure) -> str:
    return "\n  ".join([failure.message, *failure.log])
