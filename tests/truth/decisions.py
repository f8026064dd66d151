"""Known truth for the verdicts: simulated blocks through the looks, the pooled autocorrelation and Benjamini–Hochberg.

Block values d = ln(A / B) are drawn around a true one with noise of a chosen kind; then the functions of
``harness.results`` that judge a real run judge these, over many runs at once. Each contrast stops at the first look at
which it is decided, as a run gives its time to undecided ones only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from harness.stats.interval import FloatArray, pooled_autocorrelation, t_interval
from harness.stats.levels import levels
from harness.stats.looks import ALPHA, EARLY_LOOKS, FAMILY_ALPHA, LOOKS, beyond_early
from harness.stats.verdict import adjust, classify, decide

NoiseKind = Literal["normal", "ar1", "heavy-tails", "spikes", "drift"]
NOISE_KINDS: tuple[NoiseKind, ...] = get_args(NoiseKind)

AR_COEFFICIENT = 0.3
SPIKE_SHARE, SPIKE_SIZE = 0.05, 8.0
DRIFT = 0.5


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares of the simulated contrasts, and the blocks that they took on average.

    Attributes:
        different: ``different`` or ``different-size-open``; the latter alone is ``size_open``.
        covered: the interval shown at the end holds the true value.
        covered_always: the intervals of the five looks that every contrast takes hold it.
    """

    contrasts: int
    different: float
    size_open: float
    small: float
    same: float
    undecided: float
    covered: float
    covered_always: float
    blocks: float


def block_noise(kind: NoiseKind, shape: tuple[int, ...], rng: np.random.Generator) -> FloatArray:
    """Noise of mean 0 along the last axis, which is the run's blocks; its usual size is 1.

    ``ar1``: coefficient 0.3. ``heavy-tails``: Student's t with 3 degrees of freedom. ``spikes``: every twentieth block
    is out by eight. ``drift``: a trend of 0.5 over the run on top.
    """
    normal = rng.standard_normal(shape)
    if kind == "ar1":
        for block in range(1, shape[-1]):
            fresh = np.sqrt(1 - AR_COEFFICIENT**2) * normal[..., block]
            normal[..., block] = AR_COEFFICIENT * normal[..., block - 1] + fresh
        return normal
    if kind == "heavy-tails":
        heavy: FloatArray = rng.standard_t(3, shape) / np.sqrt(3)
        return heavy
    if kind == "spikes":
        return normal + SPIKE_SIZE * rng.standard_normal(shape) * (rng.random(shape) < SPIKE_SHARE)
    if kind == "drift":
        direction = rng.choice([-1.0, 1.0], (*shape[:-1], 1))
        return normal + direction * np.linspace(-DRIFT / 2, DRIFT / 2, shape[-1])
    return normal


def simulate(
    truths: Sequence[float],
    kind: NoiseKind,
    *,
    sd: float,
    runs: int,
    seed: int,
    margin: float = 0.02,
    watch: Sequence[int] | None = None,
    lengths: Sequence[float] = (1.0,),
) -> Rates:
    """Rates over many runs, each with one contrast per entry of ``truths``.

    Args:
        truths: true ln(A / B) of each of a run's contrasts.
        sd: of a block value.
        watch: positions of the contrasts that are counted; all, where ``None``.
        lengths: of the blocks; ``sd`` is that of a block of length 1.
    """
    rng = np.random.default_rng(seed)
    centres = np.asarray(truths, dtype=np.float64)
    noise = sd * block_noise(kind, (runs, centres.size, LOOKS[-1]), rng) / np.sqrt(lengths)
    values = centres[:, None] + noise
    verdicts = np.full((runs, centres.size), "undecided", dtype="<U24")
    p_values = np.ones((runs, centres.size))
    taken = np.full((runs, centres.size), LOOKS[-1])
    covered = np.zeros((runs, centres.size), dtype=bool)
    always = np.ones((runs, centres.size), dtype=bool)
    for n in (*EARLY_LOOKS, *LOOKS):
        unsettled = verdicts == "undecided"
        interval, found = look(values[..., :n], margin, p_values, unsettled)
        holds = (interval[0] <= centres) & (centres <= interval[1])
        if n in EARLY_LOOKS:
            found = np.where(beyond_early(*np.exp(interval)), found, "undecided")
        else:
            always &= holds
        covered = np.where(unsettled, holds, covered)
        taken = np.where(unsettled, n, taken)
        verdicts = np.where(unsettled, found, verdicts)
    counted = list(range(centres.size) if watch is None else watch)
    final = verdicts[:, counted]
    return Rates(
        contrasts=final.size,
        different=float(np.isin(final, ["different", "different-size-open"]).mean()),
        size_open=float((final == "different-size-open").mean()),
        small=float((final == "small").mean()),
        same=float((final == "same").mean()),
        undecided=float((final == "undecided").mean()),
        covered=float(covered[:, counted].mean()),
        covered_always=float(always[:, counted].mean()),
        blocks=float(taken[:, counted].mean()),
    )


def look(
    values: FloatArray, margin: float, p_values: FloatArray, unsettled: NDArray[np.bool_]
) -> tuple[tuple[FloatArray, FloatArray], NDArray[np.str_]]:
    """Intervals and verdicts of all contrasts of all runs (shape runs × contrasts × blocks) at one look.

    ``p_values`` holds those of contrasts that were settled at an earlier look, which stay in the family; it is updated
    in place for the others.
    """
    phi = np.broadcast_to(pooled_autocorrelation(values[:, one] for one in range(values.shape[1])), len(values))
    interval = t_interval(values, ALPHA, autocorrelation=phi[:, None])
    p_values[unsettled] = interval.p_value[unsettled]
    significant = np.array([adjust(family) for family in p_values]) <= FAMILY_ALPHA
    found = classify(interval.low, interval.high, significant, np.log1p(margin))
    return (interval.low, interval.high), found


@dataclass(frozen=True, slots=True)
class Disturbed:
    """Shares of runs in which two equal sides were called different while a spinner ran for half of the time."""

    one_after_the_other: float
    alternating: float


def competing_spinner(
    *, runs: int, seed: int, blocks: int = 8, rounds: int = 20, slowdown: float = 1.5, process_sd: float = 0.005
) -> Disturbed:
    """Two equal sides on the same noise trace in both designs; the spinner starts at half of the run.

    Slices have 3% noise of their own on top of a slow drift; each block's processes differ by ``process_sd``.
    """
    rng = np.random.default_rng(seed)
    errors = {"sequential": 0, "alternating": 0}
    total = 2 * blocks * rounds
    for _ in range(runs):
        trace = np.cumsum(rng.normal(0, 0.01, total)) + rng.normal(0, 0.03, total)
        trace[total // 2 :] += np.log(slowdown)
        process = rng.normal(0, process_sd, (2, blocks))
        halves = trace.reshape(2, blocks, rounds)
        sequential = np.median(halves[0], axis=1) - np.median(halves[1], axis=1) + process[0] - process[1]
        alternating = []
        for block, slices in enumerate(trace.reshape(blocks, 2 * rounds)):
            turns = rng.permuted(np.tile([0, 1], (rounds, 1)), axis=1).ravel()
            a, b = levels(turns, slices)
            alternating.append(a - b + process[0, block] - process[1, block])
        errors["sequential"] += decide(sequential, 0.02).verdict.startswith("different")
        errors["alternating"] += decide(alternating, 0.02).verdict.startswith("different")
    return Disturbed(errors["sequential"] / runs, errors["alternating"] / runs)
