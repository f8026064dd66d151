"""``summary.json``: everything that the report, the terminal and ``summary.md`` show.

Numbers are made here once; every rendering reads them from these values and only rounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.analyse.estimate import Estimate
from harness.analyse.study_summary import StudyResults
from harness.model import Effort, Failure, Feature, Gate, LadderKind, Metric, ParamValue, Question, Side

__all__ = ["Badge", "Cell", "ContrastResult", "Estimate", "Health", "StudyResults", "Summary", "Upkeep", "Verdict"]

Verdict = Literal["different", "different-size-open", "small", "same", "undecided", "not-measurable"]
ClaimVerdict = Literal["supported", "refuted", "depends", "undecided", "not-tested"]
EvidenceKind = Literal[
    "contrast", "throughput", "cpu", "served", "capacity", "feature", "lines", "packages", "memory", "startup", "step"
]
CrossoverOutcome = Literal["overtakes", "draws-ahead", "ahead", "behind", "none"]
Badge = Literal["sound", "warnings", "do-not-cite"]
Within = Literal["round", "block"]
Check = Literal["adds-up", "within-interval", "does-not-add-up", "not-checked"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One target at one point.

    Attributes:
        throughput_rps: verified replies per second.
        cpu_us: CPU microseconds of the process tree per verified reply.
        service_time_us: ``p50 p90 p99 p999 max`` of the closed loop, over every sample of the valid slots.
        tie_group: letter of the tie group within the point (targets that no contrast tells apart), by throughput.
        status: ``ok``, ``failed`` (see failures), ``not-measurable`` (see gates), or ``not-run``.
    """

    target: str
    point: str
    scenario: str
    params: Mapping[str, ParamValue]
    concurrency: int
    status: Literal["ok", "failed", "not-measurable", "not-run"]
    throughput_rps: Estimate | None = None
    cpu_us: Estimate | None = None
    service_time_us: Mapping[str, float] = field(default_factory=dict)
    replies: int = 0
    errors: Mapping[str, int] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    tie_group: str = ""


@dataclass(frozen=True, slots=True)
class ContrastResult:
    """A contrast and what it came to.

    Attributes:
        ratio: A / B, back-transformed from the mean over blocks of ln(A / B).
        difference: A − B in the metric's unit (µs per request, or replies per second), for the cost ladder.
        verdict: ``different`` (by at least the margin), ``different-size-open``, ``small`` (real but smaller than
            the margin), ``same`` (no difference at the margin), ``undecided``, ``not-measurable``.
        p_value: two-sided; ``p_adjusted`` after Benjamini–Hochberg over the run's declared contrasts.
        blocks_needed: blocks in all that would decide it; ``None`` where it is decided.
    """

    id: str
    question: Question
    metric: Metric
    a: Side
    b: Side
    label: str
    verdict: Verdict
    ratio: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    margin: float = 0.02
    blocks: int = 0
    blocks_needed: int | None = None
    reason: str = ""


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
    """A target's throughput at one point beside what its capacity allows.

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
    """One target in one scenario; ``reason`` says why it is passed over, and ``cpu_us`` is its cost where it is not."""

    label: str
    target: str
    scenario: str
    point: str
    cpu_us: Estimate | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LadderStep:
    """What one rung costs on top of the one below, in CPU µs per request.

    Attributes:
        label: what is added; with rungs passed over between the two, all that is added.
        within: ``round``: both sides took turns in the same rounds, and differences are taken there; ``block``: they
            were measured in different slots, and each block gives the difference of their two medians.
        contrast: id of the contrast that it is; empty where it is none.
        ratio, ci_low, ci_high, difference…, verdict, margin: as in ``ContrastResult``.
    """

    label: str
    a: Side
    b: Side
    within: Within
    verdict: Verdict
    contrast: str = ""
    ratio: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None
    margin: float = 0.02
    blocks: int = 0


@dataclass(frozen=True, slots=True)
class LadderResult:
    """A chain of contrasts in CPU µs per request, and whether its steps add up.

    Attributes:
        direct: the top rung against the bottom one; ``None`` where there is a single step.
        total: sum of the steps, its mean over the blocks that have all of them, with its interval.
        gap: sum of the steps less the direct contrast. The steps are of the even rounds and the direct contrast is of
            the odd ones, of the same blocks, so that the two share no slice and may well differ.
        check: ``adds-up``: the gap's interval lies within the margin of the top rung's cost; ``within-interval``: it
            holds zero, but is wider than that; ``does-not-add-up``: neither; ``not-checked``: too few blocks or steps.
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
class Waiting:
    """Memory of requests that wait, on a server that did little before.

    Attributes:
        requests: how many were sent and not answered.
        bytes_per_request: (memory with them − idle memory) / connections, mean over blocks, with its 95% interval.
        accepted: connections that the server had taken over from the kernel; the others wait in its backlog.
            ``None`` where the system does not tell. Median over blocks, as is ``connected``.
    """

    requests: int
    bytes_per_request: float
    ci_low: float | None
    ci_high: float | None
    connected: float
    accepted: float | None
    blocks: int


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What keeping a target costs, beside its requests; medians over blocks.

    Attributes:
        startup_s: seconds from start to the first answer.
        rss_bytes: memory of the process tree after load, pages that its processes share counted once.
        worker_bytes: the same by worker, the processes that oversee them included.
        idle_bytes: memory before load: RSS of a single process, else as above.
        waiting: by the number of requests that wait.
    """

    target: str
    startup_s: float | None
    rss_bytes: float | None
    worker_bytes: float | None = None
    idle_bytes: float | None = None
    waiting: tuple[Waiting, ...] = ()


@dataclass(frozen=True, slots=True)
class Health:
    """What the machine and the generator did; shares are of one CPU."""

    slots: int
    failed_slots: int
    retried_slots: int
    generator_cpu_max: float
    foreign_cpu_max: float
    steal_max: float
    gates: tuple[Gate, ...] = ()
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """A number or a fact of the summary that a claim's verdict rests on.

    Attributes:
        path: where it stands in the summary, as keys and indices joined by dots: ``contrasts.12``, ``cells.3``,
            ``features.5``, ``effort.0.lines.routes``, ``upkeep.1``.
        parts: keys below the path whose numbers are summed; empty for all that there are.
    """

    kind: EvidenceKind
    path: str
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """A claim about frameworks and servers, and what this run says of it.

    Attributes:
        verdict: ``supported``, ``refuted``, ``depends`` (it holds in some of what was measured), ``undecided``
            (measured, but not told apart from noise) or ``not-tested``.
        evidence: the most telling first; empty where it was not tested.
        command: what to run for what is missing; empty where nothing is.
    """

    id: str
    verdict: ClaimVerdict
    evidence: tuple[Evidence, ...] = ()
    command: str = ""


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
class JourneyResult:
    """A journey on one target, as its users saw it.

    Attributes:
        engine: who sent it; figures of different engines are never compared.
        throughput_rps: right replies per second, which think times bound: no capacity.
        cpu_us: CPU microseconds of the server's process tree per right reply.
        classes: by the time that users spent in them, the most first.
    """

    journey: str
    target: str
    users: int
    engine: Literal["wire", "locust"]
    status: Literal["ok", "failed", "not-measurable", "not-run"]
    throughput_rps: Estimate | None = None
    cpu_us: Estimate | None = None
    classes: tuple[JourneyClass, ...] = ()
    replies: int = 0
    errors: Mapping[str, int] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SharedLoad:
    """One target at one point, loaded by several workers at once in a closed loop.

    Attributes:
        workers: how many sent; ``lost_windows``: in how many windows one of them was lost.
        throughput_rps: right replies per second; ``cpu_us``: CPU µs per right reply, ``None`` of servers elsewhere.
        p50_us: the blocks' medians of the service time; ``p90_us``, ``p99_us``: over the samples of all valid blocks.
    """

    target: str
    point: str
    status: Literal["ok", "failed", "not-measurable", "not-run"]
    workers: int = 0
    lost_windows: int = 0
    throughput_rps: Estimate | None = None
    cpu_us: Estimate | None = None
    p50_us: Estimate | None = None
    p90_us: float | None = None
    p99_us: float | None = None
    replies: int = 0
    reasons: tuple[str, ...] = ()


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


@dataclass(frozen=True, slots=True)
class Summary:
    """All of a run's results. ``reasons`` say why the badge is what it is."""

    run: str
    name: str
    created_at: str
    badge: Badge
    reasons: tuple[str, ...]
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
    claims: tuple[ClaimResult, ...] = ()
    crossovers: tuple[Crossover, ...] = ()
    models: tuple[ModelCheck, ...] = ()
    ladders: tuple[LadderResult, ...] = ()
    journeys: tuple[JourneyResult, ...] = ()
    shared_loads: tuple[SharedLoad, ...] = ()
    shared_contrasts: tuple[SharedContrast, ...] = ()
    studies: StudyResults = field(default_factory=StudyResults)
    schema: int = 1
