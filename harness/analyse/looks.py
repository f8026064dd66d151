"""When a run looks at its blocks, at what level, and how many more blocks a contrast would need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

from harness.analyse.interval import degrees_of_freedom, variance_inflation
from harness.analyse.summary import Verdict

LOOKS = (5, 8, 12, 16, 24)
ALPHA = 0.01
MIN_BLOCKS = 3
MOST_BLOCKS = 200


@dataclass(frozen=True, slots=True)
class Sequential:
    """The looks of a run. A run may end between two looks (its budget is spent): that end is a look of its own."""

    looks: tuple[int, ...] = LOOKS
    alpha: float = ALPHA

    @property
    def family_alpha(self) -> float:
        """The level over all looks together, by Bonferroni: 5%."""
        return self.alpha * len(self.looks)

    def is_look(self, blocks: int) -> bool:
        return blocks in self.looks

    def next_look(self, blocks: int) -> int | None:
        """The first look after so many blocks; ``None`` after the last."""
        return next((look for look in self.looks if look > blocks), None)

    def stop(self, blocks: int, verdicts: Mapping[str, Verdict]) -> bool:
        """Whether to stop after so many blocks: at a look where nothing is undecided, or at the last one."""
        if blocks >= self.looks[-1]:
            return True
        return self.is_look(blocks) and "undecided" not in verdicts.values()


def blocks_needed(
    mean: float,
    sd: float,
    blocks: int,
    delta: float,
    *,
    alpha: float = ALPHA,
    threshold: float = ALPHA,
    autocorrelation: float = 0.0,
) -> int | None:
    """Blocks in all after which a contrast is decided if its mean and sd stay as they are.

    Args:
        mean: of the block values ln(A / B).
        delta: the margin on the same scale.
        alpha: level of the interval.
        threshold: the p-value below which the contrast is significant.

    Returns:
        A number above ``blocks``, or ``None`` for more than 200.
    """
    counts = np.arange(max(blocks + 1, MIN_BLOCKS), MOST_BLOCKS + 1)
    error = sd * np.sqrt(variance_inflation(autocorrelation, counts) / counts)
    freedom = degrees_of_freedom(autocorrelation, counts)
    significant = abs(mean) > stats.t.ppf(1 - threshold / 2, freedom) * error
    inside = abs(mean) + stats.t.ppf(1 - alpha / 2, freedom) * error < delta
    enough = counts[significant | inside]
    return int(enough[0]) if enough.size else None
