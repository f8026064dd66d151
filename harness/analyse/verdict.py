"""From block values to one of the five verdicts.

One interval decides and is shown: the t interval at level 1 − α = 99% of the look. Five looks at α = 0.01 each leave 5%
over the run, whatever look it stops at, and the shown intervals of all looks cover together at 95% or more
(Bonferroni). A contrast is significant if its p-value, times the number of looks and after Benjamini–Hochberg over the
run's contrasts, is at most 5%; for a single contrast this is p ≤ 0.01, and it always implies an interval without zero.
"No difference" is TOST at α/2 on each side, which is the same as the whole 99% interval inside ±δ.

============================  ==================  =============
interval                      significant         not
============================  ==================  =============
wholly beyond δ or −δ         different           undecided
crosses δ or −δ               different-size-open undecided
inside ±δ                     small               same
============================  ==================  =============
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from statsmodels.stats.multitest import multipletests

from harness.analyse.interval import FloatArray, pooled_autocorrelation, t_interval
from harness.analyse.looks import ALPHA, LOOKS, MIN_BLOCKS, Sequential, blocks_needed
from harness.analyse.summary import Verdict


@dataclass(frozen=True, slots=True)
class Decision:
    """A contrast at one look, on the scale of d = ln(A / B).

    Attributes:
        low, high: the 1 − α interval; ``None`` with fewer than two blocks, as are ``p_value`` and ``p_adjusted``
            with fewer than three.
        blocks_needed: blocks in all that would decide it, for ``undecided``; ``None`` for more than 200.
    """

    verdict: Verdict
    blocks: int
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    blocks_needed: int | None = None

    @property
    def width(self) -> float:
        """Of the interval; infinite where there is none."""
        return float("inf") if self.low is None or self.high is None else self.high - self.low


def classify(low: ArrayLike, high: ArrayLike, significant: ArrayLike, delta: ArrayLike) -> NDArray[np.str_]:
    """The verdict of each interval; see the table above. ``delta`` is the margin as ln(1 + margin)."""
    lows, highs, deltas = np.asarray(low), np.asarray(high), np.asarray(delta)
    clear = np.asarray(significant, dtype=bool)
    inside = (lows > -deltas) & (highs < deltas)
    beyond = (lows >= deltas) | (highs <= -deltas)
    names = [clear & beyond, clear & inside, clear, inside]
    return np.select(names, ["different", "small", "different-size-open", "same"], default="undecided")


def adjust(p_values: ArrayLike, *, alpha: float = ALPHA) -> FloatArray:
    """p-values times the number of looks, then Benjamini–Hochberg over the contrasts; significant at 5% or less."""
    raw = np.asarray(p_values, dtype=np.float64)
    if raw.size == 0:
        return raw
    spent = np.minimum(raw * len(LOOKS), 1.0)
    adjusted: FloatArray = multipletests(spent, alpha=alpha * len(LOOKS), method="fdr_bh")[1]
    return adjusted


def decide(values: ArrayLike, margin: float, alpha: float = ALPHA, *, autocorrelation: float = 0.0) -> Decision:
    """The verdict of a contrast that stands alone.

    Args:
        values: a d per block, in block order.
        margin: as a share: 0.02 for 2%.
        alpha: level of this look.
        autocorrelation: between neighbouring blocks, from ``pooled_autocorrelation``.
    """
    data = np.asarray(values, dtype=np.float64)
    n = data.size
    if n == 0:
        return Decision("undecided", 0, blocks_needed=LOOKS[0])
    if n == 1:
        return Decision("undecided", 1, mean=float(data[0]), blocks_needed=LOOKS[0])
    interval = t_interval(data, alpha, autocorrelation=autocorrelation)
    mean, low, high = float(interval.mean), float(interval.low), float(interval.high)
    if n < MIN_BLOCKS:
        return Decision("undecided", n, mean, low, high, blocks_needed=LOOKS[0])
    p_value = float(interval.p_value)
    found = Decision("undecided", n, mean, low, high, p_value, float(adjust([p_value], alpha=alpha)[0]))
    return _settle(found, data, margin, alpha, p_value <= alpha, alpha, autocorrelation)


def judge(
    values: Mapping[str, ArrayLike], margins: Mapping[str, float], *, alpha: float = ALPHA
) -> dict[str, Decision]:
    """The verdicts of all contrasts of a run at one look, by id.

    Autocorrelation is pooled over the contrasts, and significance is after Benjamini–Hochberg over those with three
    blocks or more. A contrast that does not pass it is undecided or the same, even if its interval leaves zero out.
    """
    phi = float(pooled_autocorrelation(values.values()))
    alone = {key: decide(each, margins[key], alpha, autocorrelation=phi) for key, each in values.items()}
    raw = {key: decision.p_value for key, decision in alone.items() if decision.p_value is not None}
    adjusted = dict(zip(raw, adjust(list(raw.values()), alpha=alpha), strict=True))
    family_alpha = Sequential(alpha=alpha).family_alpha
    passed = {key for key in raw if adjusted[key] <= family_alpha}
    # One more contrast would be significant at this p-value: what an undecided one has to reach.
    threshold = alpha * min(1.0, (len(passed) + 1) / max(1, len(raw)))
    for key in raw:
        found = replace(alone[key], p_adjusted=float(adjusted[key]))
        alone[key] = _settle(found, values[key], margins[key], alpha, key in passed, threshold, phi)
    return alone


def allocate(decisions: Mapping[str, Decision]) -> tuple[str, ...]:
    """Ids of the undecided contrasts, widest interval first; those without an interval before all others."""
    open_ones = [key for key, decision in decisions.items() if decision.verdict == "undecided"]
    return tuple(sorted(open_ones, key=lambda key: -decisions[key].width))


def shown_interval(values: FloatArray, *, alpha: float = ALPHA) -> tuple[float, float | None, float | None]:
    """Mean and 1 − α interval of block differences A − B, in their own unit; for showing, not for deciding."""
    if values.size < 2:
        return float(values[0]), None, None
    interval = t_interval(values, alpha)
    return float(interval.mean), float(interval.low), float(interval.high)


def _settle(
    found: Decision,
    values: ArrayLike,
    margin: float,
    alpha: float,
    significant: bool,
    threshold: float,
    autocorrelation: float,
) -> Decision:
    if found.mean is None or found.low is None or found.high is None:
        return found
    delta = float(np.log1p(margin))
    verdict = cast(Verdict, str(classify(found.low, found.high, significant, delta)))
    needed = None
    if verdict == "undecided":
        sd = float(np.std(np.asarray(values, dtype=np.float64), ddof=1))
        needed = blocks_needed(
            found.mean, sd, found.blocks, delta, alpha=alpha, threshold=threshold, autocorrelation=autocorrelation
        )
    return replace(found, verdict=verdict, blocks_needed=needed)
