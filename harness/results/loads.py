"""Loads on one target alone, over blocks: journeys, and loads that workers shared; never compared with turns."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from harness.model import Journey, Manifest, Point, Side, WindowRecord, tallied
from harness.model.load import Samples
from harness.results.summary import Estimate, JourneyClass, JourneyResult, SharedContrast, SharedLoad
from harness.results.tails import pooled
from harness.stats.interval import FloatArray, estimate
from harness.stats.verdict import decide

JOURNEY, WORKERS = "journey", "workers"
MARGIN = 0.02

Records = Sequence[WindowRecord]


def journeys(manifest: Manifest, windows: Records, samples: Samples) -> tuple[JourneyResult, ...]:
    """A result for every journey and target of the run, in their order."""
    records = _by_side(windows, JOURNEY)
    return tuple(
        _journey(journey, target.name, records.get(Side(target.name, journey.point), []), samples)
        for journey in manifest.journeys
        for target in manifest.targets
        if not target.twin_of
    )


def shared_loads(manifest: Manifest, windows: Records, samples: Samples) -> tuple[SharedLoad, ...]:
    """A result for every point and target that the plan has windows for, in the order of points and targets."""
    planned = {side for window in manifest.plan.windows if window.study == WORKERS for side in window.sides}
    records = _by_side(windows, WORKERS)
    return tuple(
        _shared(target.name, point, records.get(Side(target.name, point.id), []), samples)
        for point in manifest.plan.points
        for target in manifest.targets
        if Side(target.name, point.id) in planned and not target.twin_of
    )


def shared_contrasts(manifest: Manifest, windows: Records) -> tuple[SharedContrast, ...]:
    """The A/A control of every point, and every pair of targets there; the margin is 2%, or the control's largest
    difference in any block.
    """
    rates = {
        side: {record.block: record.only.figures["throughput_rps"] for record in records if record.sound}
        for side, records in _by_side(windows, WORKERS).items()
    }
    results = []
    for point in manifest.plan.points:
        there = [target for target in manifest.targets if rates.get(Side(target.name, point.id))]
        margin = MARGIN
        for twin in there:
            if twin.twin_of:
                values = _log_ratios(rates, twin.name, twin.twin_of, point)
                results.append(_contrast(twin.name, twin.twin_of, point, values, MARGIN, control=True))
                margin = max([MARGIN, *(math.expm1(abs(value)) for value in values)])
        for a, b in combinations([target.name for target in there if not target.twin_of], 2):
            results.append(_contrast(a, b, point, _log_ratios(rates, a, b, point), margin))
    return tuple(results)


def _by_side(windows: Records, study: str) -> dict[Side, list[WindowRecord]]:
    by_side: dict[Side, list[WindowRecord]] = {}
    for record in windows:
        if record.study == study:
            by_side.setdefault(record.only.side, []).append(record)
    return by_side


def _outcome(records: Records) -> dict[str, Any]:
    """The fields of an ``Outcome``."""
    valid = [record for record in records if record.sound]
    errors: Counter[str] = Counter()
    for record in records:
        errors.update(record.only.errors)
    broken = any(record.failures or record.only.errors for record in records)
    return {
        "status": "ok" if valid else "not-run" if not records else "failed" if broken else "not-measurable",
        "throughput_rps": _over_blocks(valid, "throughput_rps"),
        "cpu_us": _over_blocks(valid, "cpu_us"),
        "replies": sum(record.only.answered for record in valid),
        "errors": dict(errors),
        "reasons": tallied(reason for record in records for reason in record.faults),
    }


def _over_blocks(valid: Records, figure: str) -> Estimate | None:
    return estimate([record.only.figures[figure] for record in valid if record.only.figures.get(figure, 0.0) > 0])


def _journey(journey: Journey, target: str, records: Records, samples: Samples) -> JourneyResult:
    valid, outcome = [record for record in records if record.sound], _outcome(records)
    if not records and target in journey.left_out:
        outcome["reasons"] = (journey.left_out[target],)
    times: dict[str, list[FloatArray]] = {}
    weight: Counter[str] = Counter()
    for record in valid:
        arrays = samples(record)
        for index, (name, row) in enumerate(sorted(record.only.latency_us.items())):
            weight[name] += int(row["count"] * row["p50"])
            times.setdefault(name, []).extend([arrays[index]] if index in arrays else [])
    classes = tuple(_class(name, valid, times[name]) for name, _ in weight.most_common())
    return JourneyResult(journey.name, target, journey.users, "locust", classes, **outcome)


def _class(name: str, records: Records, samples: Sequence[FloatArray]) -> JourneyClass:
    rows = [record.only.latency_us[name] for record in records if name in record.only.latency_us]
    count = int(sum(row["count"] for row in rows))
    return JourneyClass(name, count, estimate([row["p50"] for row in rows]), *pooled(samples).values())


def _shared(target: str, point: Point, records: Records, samples: Samples) -> SharedLoad:
    valid = [record for record in records if record.sound]
    tails = pooled([array for record in valid for array in samples(record).values()])
    return SharedLoad(
        target,
        point.id,
        workers=max([0, *(int(record.only.figures.get("workers", 0)) for record in valid)]),
        lost_windows=sum(bool(record.only.figures.get("lost_workers")) for record in records),
        p50_us=estimate([r.only.latency_us["all"]["p50"] for r in valid if "all" in r.only.latency_us]),
        p90_us=tails["p90"],
        p99_us=tails["p99"],
        **_outcome(records),
    )


def _log_ratios(rates: Mapping[Side, Mapping[int, float]], a: str, b: str, point: Point) -> list[float]:
    """ln of A / B in every block that has both."""
    first, second = (rates.get(Side(name, point.id), {}) for name in (a, b))
    both = [(first[block], second[block]) for block in sorted(first) if block in second]
    return [math.log(mine / other) for mine, other in both if mine > 0 and other > 0]


def _contrast(
    a: str, b: str, point: Point, values: Sequence[float], margin: float, *, control: bool = False
) -> SharedContrast:
    decision = decide(values, margin)
    verdict = decision.verdict if values else "not-measurable"
    return SharedContrast(a, b, point.id, verdict, *decision.ratios, decision.blocks, margin, control)
