"""``summary.json``: everything that the report, the terminal and ``summary.md`` show.

Numbers are made here once; every rendering reads them from these values and only rounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.model import (
    Contrast,
    Effort,
    Failure,
    Feature,
    Gate,
    LadderKind,
    Metric,
    ParamValue,
    Question,
    Reason,
    Side,
    Statements,
)
from harness.stats.estimate import Estimate as Estimate, Verdict as Verdict
from harness.studies.registry import StudyResults
from harness.studies.waiting import Waiting as Waiting

Badge = Literal["sound", "warnings", "do-not-cite"]
Status = Literal["ok", "failed", "not-measurable", "not-run"]
CrossoverOutcome = Literal["overtakes", "draws-ahead", "ahead", "behind", "none"]
Within = Literal["round", "block"]
Layer = Literal["server", "framework", "validation", "app", "library", "interpreter", "brief", "outside"]
"""``library``: any other package; ``interpreter``: the standard library; ``brief``: Python calls too brief to
attribute; ``outside``: the kernel and native threads."""
Check = Literal["adds-up", "within-interval", "does-not-add-up", "not-checked"]
ClaimVerdict = Literal["supported", "refuted", "depends", "not-measured", "documented"]
EvidenceKind = Literal[
    "contrast", "served", "capacity", "feature", "untouched", "lines", "packages", "memory", "startup", "step",
    "neighbour", "echo",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of one target under one load.

    Attributes:
        status: ``ok``, ``failed`` (see failures), ``not-measurable`` (see gates), or ``not-run``.
        throughput_rps: verified replies per second.
        cpu_us: CPU microseconds of the server's process tree per verified reply; ``None`` of servers elsewhere.
        errors: kind of error → count, over all attempts.
    """

    status: Status
    throughput_rps: Estimate | None = None
    cpu_us: Estimate | None = None
    replies: int = 0
    errors: Mapping[str, int] = field(default_factory=dict)
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Cell(Outcome):
    """One target at one point.

    Attributes:
        instructions: per verified reply at one connection, over fresh starts; in ``harness versus`` at the point's own.
        service_time_us: ``p50`` of the closed loop, over every valid sample; a tail takes steadier load than turns.
        tie_group: letter of the tie group within the point: by throughput, no difference from the group's fastest.
    """

    target: str
    point: str
    scenario: str
    params: Mapping[str, ParamValue]
    concurrency: int
    service_time_us: Mapping[str, float] = field(default_factory=dict)
    tie_group: str = ""
    instructions: Estimate | None = None

    def estimate(self, metric: Metric) -> Estimate | None:
        return {"cpu_cost": self.cpu_us, "throughput": self.throughput_rps, "instructions": self.instructions}[metric]


@dataclass(frozen=True, slots=True)
class JourneyClass:
    """Response times of one class of request of a journey, in microseconds.

    Attributes:
        p50_us: the blocks' medians, with their interval; the block is the replicate.
        p90_us, p99_us: over the samples of all valid blocks; ``None`` where fewer than ten lie beyond.
    """

    name: str
    count: int
    p50_us: Estimate | None
    p90_us: float | None
    p99_us: float | None


@dataclass(frozen=True, slots=True)
class JourneyResult(Outcome):
    """A journey on one target, as its users saw it; think times bound its throughput, so it is not a capacity.

    Attributes:
        engine: who sent it; figures of different engines are never compared.
        classes: by the time that users spent in them, the most first.
    """

    journey: str
    target: str
    users: int
    engine: Literal["wire", "locust"]
    classes: tuple[JourneyClass, ...] = ()


@dataclass(frozen=True, slots=True)
class SharedLoad(Outcome):
    """One target at one point, loaded by several workers at once in a closed loop.

    Attributes:
        workers: how many sent; ``lost_windows``: in how many windows one of them was lost.
        p50_us: the blocks' medians of the service time; ``p90_us``, ``p99_us``: over the samples of all valid blocks.
    """

    target: str
    point: str
    workers: int = 0
    lost_windows: int = 0
    p50_us: Estimate | None = None
    p90_us: float | None = None
    p99_us: float | None = None


@dataclass(frozen=True, slots=True)
class SharedContrast:
    """Throughput of ``a`` over that of ``b`` at one point, both alone, one after the other in each block.

    Attributes:
        control: whether both are one target.
    """

    a: str
    b: str
    point: str
    verdict: Verdict
    ratio: float | None
    ci_low: float | None
    ci_high: float | None
    blocks: int
    margin: float
    control: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A against B, with 99% intervals over blocks.

    Attributes:
        ratio: A / B, back-transformed from the mean over blocks of ln(A / B).
        difference: A − B: µs of CPU per request, or replies per second.
        verdict: ``different`` (by at least the margin), ``different-size-open``, ``small`` (real but smaller than
            the margin), ``same`` (no difference at the margin), ``undecided``, ``not-measurable``.
        blocks_needed: blocks in all that would decide it; ``None`` where it is decided.
        instructions: A − B per request, of a comparison in CPU cost whose sides were both counted.
    """

    a: Side
    b: Side
    label: str = ""
    verdict: Verdict
    ratio: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None
    margin: float = 0.02
    blocks: int = 0
    blocks_needed: int | None = None
    instructions: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContrastResult(Compared):
    """A declared contrast and its result.

    Attributes:
        p_value: two-sided; ``p_adjusted`` after Benjamini–Hochberg over the run's declared contrasts.
        reasons: why it is open, or blocks are missing.
    """

    id: str
    question: Question
    metric: Metric
    p_value: float | None = None
    p_adjusted: float | None = None
    reasons: tuple[Reason, ...] = ()

    @classmethod
    def of(cls, contrast: Contrast, **values: Any) -> ContrastResult:
        """The result of a contrast."""
        declared = {name: getattr(contrast, name) for name in ("id", "question", "metric", "a", "b", "label")}
        return cls(**declared, **values)


@dataclass(frozen=True, slots=True)
class Crossover:
    """From which wait on A answers more requests per second than B, at one concurrency.

    Attributes:
        params: the scenario's other parameters.
        outcome: ``overtakes`` (B is ahead below), ``draws-ahead`` (no difference below), ``ahead`` (at every decided
            wait), ``behind`` (at every wait), ``none`` (no such change in the tested range).
        low_ms, high_ms: the neighbouring decided waits of the change; with ``ahead``, ``high_ms`` is the first of them.
        estimate_ms: where the ratio is 1, interpolated on the log scale, with the ends at which its interval is; only
            where the two waits are close and a verdict says that B is ahead at the lower one.
        waits_ms: the waits that were measured. ``open_ms``: those of them that are undecided or not measurable.
        contrasts: ids, one per wait.
    """

    a: str
    b: str
    label: str
    scenario: str
    params: Mapping[str, ParamValue]
    concurrency: int
    outcome: CrossoverOutcome
    low_ms: float | None
    high_ms: float | None
    estimate_ms: float | None
    estimate_low_ms: float | None
    estimate_high_ms: float | None
    waits_ms: tuple[float, ...]
    open_ms: tuple[float, ...]
    contrasts: tuple[str, ...]

    @property
    def first_ms(self) -> float:
        return self.waits_ms[0]

    @property
    def last_ms(self) -> float:
        return self.waits_ms[-1]


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """A target's throughput at one point, next to what its capacity allows.

    Attributes:
        model_rps: min(CPU limit, capacity ÷ (wait + service)), with the CPU cost measured there as service;
            ``model_low``, ``model_high``: at the ends of that cost's interval.
        ratio: measured ÷ model. ``leaves``: whether the two intervals, and the margin, leave no room for agreement.
    """

    target: str
    point: str
    model_rps: float
    model_low: float
    model_high: float
    ratio: float
    leaves: bool


@dataclass(frozen=True, slots=True)
class LadderRung:
    """One target in one scenario; ``reason`` says why it is skipped, and ``cpu_us`` is its cost where it is not."""

    label: str
    target: str
    scenario: str
    point: str
    cpu_us: Estimate | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderStep(Compared):
    """What one rung costs on top of the one below; its label says what is added, skipped rungs included.

    Attributes:
        within: ``round``: both sides took turns in the same rounds, and differences are taken there; ``block``: they
            were measured in different windows, and each block gives the difference of their two medians.
        contrast: id of the contrast that it is; empty where it is none.
    """

    within: Within
    contrast: str = ""


@dataclass(frozen=True, slots=True)
class LadderResult:
    """A chain of contrasts in CPU µs per request, and whether its steps add up.

    Attributes:
        direct: the top rung against the bottom one; ``None`` where there is a single step.
        total: sum of the steps, its mean over the blocks that have all of them, with its interval.
        gap: sum of the steps less the direct contrast. The steps are of the even rounds and the direct contrast is of
            the odd ones, of the same blocks, so that the two share no slice and may well differ.
        check: ``adds-up``: the gap's interval lies within the margin of the top rung's cost; ``within-interval``: it
            has zero in it, but is wider; ``does-not-add-up``: neither; ``not-checked``: too few blocks or steps.
    """

    name: str
    title: str
    kind: LadderKind
    rungs: tuple[LadderRung, ...]
    steps: tuple[LadderStep, ...]
    direct: LadderStep | None = None
    total: float | None = None
    total_low: float | None = None
    total_high: float | None = None
    gap: float | None = None
    gap_low: float | None = None
    gap_high: float | None = None
    check: Check = "not-checked"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A number or a fact of the summary that a claim's verdict rests on.

    Attributes:
        path: where it stands in the summary, as keys and indices joined by dots: ``contrasts.12``, ``cells.3``,
            ``features.5``, ``effort.0``, ``ladders.0.steps.4``, ``studies.neighbours.2``.
    """

    kind: EvidenceKind
    path: str


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """A claim about frameworks and servers, and what this run says about it.

    Attributes:
        verdict: ``supported``: all that it says holds; ``refuted``: some part of it fails wherever it was measured;
            ``depends``: some part holds here and fails there; ``not-measured``: none fails, but one is missing or open;
            ``documented``: a fact that no measurement can refute.
        evidence: the most telling first; empty where there is none.
        command: what to run for what is missing; empty where nothing is.
        sources: addresses of documentation.
    """

    id: str
    verdict: ClaimVerdict
    evidence: tuple[Evidence, ...] = ()
    command: str = ""
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Upkeep:
    """A target's footprint: memory and start-up time, over blocks.

    Attributes:
        startup_s: seconds from start to the first answer.
        rss_bytes: memory of the process tree after load, pages that its processes share counted once.
        worker_bytes: the same by worker, the processes that oversee them included.
        idle_bytes: memory before load, the median: RSS of a single process, else as above.
        waiting: by the number of requests that wait.
    """

    target: str
    startup_s: Estimate | None
    rss_bytes: Estimate | None
    worker_bytes: float | None = None
    idle_bytes: float | None = None
    waiting: tuple[Waiting, ...] = ()


@dataclass(frozen=True, slots=True)
class Health:
    """What the machine and the generator did; shares are of one CPU.

    Attributes:
        untimed_windows: those whose times were disturbed, so that they gave CPU cost alone.
    """

    windows: int
    failed_windows: int
    retried_windows: int
    generator_cpu_max: float
    foreign_cpu_max: float
    steal_max: float
    gates: tuple[Gate, ...] = ()
    failures: tuple[Failure, ...] = ()
    untimed_windows: int = 0


@dataclass(frozen=True, slots=True)
class PackageCost:
    """Microseconds of CPU per verified reply of a package's own code; ``error_us``: the standard error, by sampling."""

    name: str
    layer: Layer
    us: float
    error_us: float


@dataclass(frozen=True, slots=True)
class ProfileResult:
    """A target's CPU cost at one point by layer and by package, most first.

    Attributes:
        cpu_us: what the packages add up to: the cell's CPU cost; that of the sampled stretch where the cell has none.
        samples: stacks of threads that ran Python.
        waited: seconds for which other programs had the server's CPUs, for each second of its CPU time.
    """

    target: str
    point: str
    cpu_us: float
    samples: int
    waited: float
    layers: Mapping[Layer, float]
    packages: tuple[PackageCost, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """All of a run's results. ``reasons`` say why the badge is what it is."""

    run: str
    name: str
    created_at: str
    badge: Badge
    reasons: tuple[Reason, ...]
    margin: float
    blocks: int
    seed: int
    duration_s: float
    cells: tuple[Cell, ...]
    contrasts: tuple[ContrastResult, ...]
    upkeep: tuple[Upkeep, ...]
    health: Health
    features: tuple[Feature, ...] = ()
    effort: tuple[Effort, ...] = ()
    statements: tuple[Statements, ...] = ()
    untouched: tuple[Feature, ...] = ()
    claims: tuple[ClaimResult, ...] = ()
    crossovers: tuple[Crossover, ...] = ()
    models: tuple[ModelCheck, ...] = ()
    ladders: tuple[LadderResult, ...] = ()
    journeys: tuple[JourneyResult, ...] = ()
    shared_loads: tuple[SharedLoad, ...] = ()
    shared_contrasts: tuple[SharedContrast, ...] = ()
    studies: StudyResults = field(default_factory=StudyResults)
    profiles: tuple[ProfileResult, ...] = ()
    schema: int = 3
