"""What a run recorded: slices, windows, gates that fired, and the manifest of it all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.model.declared import Journey, ParamValue, Scenario, Target
from harness.model.planned import Failure, Plan, Side
from harness.model.profiled import CpuProfile
from harness.model.reason import Reason
from harness.model.units import US

RESOLUTION = "resolves, in CPU cost"
"""The key of the last selftest's result in a manifest's environment."""

RunStatus = Literal["running", "finished", "interrupted"]


@dataclass(frozen=True, slots=True)
class Gate:
    """A validity check that failed: no number may be drawn from what it is about.

    Attributes:
        target, point: the turns that it is about; empty for all of them.
    """

    reason: Reason
    target: str = ""
    point: str = ""


@dataclass(frozen=True, slots=True)
class Slices:
    """The slices of one window, a column per quantity, an entry per slice.

    Attributes:
        round: index of the round, from 0; warm-up rounds are not recorded.
        side: index into the window's sides.
        started: seconds since the window's first slice.
        length: from the first send to the last moment at which a new request was sent.
        window: seconds of the slice over which throughput is counted (no ``Window``): slice and drain; where requests
            wait, the slice without its lead-in.
        drain: from the end of ``length`` to the last reply.
        window_replies: verified replies within the window.
        replies: verified replies in slice and drain together.
        wrong: replies that differed from the contract.
        failed: requests that ended without a whole reply, of any kind.
        cpu: CPU seconds of the server's process tree in slice and drain.
        generator_cpu: CPU seconds of the generator in slice and drain.
        foreign_cpu: CPU seconds that the *other* servers of the group used meanwhile.
    """

    round: tuple[int, ...]
    side: tuple[int, ...]
    started: tuple[float, ...]
    length: tuple[float, ...]
    window: tuple[float, ...]
    drain: tuple[float, ...]
    window_replies: tuple[int, ...]
    replies: tuple[int, ...]
    wrong: tuple[int, ...]
    failed: tuple[int, ...]
    cpu: tuple[float, ...]
    generator_cpu: tuple[float, ...]
    foreign_cpu: tuple[float, ...]

    def sums(self, side: int, *columns: str) -> list[float]:
        """Of each column, the sum over the side's slices."""
        indices = [at for at, owner in enumerate(self.side) if owner == side]
        return [sum(getattr(self, column)[at] for at in indices) for column in columns]


@dataclass(frozen=True, slots=True)
class SideResult:
    """The result of one side of a window.

    Attributes:
        params: the scenario's parameters; of a study, what was set for the window: ``rate``, ``idle``, …
        concurrency: connections, or users of a journey.
        planned: requests that were sent or due; ``answered``: verified replies.
        errors: kind of error → count.
        latency_us: class of request → ``count p50 p90 p99 p999 max``, response times in an open loop and service times
            in a closed one, in microseconds, over verified replies; empty where they are in ``samples`` alone.
        figures: other numbers, with the unit in the name: ``throughput_rps``, ``cpu_s``, …
        worker_shares: which part of the requests each worker of its server answered, by CPU time, most first; empty
            where it has one, or this is unknown.
    """

    target: str
    point: str
    scenario: str
    params: Mapping[str, ParamValue]
    concurrency: int
    planned: int = 0
    answered: int = 0
    errors: Mapping[str, int] = field(default_factory=dict)
    latency_us: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)
    worker_shares: tuple[float, ...] = ()

    @property
    def side(self) -> Side:
        return Side(self.target, self.point)

    @property
    def cpu_us(self) -> float | None:
        """CPU microseconds of the server per verified reply, of a side that has its window for itself."""
        if self.answered and "cpu_s" in self.figures and "cpu_us" not in self.figures:
            return self.figures["cpu_s"] * US / self.answered
        return self.figures.get("cpu_us")


@dataclass(frozen=True, slots=True)
class InstructionCount:
    """What one freshly started server executes per verified reply, in instructions.

    Attributes:
        counter: what counted: ``perf_event``, the CPU itself, or ``callgrind``, which leaves out the kernel.
        per_request: without what the idle server executes for as long, and without ``collections``.
        requests: verified replies that were counted.
        idle_per_s: what the server executes per second for its heartbeats, which idle servers have too.
        objects: shared object → instructions per reply.
        collections: instructions per reply of Python's collections of garbage, where they can be distinguished.
            They come every some hundred replies: whether one more falls into a count is chance.
        settings: variables of the server's environment that make every start do the same work.
        why: why it was not the CPU itself that counted.
    """

    target: str
    point: str
    counter: str
    per_request: float
    requests: int
    connections: int
    idle_per_s: float
    objects: Mapping[str, float]
    settings: Mapping[str, str]
    why: str = ""
    collections: float = 0.0


@dataclass(frozen=True, slots=True)
class WindowRecord:
    """One line of ``windows.jsonl``: the result of one attempt at a window.

    Attributes:
        attempt: 0 for the first try of the window.
        study: what its block was for, or a part of that, as ``overload`` is of ``capacity``; empty where its sides took
            turns.
        engine: ``wire`` or ``locust``; figures of different engines are never compared.
        sides: those that were measured, in the order that ``slices`` counts them, then those that had failed before.
        slices: the turns that its sides took; ``None`` where none took any.
        rss_bytes: target → resident memory of its process tree at the window's end.
        startup_s: target → seconds from start to readiness in this block.
        machine: what the machine did meanwhile: ``steal``, ``foreign``, ``server`` as shares of a CPU, …
            Where the upstream service was called also ``upstream``, its share, and ``upstream_calls``, a count.
        samples: file of raw latencies, relative to the run's folder; empty where none were saved.
        counts: of its sides, where instructions were counted.
        profiles: of its sides, where servers were sampled, without callers.
    """

    id: str
    block: int
    attempt: int
    study: str
    engine: Literal["wire", "locust"]
    started_at: str
    duration_s: float
    sides: tuple[SideResult, ...]
    slices: Slices | None = None
    failures: tuple[Failure, ...] = ()
    gates: tuple[Gate, ...] = ()
    rss_bytes: Mapping[str, int] = field(default_factory=dict)
    startup_s: Mapping[str, float] = field(default_factory=dict)
    machine: Mapping[str, float] = field(default_factory=dict)
    samples: str = ""
    counts: tuple[InstructionCount, ...] = ()
    profiles: tuple[CpuProfile, ...] = ()
    schema: int = 5

    @property
    def only(self) -> SideResult:
        """The side of a window that has one."""
        [side] = self.sides
        return side

    @property
    def sound(self) -> bool:
        """Whether nothing forbids to draw numbers from it."""
        return not self.failures and not self.gates

    @property
    def faults(self) -> tuple[Reason, ...]:
        """Why no number may be drawn from it; empty where it is sound."""
        return (*(failure.reason for failure in self.failures), *(gate.reason for gate in self.gates))


ExclusionKind = Literal["failure", "gate", "replies", "missing", "times"]

TIMES_ONLY = frozenset({"steal", "throttled", "foreign-cpu", "generator-starved"})
"""Codes of gates that say nothing against CPU cost: who waits for a CPU that others use does not spend CPU time."""

DISTURBED_LIMIT = 0.5
"""The largest share in such a gate for which this holds. Above it the caches hold mostly the data of other programs,
which slows some apps more than others.
"""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Why a side of a counted window gives no number, or only some.

    Kind ``missing``: some slices have none. ``times``: throughput and latency are void, CPU cost is not.
    """

    side: Side
    kind: ExclusionKind
    reason: Reason


def side_faults(record: WindowRecord) -> dict[Side, Exclusion]:
    """The sides from which no number may be drawn, because of a failure, a gate, or a wrong or failed reply.

    Where the kind of the exclusion is ``times``, CPU cost may be drawn.
    """
    faults: dict[Side, Exclusion] = {}
    slices = record.slices
    for index, side in enumerate(record.sides):
        exclusions: list[tuple[ExclusionKind, Reason]] = [
            ("failure", failure.reason) for failure in record.failures if _concerns(failure, side)
        ]
        for gate in record.gates:
            if _concerns(gate, side):
                exclusions.append(("times" if slices is not None and times_only(gate) else "gate", gate.reason))
        if slices is not None:
            wrong, failed = slices.sums(index, "wrong", "failed")
            if wrong + failed:
                exclusions.append(("replies", Reason("bad-replies", {"wrong": wrong, "failed": failed})))
            if index not in slices.side:
                exclusions.append(("missing", Reason("no-slice")))
        if exclusions:
            gravest = next((each for each in exclusions if each[0] != "times"), exclusions[-1])
            faults[side.side] = Exclusion(side.side, *gravest)
    return faults


def times_only(gate: Gate) -> bool:
    """Whether a gate voids throughput and latency, and leaves CPU cost."""
    fields = gate.reason.fields
    share = fields.get("share", fields.get("wait", 1.0))
    return gate.reason.code in TIMES_ONLY and isinstance(share, float) and share <= DISTURBED_LIMIT


def lost_sides(faults: Mapping[Side, Exclusion]) -> dict[Side, Exclusion]:
    """Of ``side_faults``, the sides that gave no number at all."""
    return {side: fault for side, fault in faults.items() if fault.kind != "times"}


def final_attempts(records: Iterable[WindowRecord]) -> tuple[WindowRecord, ...]:
    """The attempt that counts of each window, by block: the one with the fewest sides that gave no number, then
    the fewest that gave CPU cost alone, then the latest.
    """

    def rank(record: WindowRecord) -> tuple[int, int, int]:
        faults = side_faults(record)
        return -len(lost_sides(faults)), -len(faults), record.attempt

    best: dict[str, WindowRecord] = {}
    for record in records:
        if record.id not in best or rank(record) >= rank(best[record.id]):
            best[record.id] = record
    return tuple(sorted(best.values(), key=lambda record: record.block))


def _concerns(what: Failure | Gate, side: SideResult) -> bool:
    """Whether a gate or failure is about this side; an empty target or point means all of them."""
    return what.target in ("", side.target) and what.point in ("", side.point)


@dataclass(frozen=True, slots=True)
class Feature:
    """The result of a live probe.

    Attributes:
        declared: whether the target is declared to have it; ``why`` is the reason where it is not.
        present: whether it has it; ``detail`` says what was missing where it has not.
    """

    target: str
    capability: str
    declared: bool
    present: bool
    why: str = ""
    detail: Reason | None = None

    @property
    def as_declared(self) -> bool:
        return self.declared == self.present


OWN = "app"
"""The key of an app's own lines."""


@dataclass(frozen=True, slots=True)
class Statements:
    """The SQL statements of one request, counted by the database.

    Attributes:
        verbs: of each, in order: ``BEGIN``, ``SELECT``, ``ROLLBACK``; ``None`` where requests differed from each other.
        prepared: how many of them were prepared before, and so not parsed again.
    """

    target: str
    endpoint: str
    verbs: tuple[str, ...] | None = None
    prepared: int = 0


@dataclass(frozen=True, slots=True)
class Effort:
    """What an app needed to implement the contract, beyond its framework and what all apps share.

    Attributes:
        app: its module: ``django_app.asgi``. ``endpoints``: how many of the contract's it has.
        lines: ``OWN`` (of its modules) and what the contract does in place of its framework → lines of code.
        packages: distribution → version.
    """

    app: str
    framework: str
    endpoints: int
    lines: Mapping[str, int]
    packages: Mapping[str, str]

    @property
    def own_lines(self) -> int:
        return self.lines.get(OWN, 0)

    @property
    def total_lines(self) -> int:
        return sum(self.lines.values())


@dataclass(frozen=True, slots=True)
class Abilities:
    """``features.json``: what the run's targets can do, probed once, and what their apps needed for it.

    Attributes:
        statements: of one request to each endpoint that the run sends and that uses the database, where that is the
            embedded one.
        untouched: of the smallest app of each framework, and of an introduction's first app; ``target`` is its name.
    """

    features: tuple[Feature, ...]
    effort: tuple[Effort, ...] = ()
    statements: tuple[Statements, ...] = ()
    untouched: tuple[Feature, ...] = ()
    schema: int = 5


@dataclass(frozen=True, slots=True)
class Manifest:
    """``manifest.json``: all that is needed to read a run again, and to repeat it.

    Attributes:
        placement: ``server``, ``generator``, ``backing``, ``many`` (servers with a worker per CPU), ``wide`` (servers
            of the scaling study) → numbers of their CPUs; none where they are not pinned.
        versions: of the packages that matter, where ``harness`` runs.
        writer: the toolkit's version.
        packages: target → package → version, for targets with an interpreter of their own.
    """

    run: str
    name: str
    created_at: str
    status: RunStatus
    command: str
    seed: int
    plan: Plan
    targets: tuple[Target, ...]
    scenarios: tuple[Scenario, ...]
    environment: Mapping[str, str]
    versions: Mapping[str, str]
    placement: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    warnings: tuple[Reason, ...] = ()
    duration_s: float = 0.0
    skipped: tuple[Failure, ...] = ()
    journeys: tuple[Journey, ...] = ()
    writer: str = ""
    packages: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    schema: int = 5

    @property
    def server_cpus(self) -> int:
        """How many CPUs the servers were confined to; 0 where they were not pinned."""
        return len(self.placement.get("server", ()))
