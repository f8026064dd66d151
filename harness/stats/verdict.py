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
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.stats.estimate import Verdict
from harness.stats.interval import FloatArray, mean_estimate, pooled_autocorrelation, t_interval
from harness.stats.looks import ALPHA, FAMILY_ALPHA, LOOKS, MIN_BLOCKS, blocks_needed


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
    def ratios(self) -> tuple[float | None, float | None, float | None]:
        """A / B, with the ends of its interval."""
        # An end that no number can hold is infinite.
        with np.errstate(over="ignore"):
            ratio, low, high = (None if d is None else float(np.exp(d)) for d in (self.mean, self.low, self.high))
        return ratio, low, high

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


def adjust(p_values: ArrayLike) -> FloatArray:
    """p-values times the number of looks, then Benjamini–Hochberg over the contrasts; significant at 5% or less."""
    raw = np.asarray(p_values, dtype=np.float64)
    if raw.size == 0:
        return raw
    order = np.argsort(raw)[::-1]
    scaled = raw[order] * len(LOOKS) * raw.size / np.arange(raw.size, 0, -1)
    adjusted = np.empty_like(raw)
    adjusted[order] = np.minimum.accumulate(np.minimum(scaled, 1.0))
    return adjusted


def decide(values: ArrayLike, margin: float, *, autocorrelation: float = 0.0) -> Decision:
    """The verdict of a single contrast.

    Args:
        values: a d per block, in block order.
        margin: as a share: 0.02 for 2%.
        autocorrelation: between neighbouring blocks, from ``pooled_autocorrelation``.
    """
    return _decisions({"": values}, {"": margin}, autocorrelation)[""]


def judge(values: Mapping[str, ArrayLike], margins: Mapping[str, float]) -> dict[str, Decision]:
    """The verdicts of all contrasts of a run at one look, by id.

    Autocorrelation is pooled over the contrasts, and significance is after Benjamini–Hochberg over those with three
    blocks or more. A contrast that does not pass it is undecided or the same, even if its interval leaves zero out.
    """
    return _decisions(values, margins, float(pooled_autocorrelation(values.values())))


def _decisions(values: Mapping[str, ArrayLike], margins: Mapping[str, float], phi: float) -> dict[str, Decision]:
    series = {key: np.asarray(each, dtype=np.float64) for key, each in values.items()}
    decisions = {key: _undecided(each, phi) for key, each in series.items()}
    raw = {key: decision.p_value for key, decision in decisions.items() if decision.p_value is not None}
    adjusted = dict(zip(raw, adjust(list(raw.values())), strict=True))
    passed = {key for key in raw if adjusted[key] <= FAMILY_ALPHA}
    # One more contrast would be significant at this p-value: what an undecided one has to reach.
    threshold = ALPHA * min(1.0, (len(passed) + 1) / max(1, len(raw)))
    for key in raw:
        one, delta, needed = decisions[key], float(np.log1p(margins[key])), None
        verdict = cast(Verdict, str(classify(cast(float, one.low), cast(float, one.high), key in passed, delta)))
        if verdict == "undecided":
            mean, sd = float(series[key].mean()), float(np.std(series[key], ddof=1))
            needed = blocks_needed(mean, sd, one.blocks, delta, threshold=threshold, autocorrelation=phi)
        decisions[key] = replace(one, verdict=verdict, p_adjusted=float(adjusted[key]), blocks_needed=needed)
    return decisions


def _undecided(values: FloatArray, phi: float) -> Decision:
    """What is known of a contrast by itself, before any verdict."""
    n = values.size
    if n < 2:
        return Decision("undecided", n, mean=float(values[0]) if n else None, blocks_needed=LOOKS[0])
    interval = t_interval(values, ALPHA, autocorrelation=phi)
    decision = Decision("undecided", n, float(interval.mean), float(interval.low), float(interval.high))
    if n < MIN_BLOCKS:
        return replace(decision, blocks_needed=LOOKS[0])
    return replace(decision, p_value=float(interval.p_value))


def widest_first(decisions: Mapping[str, Decision]) -> tuple[str, ...]:
    """Ids of the undecided contrasts, widest interval first; those without an interval before all others."""
    undecided = [key for key, decision in decisions.items() if decision.verdict == "undecided"]
    return tuple(sorted(undecided, key=lambda key: -decisions[key].width))


def shown_interval(name: str, values: FloatArray) -> dict[str, Any]:
    """The fields ``name``, ``name_low`` and ``name_high`` of a result: mean and 1 − α interval of block differences
    A − B, in their own unit; none without values. For showing, not for deciding.
    """
    if not values.size:
        return {}
    mean = mean_estimate(values, ALPHA)
    return {name: mean.value, f"{name}_low": mean.ci_low, f"{name}_high": mean.ci_high}
