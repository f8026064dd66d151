"""The nouns of the project: what is declared, what is planned, and what one slot yielded.

Times are in seconds unless a name says otherwise. Everything here is immutable and can be written as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Interface = Literal["wsgi", "asgi", "native"]
Question = Literal["pick", "move", "validate", "real", "ladder"]
Metric = Literal["cpu_cost", "throughput"]
LadderKind = Literal["framework", "server"]
OptionValue = str | int | bool | float
ParamValue = str | int | float


@dataclass(frozen=True, slots=True)
class Target:
    """App + interface + server + options: the thing that is compared.

    Attributes:
        application: import string ``package.module:attribute``.
        framework: key of the framework, which is also the app's: ``fastapi``, ``flask``, ``django``, …
        threads: per worker; greenlets count as threads, and an event loop has one.
        endpoints: names of the contract's endpoints that it implements; empty for a user's own app.
        lacks: endpoint, capability, or ``endpoint/case`` → why this target does not have it.
        reference: whether this is its framework's reference target for the interface.
        python: the interpreter that the server runs in; empty for the one ``harness`` runs in.
        twin_of: name of the target that this one repeats, for the A/A control.
        variant: whether it serves an app that a target of the default set serves already, by another server or way.
        per_cpu: whether it is given as many workers as there are CPUs for it, and all of these CPUs.
        backlog: connections that may wait to be accepted; 0 where the server sets it.
        default: whether it is measured where no target is named.
    """

    name: str
    framework: str
    interface: Interface
    server: str
    application: str
    options: Mapping[str, OptionValue] = field(default_factory=dict)
    workers: int = 1
    threads: int = 1
    endpoints: tuple[str, ...] = ()
    lacks: Mapping[str, str] = field(default_factory=dict)
    reference: bool = False
    python: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    twin_of: str = ""
    variant: bool = False
    per_cpu: bool = False
    backlog: int = 0
    default: bool = True

    @property
    def capacity(self) -> str:
        """Workers × threads, as shown on every row."""
        return f"{self.workers}×{self.threads}"


@dataclass(frozen=True, slots=True)
class RawRequest:
    """A request outside the contract, to an app of the user's own.

    Attributes:
        content: the request's body, a character for each byte, as is ``body``.
        status: the reply's; 0 for any below 400. ``body``: its exact bytes, where they are known and must not change.
    """

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    content: str = ""
    status: int = 0
    body: str | None = None


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """One request of a scenario: a case of an endpoint of the contract (or ``raw``), and its weight in the mix."""

    endpoint: str
    case: str
    params: Mapping[str, ParamValue] = field(default_factory=dict)
    weight: int = 1
    raw: RawRequest | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """A scenario at one setting of its parameters and one concurrency.

    Attributes:
        id: ``json@32``, ``io-sleep[ms=20]@64``.
        wait_s: the I/O wait that one request is expected to take; 0 where there is none.
    """

    id: str
    scenario: str
    params: Mapping[str, ParamValue]
    concurrency: int
    requests: tuple[PlannedRequest, ...]
    wait_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """Which requests are sent and which question they answer; expanded to points by the plan.

    Attributes:
        group: scenarios of one group share their slots, so that they can be compared within a round.
        against: another scenario of the group that this one is contrasted with for the same target.
        matrix: parameter → values.
        quick: parameter → values, for the profiles ``smoke`` and ``quick``.
        grid: parameter → values of the coarse grid that the profile ``async`` begins with.
        bisect: the parameter, a wait in milliseconds, whose values are added where a contrast changes its sign.
        study: the study that it belongs to, where it is load on one target alone; empty for slots.
        settings: the study's own settings.
        targets: globs of the targets that the study is about where none are named.
    """

    name: str
    title: str
    question: Question
    why: str
    requests: tuple[PlannedRequest, ...]
    concurrency: tuple[int, ...]
    matrix: Mapping[str, tuple[ParamValue, ...]] = field(default_factory=dict)
    quick: Mapping[str, tuple[ParamValue, ...]] = field(default_factory=dict)
    group: str = ""
    against: str = ""
    wait_ms: str = ""
    grid: Mapping[str, tuple[ParamValue, ...]] = field(default_factory=dict)
    bisect: str = ""
    study: str = ""
    settings: Mapping[str, ParamValue] = field(default_factory=dict)
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Side:
    """One party of a slot: a target at a point."""

    target: str
    point: str

    @property
    def id(self) -> str:
        return f"{self.target}|{self.point}"


@dataclass(frozen=True, slots=True)
class Contrast:
    """A declared comparison: value of ``a`` against value of ``b``, both in the same slot."""

    id: str
    question: Question
    metric: Metric
    a: Side
    b: Side
    label: str = ""


@dataclass(frozen=True, slots=True)
class Rung:
    """A place on a cost ladder: a target in a scenario, and what it has that the rung below has not.

    Attributes:
        point: of the run; empty where the run has none, for the ``reason`` given.
    """

    label: str
    target: str
    scenario: str
    point: str = ""
    reason: str = ""

    @property
    def side(self) -> Side:
        return Side(self.target, self.point)


@dataclass(frozen=True, slots=True)
class Ladder:
    """A declared chain of contrasts, from the bottom up: each rung against the one below it, in CPU cost.

    Attributes:
        kind: ``framework``: layers on top of each other; ``server``: one app under one server after another.
    """

    name: str
    title: str
    kind: LadderKind
    rungs: tuple[Rung, ...]


@dataclass(frozen=True, slots=True)
class Slot:
    """One measurement inside a block: the sides that take turns."""

    id: str
    block: int
    sides: tuple[Side, ...]
    slice_s: float
    budget_s: float
    min_rounds: int


@dataclass(frozen=True, slots=True)
class Block:
    """``held``: targets whose memory with waiting requests is measured first, under servers of their own."""

    index: int
    targets: tuple[str, ...]
    slots: tuple[Slot, ...]
    held: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Journey:
    """What users do, as a plain locustfile says it.

    Attributes:
        file: the locustfile's path; ``digest``: SHA-256 of its text.
        users: simulated users that are at it at the same time.
        requests: cases of the contract that it sends; what a target is verified against, and must implement.
        capabilities: of ``lacks``, those that it needs beside them, such as ``websocket``.
        left_out: name of a target of the run that cannot serve it → why.
    """

    name: str
    title: str
    file: str
    digest: str
    users: int
    requests: tuple[PlannedRequest, ...] = ()
    capabilities: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def point(self) -> str:
        return f"{self.name}@{self.users}"


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of load on one target alone, to come; see ``WindowRecord``.

    Attributes:
        warmup_s: time under load before it, of which no number is taken. ``seconds``: the window itself.
        budget_s: both, and what starting and ending its server takes.
    """

    id: str
    block: int
    study: str
    target: str
    point: str
    warmup_s: float
    seconds: float
    budget_s: float


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a side (or, with an empty point, a whole target) gave no number.

    Attributes:
        kind: ``exited``, ``not-ready``, ``port``, ``wrong-reply``, ``died``, ``not-installed``, ``errors``; or
            ``not-afforded``, where the plan leaves it out (for all targets, where ``target`` is empty).
        log: the server's last lines.
    """

    target: str
    point: str
    kind: str
    message: str
    log: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """One target's part of a study in one block: its windows follow each other on one freshly started server.

    Attributes:
        values: parameter → values of the scenario that are measured.
        budget_s: how long it is expected to take, without the start of the server.
    """

    id: str
    block: int
    study: str
    scenario: str
    target: str
    values: Mapping[str, tuple[ParamValue, ...]]
    budget_s: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will measure; blocks, points and contrasts may be added while it goes.

    Attributes:
        estimate_s: for the blocks planned at first. ``reserve_s``: for what may be added to them.
        studies_s: of the budget, what is kept for studies of one target alone.
        left_out: what would have cost more time than the plan allows.
        windows: load on one target alone, each with a server of its own, after the blocks.
        points_alone: those of windows that workers fill.
    """

    profile: str
    seed: int
    budget_s: float
    estimate_s: float
    points: tuple[Point, ...]
    contrasts: tuple[Contrast, ...]
    blocks: tuple[Block, ...]
    reserve_s: float = 0.0
    studies_s: float = 0.0
    left_out: tuple[Failure, ...] = ()
    ladders: tuple[Ladder, ...] = ()
    windows: tuple[Window, ...] = ()
    points_alone: tuple[Point, ...] = ()
    trials: tuple[Trial, ...] = ()


@dataclass(frozen=True, slots=True)
class Extension:
    """What joins a plan while its run goes: blocks, and the points and contrasts that they are about."""

    blocks: tuple[Block, ...]
    points: tuple[Point, ...] = ()
    contrasts: tuple[Contrast, ...] = ()
    left_out: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True)
class Gap:
    """Two neighbouring waits between which the contrast of A and B changes its sign, or is open.

    Attributes:
        params: the scenario's other parameters.
        low_ms, high_ms: the waits, in milliseconds; both were measured.
    """

    a: str
    b: str
    scenario: str
    params: Mapping[str, ParamValue]
    concurrency: int
    low_ms: float
    high_ms: float


@dataclass(frozen=True, slots=True)
class Gate:
    """A validity gate that fired, with its reason; ``fatal`` means that no number may be drawn from it."""

    gate: str
    target: str
    point: str
    reason: str
    fatal: bool = True


@dataclass(frozen=True, slots=True)
class Slices:
    """The slices of one slot, a column per quantity, an entry per slice.

    Attributes:
        round: index of the round, from 0; warm-up rounds are not recorded.
        side: index into the slot's sides.
        started: seconds since the slot's first slice.
        length: from the first send to the last moment at which a new request was sent.
        window: the time over which throughput is counted: slice and drain; where requests wait, the slice without its
            lead-in.
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


@dataclass(frozen=True, slots=True)
class SlotRecord:
    """One line of ``slots.jsonl``.

    Attributes:
        attempt: 0 for the first try of the slot.
        sides: those that took turns, in the order that ``slices`` counts them, then those that failed before.
        errors: side index (as text) → kind of error → count.
        rss_bytes: target → resident memory of its process tree at the slot's end.
        startup_s: target → seconds from start to readiness in this block.
        machine: what the machine did meanwhile: ``steal``, ``foreign``, ``server_busy`` as shares of a CPU, …
            Where the upstream service was called also ``upstream``, its share, and ``upstream_calls``, a count.
        samples: file of raw service times, relative to the run's folder; empty where none were taken.
    """

    slot: str
    block: int
    attempt: int
    started_at: str
    duration_s: float
    sides: tuple[Side, ...]
    slices: Slices
    errors: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    gates: tuple[Gate, ...] = ()
    rss_bytes: Mapping[str, int] = field(default_factory=dict)
    startup_s: Mapping[str, float] = field(default_factory=dict)
    machine: Mapping[str, float] = field(default_factory=dict)
    samples: str = ""
    schema: int = 2


@dataclass(frozen=True, slots=True)
class WindowRecord:
    """One line of ``windows.jsonl``: a stretch of load on one target alone, where taking turns would change the answer.

    Attributes:
        id: unique within the run; what is done already is not done again by ``--resume``.
        block: servers are started afresh for each, as for slots; the replicate of every statistic.
        study: what the window belongs to: ``waiting``, ``neighbours``, ``fan-out``, ``latency``, ``capacity``,
            ``overload``, ``connections``, ``journey``, …
        engine: ``wire`` or ``locust``; figures of different engines are never compared.
        setting: what was set for it: ``rate``, ``share``, ``connections``, ``users``, …
        latency_us: class of request → ``count p50 p90 p99 p999 max``, response times in open loop and service times in
            closed loop, in microseconds, over verified replies.
        errors: kind of error → count. ``answered``: verified replies.
        figures: other numbers, with the unit in the name: ``throughput_rps``, ``cpu_s``, ``rss_bytes``, …
        samples: file of raw latencies, relative to the run's folder; empty where none were kept.
    """

    id: str
    block: int
    attempt: int
    study: str
    target: str
    point: str
    engine: Literal["wire", "locust"]
    setting: Mapping[str, ParamValue]
    started_at: str
    duration_s: float
    planned: int
    answered: int
    errors: Mapping[str, int] = field(default_factory=dict)
    latency_us: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    gates: tuple[Gate, ...] = ()
    samples: str = ""
    schema: int = 2


@dataclass(frozen=True, slots=True)
class Feature:
    """What a live probe found.

    Attributes:
        declared: whether the target is declared to have it; ``why`` is the reason where it is not.
        present: whether it has it; ``detail`` tells what was missing where it has not.
    """

    target: str
    capability: str
    declared: bool
    present: bool
    why: str = ""
    detail: str = ""

    @property
    def as_declared(self) -> bool:
        return self.declared == self.present


@dataclass(frozen=True, slots=True)
class Effort:
    """What an app needed to implement the contract, beyond its framework and what all apps share.

    Attributes:
        app: the framework, with the interface where it has an app for each: ``django-asgi``.
        lines: feature → lines of code.
        packages: feature → distribution → version.
    """

    app: str
    framework: str
    lines: Mapping[str, int]
    packages: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Abilities:
    """``features.json``: what the run's targets can do, asked of them once, and what their apps needed for it."""

    features: tuple[Feature, ...]
    effort: tuple[Effort, ...] = ()
    schema: int = 2


RunStatus = Literal["running", "finished", "interrupted"]


@dataclass(frozen=True, slots=True)
class Manifest:
    """``manifest.json``: all that is needed to read a run again, and to repeat it.

    Attributes:
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
    warnings: tuple[str, ...] = ()
    duration_s: float = 0.0
    skipped: tuple[Failure, ...] = ()
    journeys: tuple[Journey, ...] = ()
    writer: str = ""
    packages: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    schema: int = 2
