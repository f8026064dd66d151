"""Measures the trials of a plan: fresh servers for every block and study, one window after the other, each saved."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby

from harness.launch import Servers
from harness.load.beside import allow_files
from harness.load.spec import Progress
from harness.model import Failure, PlannedRequest, Scenario, Target, Trial, WindowRecord
from harness.observe import Observer
from harness.placement import Placement
from harness.record import Run
from harness.studies.ask import Ask, Brief, Requests, lacking
from harness.studies.measure import LoadEngine, measure, site_of, unmeasured
from harness.studies.registry import STUDIES
from harness.validity import transient
from harness.verify import case_of, verify

TRIES = 2
CANNOT = "cannot"
"""Kind of failure of a window that asks for what a target declares to lack."""

FILES = 8192
"""Connections that a server under study may have to hold."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What every trial of a run is measured with; ``fleet`` makes the servers of a block."""

    run: Run
    engine: LoadEngine
    placement: Placement
    observer: Observer
    fleet: Callable[[], Servers]


def latest(records: Iterable[WindowRecord]) -> dict[str, WindowRecord]:
    """The attempt that counts of each window: the last."""
    found: dict[str, WindowRecord] = {}
    for record in records:
        if record.id not in found or record.attempt >= found[record.id].attempt:
            found[record.id] = record
    return found


def incomplete(records: Iterable[WindowRecord]) -> int:
    """Windows without a sound figure; those that a target declares not to be able to do are none of them."""
    return sum(
        any(failure.kind != CANNOT for failure in record.failures) or any(gate.fatal for gate in record.gates)
        for record in latest(records).values()
    )


def measure_trials(bench: Bench) -> None:
    """Measures what the plan's trials still lack.

    Raises:
        RecordError: the results cannot be saved.
        EngineError: the load generator failed.
    """
    trials = bench.run.manifest.plan.trials
    if not trials:
        return
    allow_files(FILES)
    targets = {target.name: target for target in bench.run.manifest.targets}
    scenarios = {scenario.name: scenario for scenario in bench.run.manifest.scenarios}
    for (block, name), grouped in groupby(trials, key=lambda trial: (trial.block, trial.scenario)):
        group = [trial for trial in grouped if _ask_left(bench.run, trial, scenarios[name], targets[trial.target])]
        if not group:
            continue
        bench.observer.block_started(block, len(group))
        with bench.fleet() as fleet:
            fleet.start([targets[trial.target] for trial in group])
            for failure in fleet.failures.values():
                bench.observer.target_failed(failure)
            for trial in group:
                _measure(bench, fleet, trial, scenarios[name], targets[trial.target])


def _measure(bench: Bench, fleet: Servers, trial: Trial, scenario: Scenario, target: Target) -> None:
    bench.observer.trial_started(trial)
    verified: set[str] = set()

    def take(ask: Ask) -> WindowRecord:
        name = window_id(trial, ask)
        failure = _failure(fleet, target, ask, verified)
        if failure is not None:
            if failure.kind != CANNOT:
                bench.observer.target_failed(failure)
            return bench.run.append_window(unmeasured(ask, name, trial.block, target.name, failure), {})
        seed = (
            bench.run.manifest.seed * 1_000_003
            + trial.block * 1009
            + zlib.crc32(f"{trial.study} {ask.arrivals or ask.key}".encode())
        )
        running = fleet.running[target.name]
        for attempt in range(TRIES):
            record, samples = measure(
                ask,
                name,
                trial.block,
                attempt,
                site_of(running),
                bench.engine,
                bench.placement,
                seed % 2**32,
                _telling(bench.observer, name),
            )
            record = bench.run.append_window(record, samples)
            if not transient(record.gates):
                break
        return record

    replay(bench.run, trial, scenario, target, lambda ask: _shown(bench.observer, take(ask)))
    bench.observer.trial_ended(trial)


def replay(
    run: Run, trial: Trial, scenario: Scenario, target: Target, take: Callable[[Ask], WindowRecord | None]
) -> None:
    """Leads a study through its windows: those on disk are read, the others ``take``n; ``None`` ends it."""
    records = latest(run.windows())
    earlier = tuple(record for record in records.values() if record.block < trial.block and _belongs(record, trial))
    asking = STUDIES[trial.study].asks(Brief(trial, scenario, target, earlier))
    try:
        ask = next(asking)
        while True:
            record = records.get(window_id(trial, ask)) or take(ask)
            if record is None:
                return
            ask = asking.send(record)
    except StopIteration:
        return


def window_id(trial: Trial, ask: Ask) -> str:
    return f"{trial.id}-{ask.key}"


def _belongs(record: WindowRecord, trial: Trial) -> bool:
    return record.id == f"b{record.block:02d}{trial.id[3:]}-{record.point}"


def _ask_left(run: Run, trial: Trial, scenario: Scenario, target: Target) -> bool:
    """Whether any window of the trial is still to be measured."""
    left: list[Ask] = []
    replay(run, trial, scenario, target, left.append)
    return bool(left)


def _failure(fleet: Servers, target: Target, ask: Ask, verified: set[str]) -> Failure | None:
    """Why the window cannot be measured."""
    if lack := lacking(target, ask.needs):
        return Failure(target.name, ask.key, CANNOT, lack)
    running = fleet.running.get(target.name)
    if running is None:
        came = fleet.failures[target.name]
        return Failure(target.name, ask.key, came.kind, came.message, came.log)
    if not running.alive:
        code = running.process.poll()
        return Failure(target.name, ask.key, "died", f"the server died under load (exit code {code})", running.log())
    for request in _requests(ask):
        case = case_of(request)
        if case.path in verified:
            continue
        verified.add(case.path)
        for checked in verify(target, running.bind, [(request.endpoint, case)], running.secret):
            if checked.difference:
                message = f"{checked.endpoint} ({checked.case}): {checked.difference}"
                return Failure(target.name, ask.key, "wrong-reply", message, running.log())
    return None


def _requests(ask: Ask) -> tuple[PlannedRequest, ...]:
    """Those whose replies can be checked before the load: the long ones of streams and slow readers are not."""
    return ask.load.requests if isinstance(ask.load, Requests) else ()


def _telling(observer: Observer, name: str) -> Callable[[Progress], None]:
    return lambda progress: observer.slot_progress(Progress(name, progress.elapsed_s, 0, progress.replies))


def _shown(observer: Observer, record: WindowRecord) -> WindowRecord:
    observer.window_ended(record)
    return record
