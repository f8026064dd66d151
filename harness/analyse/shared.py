"""Loads that several workers shared, on one target alone, over blocks."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from harness.analyse.interval import estimate
from harness.analyse.journeys import BEYOND, SHARES, WindowSamples, counted, faults
from harness.analyse.summary import SharedContrast, SharedLoad
from harness.analyse.verdict import decide
from harness.model import Manifest, WindowRecord

STUDY = "swarm"
MARGIN = 0.02


def shared_loads(manifest: Manifest, windows: Sequence[WindowRecord], samples: WindowSamples) -> tuple[SharedLoad, ...]:
    """A result for every point and target that the plan has windows for, in the order of points and targets."""
    planned = {(window.target, window.point) for window in manifest.plan.windows if window.study == STUDY}
    records = counted(windows, STUDY)
    return tuple(
        _result(target.name, point.id, [r for r in records if (r.target, r.point) == (target.name, point.id)], samples)
        for point in manifest.plan.points_alone
        for target in manifest.targets
        if (target.name, point.id) in planned and not target.twin_of
    )


def shared_contrasts(manifest: Manifest, windows: Sequence[WindowRecord]) -> tuple[SharedContrast, ...]:
    """The A/A control of every point, and every pair of targets there; the margin is 2%, or the control's largest
    difference in any block.
    """
    records = [record for record in counted(windows, STUDY) if not faults(record)]
    rates = {(r.target, r.point, r.block): r.figures["throughput_rps"] for r in records}
    found = []
    for point in manifest.plan.points_alone:
        there = [target for target in manifest.targets if any(key[:2] == (target.name, point.id) for key in rates)]
        margin = MARGIN
        for twin in there:
            if twin.twin_of:
                values = _differences(rates, twin.name, twin.twin_of, point.id)
                found.append(_contrast(twin.name, twin.twin_of, point.id, values, MARGIN, control=True))
                margin = max([MARGIN, *(math.expm1(abs(value)) for value in values)])
        for a, b in combinations([target for target in there if not target.twin_of], 2):
            values = _differences(rates, a.name, b.name, point.id)
            found.append(_contrast(a.name, b.name, point.id, values, margin))
    return tuple(found)


def _differences(rates: dict[tuple[str, str, int], float], a: str, b: str, point: str) -> list[float]:
    """ln of A / B in every block that has both."""
    blocks = sorted({block for _, _, block in rates})
    pairs = [(rates.get((a, point, block), 0.0), rates.get((b, point, block), 0.0)) for block in blocks]
    return [math.log(first / second) for first, second in pairs if first > 0 and second > 0]


def _contrast(
    a: str, b: str, point: str, values: Sequence[float], margin: float, *, control: bool = False
) -> SharedContrast:
    decision = decide(values, margin)
    ratio, low, high = (None if x is None else math.exp(x) for x in (decision.mean, decision.low, decision.high))
    verdict = decision.verdict if values else "not-measurable"
    return SharedContrast(a, b, point, verdict, ratio, low, high, decision.blocks, margin, control)


def _result(target: str, point: str, records: Sequence[WindowRecord], samples: WindowSamples) -> SharedLoad:
    valid = [record for record in records if not faults(record)]
    reasons = Counter(reason for record in records for reason in faults(record))
    listed = tuple(reason + (f" ({count} windows)" if count > 1 else "") for reason, count in reasons.items())
    lost = sum(bool(record.setting.get("lost_workers")) for record in records)
    if not valid:
        broken = any(record.failures or record.errors for record in records)
        status = "not-run" if not records else "failed" if broken else "not-measurable"
        return SharedLoad(target, point, status, lost_windows=lost, reasons=listed)  # type: ignore[arg-type]
    arrays = [array for record in valid for array in samples(record).values()]
    pooled = np.concatenate(arrays) if arrays else np.empty(0)
    tails = {
        name: float(np.quantile(pooled, share, method="inverted_cdf"))
        for name, share in SHARES.items()
        if len(pooled) * (1 - share) >= BEYOND
    }
    rates = [r.figures["throughput_rps"] for r in valid if r.figures.get("throughput_rps", 0.0) > 0]
    return SharedLoad(
        target=target,
        point=point,
        status="ok",
        workers=max(int(record.setting.get("workers", 0)) for record in valid),
        lost_windows=lost,
        throughput_rps=estimate(rates),
        cpu_us=estimate([r.figures["cpu_us"] for r in valid if r.figures.get("cpu_us", 0.0) > 0]),
        p50_us=estimate([r.latency_us["all"]["p50"] for r in valid if "all" in r.latency_us]),
        p90_us=tails.get("p90"),
        p99_us=tails.get("p99"),
        replies=sum(record.answered for record in valid),
        reasons=listed,
    )
