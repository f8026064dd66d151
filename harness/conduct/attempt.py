"""One attempt at a slot: its load, the CPU time and the machine meanwhile, and the gates that it passes or not."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

from harness import validity
from harness.launch import Servers
from harness.load.spec import LoadMeasurement, Progress, SlotMeasurement, SlotSpec
from harness.model import Failure, Point, Side, Slices, Slot, SlotRecord, Target
from harness.observe import Observer
from harness.placement import Placement
from harness.record import Run
from harness.sampling import (
    MachineDelta,
    ProcessGone,
    TreeClock,
    clock_of,
    machine_delta,
    machine_sample,
    throttled_seconds,
)
from harness.services import Services, calls
from harness.studies.measure import Order
from harness.wire import side_spec

NO_SLICES = Slices(*((),) * 13)


class Engine(Protocol):
    """The load generator, as the orchestrator sees it."""

    def run_slot(self, spec: SlotSpec, on_progress: Callable[[Progress], None] | None = None) -> SlotMeasurement: ...

    def run_load(self, spec: Order, on_progress: Callable[[Progress], None] | None = None) -> LoadMeasurement: ...


class Attempts:
    """Measures slots of a run; it keeps nothing between them."""

    def __init__(
        self,
        run: Run,
        engine: Engine,
        placement: Placement,
        observer: Observer,
        around: Services,
        ceilings: Mapping[int, float],
    ) -> None:
        self._run, self._engine, self._placement = run, engine, placement
        self._observer, self._around, self._ceilings = observer, around, ceilings
        self._targets: Mapping[str, Target] = {target.name: target for target in run.manifest.targets}

    def measure(
        self,
        slot: Slot,
        points: Mapping[str, Point],
        fleet: Servers,
        wrong: Mapping[Side, Failure],
        attempt: int,
        budget_s: float,
    ) -> SlotRecord:
        """Sends the slot's load and appends what it yielded, with its gates, to the run.

        ``wrong`` are the sides whose replies were not the contract's; they, and those whose server is gone, get none.

        Raises:
            RecordError: the slot cannot be saved.
            EngineError: the load generator failed.
        """
        failures: dict[Side, Failure] = {}
        specs = []
        for side in slot.sides:
            running = fleet.running.get(side.target)
            if running is None:
                failure = fleet.failures[side.target]
                failures[side] = replace(failure, point=side.point)
            elif side in wrong:
                failures[side] = wrong[side]
            elif not running.alive:
                failures[side] = self._died(side, fleet)
            else:
                specs.append(side_spec(running.target, points[side.point], running))
        started_at, started = datetime.now(UTC), time.monotonic()
        trees = {
            name: clock_of(running.pid, running.usage_file) for name, running in fleet.running.items() if running.pid
        }
        loaded = [points[spec.point] for spec in specs]
        upstream = calls.meter(self._around.upstream, loaded)
        cpu, before, throttled = _total(trees), machine_sample(), throttled_seconds()
        # To find and read the clocks of 68 servers took 50 ms, in which none of them works: not part of the window.
        opened = time.monotonic()
        measured = None
        if specs:
            spec = SlotSpec(slot.id, tuple(specs), self._seed(slot), budget_s, slot.min_rounds)
            measured = self._engine.run_slot(spec, self._observer.slot_progress)
        closed = time.monotonic()
        serving = self._placement.server
        if any(self._targets[side.target].per_cpu for side in slot.sides):
            serving = self._placement.many
        window_s = closed - opened
        machine = self._machine(machine_delta(before, machine_sample()), (_total(trees) - cpu) / window_s, serving)
        if throttled is not None:
            machine["throttled"] = ((throttled_seconds() or 0.0) - throttled) / window_s
        if upstream is not None:
            machine |= upstream.read()
        for side in slot.sides:
            running = fleet.running.get(side.target)
            if running is not None and side not in failures and not running.alive:
                failures[side] = self._died(side, fleet)
        sent = tuple(Side(spec.target, spec.point) for spec in specs)
        sides = sent + tuple(side for side in slot.sides if side not in sent)
        gates = validity.examine(specs, measured, machine, self._ceilings) if measured else ()
        if upstream is not None and measured is not None:
            gates += calls.gates(machine, loaded, measured.sides)
        record = SlotRecord(
            slot=slot.id,
            block=slot.block,
            attempt=attempt,
            started_at=started_at.isoformat(timespec="milliseconds"),
            duration_s=closed - started,
            sides=sides,
            slices=known_cpu(measured.slices) if measured else NO_SLICES,
            errors={str(n): dict(o.errors) for n, o in enumerate(measured.sides) if o.errors} if measured else {},
            failures=tuple(failures.values()),
            gates=gates,
            rss_bytes={name: tree.memory_bytes() for name, tree in trees.items()},
            startup_s={name: running.startup_s for name, running in fleet.running.items() if running.startup_s},
            machine=machine,
        )
        samples = {n: outcome.service_time_us for n, outcome in enumerate(measured.sides)} if measured else {}
        return self._run.append(record, samples)

    def _machine(self, delta: MachineDelta, own: float, serving: tuple[int, ...]) -> dict[str, float]:
        """Shares of one CPU; ``foreign`` is what nobody's server used of the servers' CPUs, which are ``serving``."""
        server = sum(delta.busy.get(cpu, 0.0) for cpu in serving)
        generator = sum(delta.busy.get(cpu, 0.0) for cpu in self._placement.generator)
        shared = serving == self._placement.generator
        foreign = 0.0 if shared else max(0.0, server - own)
        return {"steal": delta.steal, "server": server, "generator": generator, "foreign": foreign}

    def _died(self, side: Side, fleet: Servers) -> Failure:
        running = fleet.running[side.target]
        code = running.process.poll()
        message = f"the server died under load (exit code {code})"
        failure = Failure(side.target, side.point, "died", message, running.log())
        self._observer.target_failed(failure)
        return failure

    def _seed(self, slot: Slot) -> int:
        return self._run.manifest.plan.seed * 1_000_003 + slot.block * 1009 + sum(slot.id.encode())


def known_cpu(slices: Slices) -> Slices:
    """CPU time that cannot be read (of a server elsewhere) as 0, which JSON can hold and no server uses."""
    return replace(slices, cpu=tuple(0.0 if math.isnan(cpu) else cpu for cpu in slices.cpu))


def _total(trees: Mapping[str, TreeClock]) -> float:
    """CPU seconds of all trees together; one that ended counts for nothing from then on."""
    total = 0.0
    for tree in trees.values():
        try:
            tree.refresh()
            total += tree.cpu()
        except ProcessGone:
            continue
    return total
