"""Targets at points, contrasts between them, and where along a wait they cross."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.analyse.summary.estimate import Estimate
from harness.model import Metric, ParamValue, Question, Side

Verdict = Literal["different", "different-size-open", "small", "same", "undecided", "not-measurable"]
CrossoverOutcome = Literal["overtakes", "draws-ahead", "ahead", "behind", "none"]


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
