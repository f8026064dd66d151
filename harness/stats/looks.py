"""When a run looks at its blocks, at what level, and how many more blocks a contrast would need."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.stats.interval import degrees_of_freedom, t_quantile, variance_inflation

LOOKS = (5, 8, 12, 16, 24)
ALPHA = 0.01
FAMILY_ALPHA = ALPHA * len(LOOKS)
"""The level over all looks together, by Bonferroni: 5%."""
MIN_BLOCKS = 3
MOST_BLOCKS = 200
EARLY_LOOKS = (3, 4)
STARTS = (2, 3, 4, 5)
"""The looks where instructions are counted, which vary less; each at ``ALPHA``, so that 4% is left over all of them."""
EARLY_RATIO = 1.2
"""At an early look a run ends only where the whole interval lies beyond this ratio: no one needs 40 s to learn that one
app costs 2.5 times another. Simulated with two equal sides, an early look ends 0.01% of runs at an sd of 0.15 between
blocks, the most seen on shared machines (0.06% where neighbouring blocks are correlated), and none at 0.05.
"""


def last_look(blocks: int) -> int:
    """The last look at or before so many blocks; 0 before the first."""
    return max((look for look in LOOKS if look <= blocks), default=0)


def stops(blocks: int, *, decided: bool, large: bool = False) -> bool:
    """Whether a run ends after so many blocks: at a look that leaves nothing undecided, or at the last one.

    A run may end between two looks (its budget is spent): that end is a look of its own.

    Args:
        large: whether every difference is so large that an early look may end the run (``beyond_early``).
    """
    return blocks >= LOOKS[-1] or (decided and (blocks in LOOKS or (large and blocks in EARLY_LOOKS)))


def beyond_early(low: ArrayLike, high: ArrayLike) -> NDArray[np.bool_]:
    """Whether an interval of ratios lies wholly beyond ``EARLY_RATIO``, on either side."""
    return np.asarray((np.asarray(low) > EARLY_RATIO) | (np.asarray(high) < 1 / EARLY_RATIO))


def blocks_needed(
    mean: float,
    sd: float,
    blocks: int,
    delta: float,
    *,
    threshold: float = ALPHA,
    autocorrelation: float = 0.0,
) -> int | None:
    """Blocks in all after which a contrast is decided if its mean and sd stay as they are.

    Args:
        mean: of the block values ln(A / B).
        delta: the margin on the same scale.
        threshold: the p-value below which the contrast is significant.

    Returns:
        A number above ``blocks``, or ``None`` for more than 200.
    """
    counts = np.arange(max(blocks + 1, MIN_BLOCKS), MOST_BLOCKS + 1)
    error = sd * np.sqrt(variance_inflation(autocorrelation, counts) / counts)
    freedom = degrees_of_freedom(autocorrelation, counts)
    significant = abs(mean) > t_quantile(1 - threshold / 2, freedom) * error
    inside = abs(mean) + t_quantile(1 - ALPHA / 2, freedom) * error < delta
    enough = counts[significant | inside]
    return int(enough[0]) if enough.size else None
