"""Probabilistic bisection: at which rate does the share of late replies pass a limit? Pure.

Horstein (1963), Waeber, Frazier and Henderson (2013): the next rate is the median of a distribution over where the edge
lies, and each answer updates it by Bayes' rule. An answer here is the share of requests that were late. Whether a short
window's percentile passes a bound says less, and leans to the high side: late replies come in clusters, so that most
windows near the edge have none, and few have many.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

LOWEST_RPS, HIGHEST_RPS = 0.5, 500_000.0
STEPS = 4001
SLOPES = (8.0, 20.0, 50.0, 120.0, 300.0)
"""How fast the odds of a late reply may grow with ln rate: a queue with a long service time, …, a wall."""

CORRELATION_S = 0.3
"""Replies within so much time are late together and count as one."""

MISTAKE = 0.002
"""Share of late replies whatever the rate is: hiccups of the machine."""

LIMIT = 0.01
"""The share of late replies that a p99 allows."""


@dataclass(frozen=True, slots=True)
class RateTest:
    """A window: requests per second, share of the requests that were late or unanswered, and its length in seconds."""

    rate: float
    late: float
    seconds: float


class Bisection:
    """The distribution of the edge over rates, flat on ln rate before the first answer."""

    def __init__(self, windows: Iterable[RateTest] = ()) -> None:
        self._grid = np.linspace(math.log(LOWEST_RPS), math.log(HIGHEST_RPS), STEPS)
        self._slopes = np.array(SLOPES)[:, None]
        self._log = np.zeros((len(SLOPES), STEPS))
        for window in windows:
            self.learn(window)

    def learn(self, window: RateTest) -> None:
        """Updates the distribution with the result of a window."""
        from scipy.special import expit, logit

        odds = logit(LIMIT) + self._slopes * (math.log(window.rate) - self._grid)
        chance = MISTAKE + (1 - 2 * MISTAKE) * expit(odds)
        weight = window.seconds / CORRELATION_S
        self._log += weight * (window.late * np.log(chance) + (1 - window.late) * np.log1p(-chance))

    def quantile(self, share: float) -> float:
        """The rate below which the edge lies with probability ``share``."""
        weights = np.exp(self._log - self._log.max()).sum(axis=0)
        cumulative = np.cumsum(weights) - weights / 2
        return float(math.exp(np.interp(share, cumulative / weights.sum(), self._grid)))

    @property
    def median(self) -> float:
        return self.quantile(0.5)
