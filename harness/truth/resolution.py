"""What a machine can resolve: from the spread of blocks to the differences that a budget shows. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from harness.analyse.interval import FloatArray
from harness.analyse.looks import ALPHA, LOOKS
from harness.analyse.verdict import Decision, decide

POWER = 0.9
DIFFERENT = ("different", "different-size-open", "small")


@dataclass(frozen=True, slots=True)
class Detection:
    """Verdicts over many sequences of blocks.

    Attributes:
        found: share of the sequences in which the contrast was called different, of whatever size.
        covered: share of the sequences whose last interval held the truth.
        blocks: mean number of blocks until the verdict.
    """

    found: float
    covered: float
    blocks: float


def resolvable(sd: float, blocks: int) -> float:
    """The smallest ratio − 1 that so many blocks of a spread ``sd`` show with a power of 90%."""
    if blocks < 2:
        return math.inf
    freedom = blocks - 1
    steps = float(stats.t.ppf(1 - ALPHA / 2, freedom) + stats.t.ppf(POWER, freedom))
    return math.expm1(steps * sd / math.sqrt(blocks))


def sequential_verdict(values: FloatArray, margin: float, budget_blocks: int) -> Decision:
    """The verdict of blocks that come one after another: at the first look that decides, or where the budget ends."""
    last = min(budget_blocks, len(values), LOOKS[-1])
    for blocks in [look for look in LOOKS if look < last] + [last]:
        decision = decide(values[:blocks], margin)
        if decision.verdict != "undecided" or blocks == last:
            return decision
    raise ValueError("no blocks")


def detection(
    values: FloatArray, truth: float, *, margin: float, budget_blocks: int, draws: int, seed: int
) -> Detection:
    """Detection rate and coverage, over random orders of measured blocks (drawn without replacement).

    Args:
        values: ln ratios of more blocks than one budget holds.
        truth: the true ratio.
    """
    rng = np.random.default_rng(seed)
    verdicts = [sequential_verdict(rng.permutation(values), margin, budget_blocks) for _ in range(draws)]
    return tally(verdicts, truth)


def tally(verdicts: Sequence[Decision], truth: float) -> Detection:
    found = [decision.verdict in DIFFERENT for decision in verdicts]
    covered = [
        decision.low is not None and decision.high is not None and decision.low <= math.log(truth) <= decision.high
        for decision in verdicts
    ]
    blocks = [decision.blocks for decision in verdicts]
    return Detection(float(np.mean(found)), float(np.mean(covered)), float(np.mean(blocks)))
