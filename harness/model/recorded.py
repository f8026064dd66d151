"""What a run left: slices, windows, gates that fired, and the manifest of it all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.model.declared import Journey, ParamValue, Scenario, Target
from harness.model.planned import Failure, Plan, Side

RunStatus = Literal["running", "finished", "interrupted"]


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
