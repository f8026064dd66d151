"""The only orchestrator: blocks of fresh servers, verified, measured window by window, each saved before the next."""

from __future__ import annotations

import contextlib
import math
import random
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from harness.config.placement import Placement
from harness.engine.engine import Engine
from harness.engine.extra import allow_connections
from harness.errors import NotReadyError, RecordError, UsageError
from harness.instruments import CountingFleet
from harness.model import (
    LACKS,
    Block,
    Extension,
    Failure,
    Gate,
    Plan,
    PlannedRequest,
    Point,
    Reason,
    Scenario,
    Side,
    Target,
    Trial,
    Window,
    WindowRecord,
    final_attempts,
    lost_sides,
    side_faults,
)
from harness.plan.counting import INSTRUCTIONS
from harness.plan.points import lacking
from harness.plan.sampling import INSTRUMENTS, PROFILE
from harness.plan.timing import expected_seconds
from harness.record import Run
from harness.serve import LOOPBACK, Fleet, Running, Servers, environment
from harness.serve.guard import Guard
from harness.serve.interpreter import FREE_THREADED, gil_state
from harness.serve.services import WRITES, Services
from harness.session import validity
from harness.session.calls import calls_upstream
from harness.session.instruments import CountSender, SampleSender
from harness.session.loads import LoadSender
from harness.session.meter import Meter
from harness.session.observe import Observer
from harness.session.sender import Job, Sender, SendResult
from harness.session.statements import statements_of
from harness.session.turns import TurnsSender, blank
from harness.session.waiting import WaitingSender
from harness.studies.registry import STUDIES
from harness.studies.study import Requests, WaitingRequests, WindowSpec
from harness.verify import case_of, verify
from harness.verify.features import abilities

TRIES = 3
SHRINK = 0.25
"""The least share of its time that a window of a late run gets."""
COUNTS_MORE = 0.5
"""How much longer than planned all counts of a run may take, where the budget has no more to spare."""
LONGER = 1.5
"""A window whose rate drifted is tried again for longer: what settles late has settled then."""
FILES = 8192
"""Connections that a server under study may have to hold."""

Extend = Callable[[Run, float], Extension | None]
"""After the planned blocks: what is added to them, given the run so far and the seconds left; ``None`` for no more."""


def as_planned(run: Run, left_s: float) -> Extension | None:
    """Ends the run with its last planned block."""
    return None


@dataclass(frozen=True, slots=True)
class Bench:
    """What a run is measured with.

    Attributes:
        services: what the targets call; rows of the database are restored before windows that write.
        fleet: makes the servers of a block; ``None`` for processes of our own, of a ``kind``, listening on ``host``.
        ceilings: concurrency → replies per second from a null server: a target nearly as fast is not measurable.
        tries: how often a window is measured at most; see ``_Session._window`` for when it is measured again.
        senders: study → what sends its windows, for studies that are neither sides taking turns nor trials.
        features: whether the first block also asks what each target can do, which takes a few seconds.
        first: the servers of the first block, some of which may be up already.
        counted: the servers of the first count, which start already.
        overlap: for blocks that are alike and hardly longer than their starts: servers start all at once, while those
            of the block before end and it is judged. As that slows starts down, their times are not recorded.
    """

    engine: Engine
    placement: Placement
    observer: Observer = field(default_factory=Observer)
    services: Services = field(default_factory=Services)
    fleet: Callable[[], Servers] | None = None
    kind: type[Fleet] = Fleet
    host: str = LOOPBACK
    ceilings: Mapping[int, float] = field(default_factory=dict)
    tries: int = TRIES
    senders: Mapping[str, Sender] = field(default_factory=dict)
    features: bool = True
    first: Servers | None = None
    counted: CountingFleet | None = None
    overlap: bool = False


def measure(run: Run, bench: Bench, extend: Extend = as_planned) -> int:
    """Measures what the run's plan still lacks, what ``extend`` adds to it, and then its studies.

    Returns how many windows lack a number. Whatever happens, servers are ended, and what was measured is on disk.

    Raises:
        RecordError: the results cannot be saved, or another process is measuring this run.
        UsageError: a resumed run began with other versions of its packages.
        EngineError: the load generator failed.
        NotReadyError: none of a block's targets started.
        KeyboardInterrupt: the user's; the run is marked as interrupted first. The attempt under way is not recorded.
    """
    with run.locked():
        _check_versions(run)
        # An earlier sitting that was killed could not write how long it took.
        already = max(run.manifest.duration_s, sum(record.duration_s for record in run.windows()))
        began = time.monotonic()
        guard = Guard()
        try:
            session = _Session(run, bench, guard, already)
            with contextlib.closing(session):
                session.measure(extend)
        except BaseException:
            # The first error is the one to report, also where the disk takes no manifest any more.
            with contextlib.suppress(RecordError):
                run.finish("interrupted", already + time.monotonic() - began)
            raise
        finally:
            guard.close()
        run.finish("finished", already + time.monotonic() - began)
    final = final_attempts(run.windows())
    planned = {window.id for window in run.manifest.plan.windows} | {record.id for record in final}
    return len(planned) - sum(map(answered, final))


def answered(record: WindowRecord) -> bool:
    """Whether every side of a window has numbers, or declares that it cannot have them."""
    lost = lost_sides(side_faults(record))
    return all(fault.reason.code in LACKS for fault in lost.values()) and (bool(lost) or not record.failures)


def _check_versions(run: Run) -> None:
    """A resumed run must not mix figures of different packages silently."""
    before, now = run.manifest.versions, environment.versions()
    differing = [f"{name} {before[name]} → {now.get(name, 'none')}" for name in before if now.get(name) != before[name]]
    if run.windows() and differing:
        raise UsageError(
            f"{run.manifest.run} began with other versions: {', '.join(differing)}",
            hint="install those again, or begin a new run",
        )


def interrupted_attempt(run: Run, tries: int = TRIES) -> WindowRecord | None:
    """The last record of an interrupted run, where another try of its window was under way or was to follow."""
    last = next(reversed(run.windows()), None)
    if last is None or run.manifest.status == "finished":
        return None
    return last if validity.try_again(last, run.manifest.plan, tries) else None


class _Session:
    def __init__(self, run: Run, bench: Bench, guard: Guard, spent_s: float) -> None:
        self._run, self._bench, self._guard = run, bench, guard
        self._observer = bench.observer
        self._targets: Mapping[str, Target] = {target.name: target for target in run.manifest.targets}
        self._scenarios: Mapping[str, Scenario] = {one.name: one for one in run.manifest.scenarios}
        self._again = interrupted_attempt(run, bench.tries)
        self._done = {record.id for record in run.windows() if not self._again or record.id != self._again.id}
        self._load = LoadSender(bench.engine)
        left = run.manifest.plan.budget_s - spent_s
        self._deadline = time.monotonic() + max(left, sum(map(expected_seconds, self._missing(self._plan.blocks))))
        self._rest_s = 0.0
        """Expected time of all that comes after the present window."""
        plan, counts = self._plan, [block for block in self._plan.blocks if block.study == INSTRUCTIONS]
        planned_s, spare_s = expected_seconds(*counts), plan.budget_s - plan.estimate_s
        self._counts_s = planned_s + max(COUNTS_MORE * planned_s, spare_s) if counts and not self._done else math.inf
        self._counts_until: float | None = None
        """When the last count must be over; ``None`` before the first."""
        self._next = bench.first
        """The servers of the next block, some of which may be up already."""
        self._gil_checked = set[str]()
        """Targets whose interpreter was checked for its GIL."""
        self._ahead = bench.counted
        """The servers of the next count, which start already."""

    def close(self) -> None:
        """Ends servers that no block has used."""
        for servers in (self._next, self._ahead):
            if servers is not None:
                servers.close()

    @property
    def _plan(self) -> Plan:
        return self._run.manifest.plan

    @property
    def _points(self) -> Mapping[str, Point]:
        return {point.id: point for point in self._plan.points}

    def measure(self, extend: Extend) -> None:
        """The blocks in their order; what ``extend`` adds comes behind the last one whose sides take turns."""
        blocks = self._plan.blocks
        first = max((at + 1 for at, block in enumerate(blocks) if not block.study), default=0)
        studies = blocks[first:]
        studies_s = sum(map(expected_seconds, self._missing(studies)))
        self._blocks(blocks[:first], studies_s)
        while first and (added := extend(self._run, self._deadline - studies_s - time.monotonic())) is not None:
            self._add(added, studies)
            self._blocks(added.blocks, studies_s)
        self._blocks(studies, 0.0)

    def _add(self, added: Extension, studies: Sequence[Block]) -> None:
        """What is added joins the run's plan before it is measured, so that a resumed run knows it."""
        plan = self._plan
        before = plan.blocks[: len(plan.blocks) - len(studies)]
        plan = replace(
            plan,
            blocks=(*before, *added.blocks, *studies),
            points=(*plan.points, *added.points),
            contrasts=(*plan.contrasts, *added.contrasts),
            left_out=(*plan.left_out, *added.left_out),
        )
        self._run.update(replace(self._run.manifest, plan=plan))
        self._observer.plan_extended(added)

    def _missing(self, blocks: Sequence[Block]) -> list[Block]:
        """The blocks, without the windows and trials that are recorded."""
        left = [
            replace(
                block,
                windows=tuple(window for window in block.windows if window.id not in self._done),
                trials=tuple(trial for trial in block.trials if next(self._missing_windows(trial), None)),
            )
            for block in blocks
        ]
        return [block for block in left if block.windows or block.trials]

    def _blocks(self, blocks: Sequence[Block], after_s: float) -> None:
        missing = self._missing(blocks)
        for number, block in enumerate(missing):
            later = missing[number + 1 :]
            if not (block.study == INSTRUCTIONS and self._too_late(block.windows[0])):
                self._block(block, sum(map(expected_seconds, later)) + after_s, later)

    def _block(self, block: Block, after_s: float, later: Sequence[Block]) -> None:
        if block.trials:
            allow_connections(FILES)
        self._observer.block_started(block)
        counting = block.study == INSTRUCTIONS
        with self._fleet(block) as fleet:
            fleet.start(self._start_order(block))
            if self._ahead:
                # They are up and idle when clocks are read.
                self._ahead.start(self._start_order(block))
            if counting and later and later[0].study == INSTRUCTIONS:
                self._ahead = self._counting_fleet(later[0])
            for failure in fleet.failures.values():
                self._observer.target_failed(failure)
            if not fleet.running and not block.study:
                first = next(iter(fleet.failures.values()))
                log = "\n  ".join([first.reason.text, *first.log])
                raise NotReadyError(f"no target started; the first one: {log}", hint="harness doctor")
            self._interpreters(fleet)
            up = _Verified(self._observer, fleet)
            sender = self._sender(block, fleet)
            for side in block.sides:
                up.check(side, self._requests(side, None))
            following = [window for each in later if not each.study for window in each.windows]
            for number, window in enumerate(block.windows):
                rest = block.windows[number + 1 :]
                self._rest_s = after_s + sum(each.budget_s for each in rest)
                if counting and self._too_late(window, started=True):
                    break
                share = 1.0 if block.study else self._share(window, (*rest, *following))
                self._window(window, sender, up, share)
            for number, trial in enumerate(block.trials):
                self._rest_s = after_s + sum(each.budget_s for each in block.trials[number + 1 :])
                self._trial(trial, up)
            # After the block's last window, so that nothing measured so far has been touched by the probes.
            if self._bench.features and not block.study and not self._run.has_abilities():
                features = abilities(fleet.running.values(), self._guard)
                sent = {request.endpoint for point in self._plan.points for request in point.requests}
                statements = statements_of(fleet.running.values(), self._bench.services, sent)
                self._run.save_abilities(replace(features, statements=tuple(statements)))
            if self._bench.overlap:
                # Nobody knows yet whether there is another block; if not, they end as fast as they began.
                self._next = self._processes(block)
                self._next.begin(self._start_order(replace(block, index=block.index + 1)))

    def _interpreters(self, fleet: Servers) -> None:
        """Adds to the manifest's warnings, once for each target, whether a free-threaded interpreter has its GIL."""
        for name, running in fleet.running.items():
            if (running.target.python or FREE_THREADED) and name not in self._gil_checked:
                self._gil_checked.add(name)
                manifest, warning = self._run.manifest, gil_state(running)
                if warning and warning not in manifest.warnings:
                    self._run.update(replace(manifest, warnings=(*manifest.warnings, warning)))

    def _too_late(self, window: Window, *, started: bool = False) -> bool:
        """Whether a count would end after its time; then it and all that follow leave the plan."""
        needed_s = window.seconds if started or self._ahead else window.budget_s
        if self._counts_until is None:
            self._counts_until = time.monotonic() + self._counts_s
        if time.monotonic() + needed_s <= self._counts_until:
            return False
        self._counts_until = -math.inf
        if self._ahead:
            self._ahead.close()
        plan, self._ahead = self._plan, None
        counts = {each.id: len(each.sides) for each in plan.windows if each.study == INSTRUCTIONS}
        if left := {name: sides for name, sides in counts.items() if name not in self._done}:
            fields = {"left": sum(left.values()), "planned": sum(counts.values())}
            out = Failure("", INSTRUCTIONS, Reason("late-counts", fields))
            blocks = [
                replace(block, windows=tuple(each for each in block.windows if each.id not in left))
                for block in plan.blocks
            ]
            remaining = tuple(block for block in blocks if block.windows or block.trials)
            plan = replace(plan, blocks=remaining, left_out=(*plan.left_out, out))
            self._run.update(replace(self._run.manifest, plan=plan))
            self._observer.plan_extended(Extension((), left_out=(out,)))
        return True

    def _counting_fleet(self, block: Block) -> CountingFleet:
        fleet = CountingFleet(self._guard, self._bench.placement, self._bench.services.environment)
        fleet.begin(self._start_order(block))
        return fleet

    def _sender(self, block: Block, fleet: Servers) -> Sender:
        if isinstance(fleet, CountingFleet):
            return CountSender(fleet)
        bench = self._bench
        if block.study == PROFILE:
            return SampleSender(bench.engine, self._run.folder, bench.placement.generator)
        if block.study in bench.senders:
            return bench.senders[block.study]
        return TurnsSender(bench.engine, bench.ceilings)

    def _requests(self, side: Side, spec: WindowSpec | None) -> Sequence[PlannedRequest]:
        """What is sent to a side and can be checked before: the long replies of streams and slow readers are not."""
        if spec is not None:
            return spec.load.requests if isinstance(spec.load, Requests) else ()
        journeys = {journey.point: journey.requests for journey in self._run.manifest.journeys}
        return journeys[side.point] if side.point in journeys else self._points[side.point].requests

    def _start_order(self, block: Block) -> list[Target]:
        names = [trial.target for trial in block.trials]
        if not names:
            # Who starts first may get other memory, and so other caches, than who starts last; over blocks this must be
            # noise of every target, not an advantage of one.
            order = random.Random(self._plan.seed * 1009 + block.index)
            names = order.sample(block.targets, len(block.targets))
        return [self._targets[name] for name in names]

    def _fleet(self, block: Block) -> Servers:
        """The block's servers, which may have come up while those of the block before were measured."""
        if block.study == INSTRUCTIONS:
            ahead, self._ahead = self._ahead, None
            return ahead or self._counting_fleet(block)
        fleet, self._next = self._next, None
        if fleet is not None:
            return fleet
        return self._processes(block) if self._bench.fleet is None else self._bench.fleet()

    def _processes(self, block: Block) -> Fleet:
        placement = self._bench.placement
        if _wide(block.study):
            placement = replace(placement, server=placement.wide, many=placement.wide)
        return self._bench.kind(
            self._guard,
            placement,
            environment=self._bench.services.environment,
            host=self._bench.host,
            at_once=len(block.targets) if self._bench.overlap else 0,
        )

    def _share(self, window: Window, later: Sequence[Window]) -> float:
        """The share of its planned time that a window gets, less than 1 in a run that is late."""
        planned = window.budget_s + sum(each.budget_s for each in later)
        # Of what comes later, starts and studies take what they take.
        others_s = self._rest_s - (planned - window.budget_s)
        left = max(0.0, self._deadline - time.monotonic() - others_s)
        return min(1.0, max(SHRINK, left / planned))

    def _window(
        self, window: Window, sender: Sender, up: _Verified, share: float = 1.0, spec: WindowSpec | None = None
    ) -> WindowRecord:
        """Measures a window, and again while one of its gates may pass next time (``PASSING``) and time is left."""
        window = replace(window, min_rounds=max(1, round(window.min_rounds * share)))
        seconds = window.seconds * share
        record = self._again if self._again and self._again.id == window.id else None
        while True:
            if record and any(gate.reason.code == validity.UNSTEADY for gate in record.gates):
                seconds *= LONGER
            attempt = record.attempt + 1 if record else 0
            if any(request.endpoint in WRITES for side in window.sides for request in self._requests(side, spec)):
                self._bench.services.restore()
            self._observer.window_started(window, attempt)
            record = self._attempt(window, attempt, seconds, sender, up, spec)
            self._observer.window_ended(window, record)
            spare = self._deadline - time.monotonic() > self._rest_s + window.budget_s * share
            if not (spare and validity.try_again(record, self._plan, self._bench.tries)):
                return record

    def _attempt(
        self, window: Window, attempt: int, seconds: float, sender: Sender, up: _Verified, spec: WindowSpec | None
    ) -> WindowRecord:
        running = up.servers.running
        failures = {side: failure for side in window.sides if (failure := self._unfit(side, up, spec))}
        ready = tuple(side for side in window.sides if side not in failures)
        started_at, started = datetime.now(UTC), time.monotonic()
        placement = self._bench.placement
        many = any(self._targets[side.target].per_cpu for side in window.sides)
        called = not window.study and calls_upstream(self._points[side.point] for side in ready)
        upstream = self._bench.services.upstream if called else None
        serving = placement.wide if _wide(window.study) else placement.many if many else placement.server
        meter = Meter(running, placement, serving, upstream)
        sent, gates, machine = SendResult(()), tuple[Gate, ...](), dict[str, float]()
        if ready:
            seed = _seed(self._plan.seed, window, spec)
            job = Job(window, ready, self._points, running, seconds, seed, spec)
            sent = sender.send(job, meter, self._observer.progressed)
            if sent.interrupted:
                raise KeyboardInterrupt
            machine = {} if window.study in INSTRUMENTS else meter.machine
            # Sides that take turns are looked at turn by turn.
            alive = [side for side in ready if running[side.target].alive and not sent.slices]
            gates = (*validity.machine_gates(machine), *sent.gates, *validity.ended(alive, meter.ended))
            if spec is not None and spec.memory:
                gates = validity.without_timing(gates)
        for side in ready:
            if not running[side.target].alive:
                failures[side] = self._died(side, running[side.target])
        unmeasured = (blank(side, self._points, spec) for side in window.sides if side not in ready)
        record = WindowRecord(
            id=window.id,
            block=window.block,
            attempt=attempt,
            study=window.study,
            engine=sender.engine,
            started_at=started_at.isoformat(timespec="milliseconds"),
            duration_s=time.monotonic() - started,
            sides=(*sent.sides, *unmeasured),
            slices=sent.slices,
            failures=tuple(failures.values()),
            gates=gates,
            rss_bytes=meter.memory_bytes(),
            startup_s={
                name: each.startup_s for name, each in running.items() if each.startup_s and not self._bench.overlap
            },
            machine=machine,
            counts=sent.counts,
            profiles=sent.profiles,
        )
        self._done.add(window.id)
        return self._run.append(record, sent.samples)

    def _unfit(self, side: Side, up: _Verified, spec: WindowSpec | None) -> Failure | None:
        """Why a side cannot be measured; ``None`` where it can."""
        target = self._targets[side.target]
        if spec is not None and (lack := lacking(target, spec.needs, spec.capabilities)):
            return Failure(side.target, side.point, lack)
        running = up.servers.running.get(side.target)
        if running is None:
            return replace(up.servers.failures[side.target], point=side.point)
        return up.wrong.get(side) or (None if running.alive else self._died(side, running))

    def _died(self, side: Side, running: Running) -> Failure:
        reason = Reason("died", {"exit_code": str(running.exit_code)})
        failure = Failure(side.target, side.point, reason, running.log())
        self._observer.target_failed(failure)
        return failure

    def _trial(self, trial: Trial, up: _Verified) -> None:
        """Leads a study through its windows: those on disk are read, the others measured."""
        waiting = WaitingSender()
        try:
            for spec, answer in self._missing_windows(trial):
                sender: Sender = waiting if isinstance(spec.load, WaitingRequests) else self._load
                side = Side(trial.target, spec.key)
                up.check(side, self._requests(side, spec))
                seconds = spec.load.duration_s
                window = Window(f"{trial.id}-{spec.key}", trial.block, (side,), seconds, seconds, spec.study)
                answer(self._window(window, sender, up, spec=replace(spec, scenario=trial.scenario or trial.study)))
        finally:
            waiting.close()
        started = trial.target in up.servers.running and not self._targets[trial.target].elsewhere
        if isinstance(up.servers, Fleet) and started:
            up.servers.kill(trial.target)

    def _missing_windows(self, trial: Trial) -> Iterator[tuple[WindowSpec, Callable[[WindowRecord], None]]]:
        """The windows that the trial's study asks for and that have no record yet, each with what takes the record."""
        records = {record.id: record for record in final_attempts(self._run.windows()) if record.id in self._done}
        earlier = tuple(
            record
            for record in records.values()
            if record.block < trial.block
            and record.study not in ("", *INSTRUMENTS)
            and (record.only.scenario, record.only.target) == (trial.scenario or trial.study, trial.target)
        )
        study = STUDIES[trial.study]
        scenario, target = self._scenarios.get(trial.scenario), self._targets[trial.target]
        specs = study.windows(study.brief(scenario, trial.values, trial.block, earlier, target))
        answers: list[WindowRecord] = []
        with contextlib.suppress(StopIteration):
            spec = next(specs)
            while True:
                record = records.get(f"{trial.id}-{spec.key}")
                if record is None:
                    yield spec, answers.append
                    record = answers.pop()
                spec = specs.send(record)


class _Verified:
    """The servers of a block, and which of its sides do not answer as the contract says; each request is sent once."""

    def __init__(self, observer: Observer, servers: Servers) -> None:
        self._observer, self.servers = observer, servers
        self.wrong: dict[Side, Failure | None] = {}
        self._sent: dict[tuple[str, str], Reason | None] = {}

    def check(self, side: Side, requests: Sequence[PlannedRequest]) -> None:
        """Sends every request that a load of the side will send, where its server has not answered it already."""
        running = self.servers.running.get(side.target)
        if running is None or side in self.wrong:
            return
        self.wrong[side] = None
        for request in requests:
            case = case_of(request)
            key = side.target, f"{case.method} {case.path} {case.name}"
            if key not in self._sent:
                [checked] = verify(running, [(request.endpoint, case)])
                self._sent[key] = checked.reason
            if reason := self._sent[key]:
                failure = Failure(side.target, side.point, reason, running.log())
                self.wrong[side] = failure
                self._observer.target_failed(failure)
                return


def _wide(study: str) -> bool:
    return study in STUDIES and STUDIES[study].wide


def _seed(seed: int, window: Window, spec: WindowSpec | None) -> int:
    """Of windows in one block that share their arrivals, the same for every target."""
    if spec is None:
        return seed * 1_000_003 + window.block * 1009 + sum(window.id.encode())
    shared = zlib.crc32(f"{spec.study} {spec.arrivals or spec.key}".encode())
    return (seed * 1_000_003 + window.block * 1009 + shared) % 2**32
