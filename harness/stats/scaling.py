"""How throughput grows with the number of workers or threads: Amdahl's law and the Universal Scalability Law. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from harness.stats.estimate import Estimate
from harness.stats.interval import FloatArray, mean_estimate

MIN_POINTS = 5
"""Numbers of workers that a fit needs: two or three parameters go through fewer points whatever they are."""


@dataclass(frozen=True, slots=True)
class Scalability:
    """X(n) = λn / (1 + σ(n − 1) + κn(n − 1)).

    Attributes:
        contention: σ, the share of the work that only one does at a time, in Amdahl's law the serial share.
        coherency: κ, what each pair costs to keep in step; ``None`` in Amdahl's law, where it is none.
        curve: (n, throughput) between the fewest and the most that were measured, and nowhere else.
    """

    contention: Estimate
    coherency: Estimate | None
    curve: tuple[tuple[float, float], ...]


def fit_scalability(sizes: Sequence[int], throughput: ArrayLike, *, coherency: bool) -> Scalability | None:
    """The model through each block's points, with the 95% t intervals of its parameters over blocks.

    n / X is linear in 1/λ, σ/λ and κ/λ, and is fitted so, by least squares of its relative errors. A parameter may come
    out below zero where noise hides that there is none: an interval cut off there would cover too rarely.

    Args:
        throughput: shape (blocks, sizes).

    Returns:
        ``None`` with fewer than five sizes or two blocks.
    """
    n, rates = np.asarray(sizes, dtype=np.float64), np.asarray(throughput, dtype=np.float64)
    if len(n) < MIN_POINTS or len(rates) < 2:
        return None
    terms = np.stack([np.ones_like(n), n - 1, n * (n - 1)][: 3 if coherency else 2])
    blocks = np.array([_parameters(terms * row / n) for row in rates])
    scale, *parts = blocks.mean(axis=0)
    grid = np.linspace(n.min(), n.max(), 41)
    costs = 1 + sum(part * term for part, term in zip(parts, (grid - 1, grid * (grid - 1)), strict=False))
    curve = tuple(zip(grid.tolist(), (scale * grid / costs).tolist(), strict=True))
    estimates = [mean_estimate(column) for column in blocks.T[1:]]
    return Scalability(estimates[0], estimates[1] if coherency else None, curve)


def _parameters(terms: FloatArray) -> FloatArray:
    """λ, σ and κ of one block."""
    linear, *_ = np.linalg.lstsq(terms.T, np.ones(terms.shape[1]), rcond=None)
    parameters: FloatArray = np.concatenate([[1.0], linear[1:]]) / linear[0]
    return parameters
