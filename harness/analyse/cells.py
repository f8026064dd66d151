"""The decision table's cells: every target that is no twin, at every point."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from harness.analyse.frames import Frames, side_faults
from harness.analyse.interval import FloatArray, estimate
from harness.analyse.ratio import absolute_values
from harness.analyse.summary import Cell, Estimate
from harness.analyse.ties import tie_groups
from harness.model import Manifest, Point, Side, SlotRecord, Target
from harness.quantiles import percentiles

FLOOR = "raw"
"""The framework of the raw apps: a floor to measure from, nothing to pick, and so without a letter among others."""
Samples = Callable[[SlotRecord], Mapping[int, FloatArray]]
Status = Literal["ok", "failed", "not-measurable", "not-run"]


@dataclass(slots=True)
class _Tally:
    replies: int = 0
    samples: list[FloatArray] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    kinds: set[str] = field(default_factory=set)


def cells(
    manifest: Manifest, slots: Sequence[SlotRecord], frames: Frames, samples: Samples, *, margin: float
) -> tuple[Cell, ...]:
    """One cell per target and point, ``ok`` where at least one block gave a throughput or a CPU cost; none of a target
    that has part in studies only.

    Numbers come from the valid sides of the counted attempts; errors are counted over all attempts.

    Args:
        margin: of throughput, for the tie groups.
    """
    plan = manifest.plan
    alone = {trial.target for trial in plan.trials} - {name for block in plan.blocks for name in block.targets}
    listed = [target for target in manifest.targets if not target.twin_of and target.name not in alone]
    names = {target.name for target in listed}
    by_metric = {
        metric: {side: estimate(values) for side, values in absolute_values(frames.slices, plan.points, metric).items()}
        for metric in ("throughput", "cpu_cost")
    }
    rates = {
        side: found.value
        for side, found in by_metric["throughput"].items()
        if found is not None and side.target in names
    }
    floors = {target.name for target in listed if target.framework == FLOOR}
    ranked = {side: rate for side, rate in rates.items() if side.target not in floors} or rates
    letters = tie_groups(frames.slices, plan.points, ranked, margin=margin)
    tallies = _tallies(slots, frames, samples)
    added = _added_points(manifest)
    planned = {side for block in plan.blocks for slot in block.slots for side in slot.sides}
    return tuple(
        _cell(
            manifest,
            target,
            point,
            by_metric["throughput"].get(Side(target.name, point.id)),
            by_metric["cpu_cost"].get(Side(target.name, point.id)),
            tallies.get(Side(target.name, point.id), _Tally()),
            letters.get(Side(target.name, point.id), ""),
        )
        for point in plan.points
        for target in listed
        if point.id not in added or Side(target.name, point.id) in planned
    )


def _added_points(manifest: Manifest) -> frozenset[str]:
    """Points that joined the plan while the run went, for some of the targets only."""
    blocks = manifest.plan.blocks
    first = {side.point for slot in blocks[0].slots for side in slot.sides} if blocks else set()
    later = {side.point for block in blocks[1:] for slot in block.slots for side in slot.sides}
    return frozenset(later - first)


def _tallies(slots: Sequence[SlotRecord], frames: Frames, samples: Samples) -> dict[Side, _Tally]:
    found: dict[Side, _Tally] = {}
    for record in slots:
        for key, counts in record.errors.items():
            found.setdefault(record.sides[int(key)], _Tally()).errors.update(counts)
    for record in frames.records:
        faults = side_faults(record)
        service_times = samples(record) if len(faults) < len(record.sides) else {}
        for index, side in enumerate(record.sides):
            if side not in faults and index in service_times:
                found.setdefault(side, _Tally()).samples.append(service_times[index])
    for (target, point), counted in frames.slices.groupby(["target", "point"])["replies"]:
        found.setdefault(Side(str(target), str(point)), _Tally()).replies = int(counted.sum())
    for exclusion in frames.excluded:
        tally = found.setdefault(Side(exclusion.target, exclusion.point), _Tally())
        tally.reasons[exclusion.reason] += 1
        tally.kinds.add(exclusion.kind)
    return found


def _cell(
    manifest: Manifest,
    target: Target,
    point: Point,
    throughput: Estimate | None,
    cpu: Estimate | None,
    tally: _Tally,
    letter: str,
) -> Cell:
    reasons = [reason + (f" ({count} slots)" if count > 1 else "") for reason, count in tally.reasons.items()]
    status: Status
    if throughput is not None or cpu is not None:
        status = "ok"
    elif tally.kinds & {"failure", "replies"}:
        status = "failed"
    elif tally.kinds:
        status = "not-measurable"
    else:
        status, reasons = _not_run(manifest, target, point)
    return Cell(
        target=target.name,
        point=point.id,
        scenario=point.scenario,
        params=point.params,
        concurrency=point.concurrency,
        status=status,
        throughput_rps=throughput,
        cpu_us=cpu,
        service_time_us=percentiles(tally.samples),
        replies=tally.replies,
        errors=dict(tally.errors),
        reasons=tuple(reasons),
        tie_group=letter,
    )


def _not_run(manifest: Manifest, target: Target, point: Point) -> tuple[Status, list[str]]:
    failed = [f for f in manifest.skipped if f.target == target.name and f.point in ("", point.id)]
    if failed:
        return "failed", [f"{failure.kind}: {failure.message}" for failure in failed]
    left_out = [f.message for f in manifest.plan.left_out if f.target == target.name and f.point == point.id]
    if left_out:
        return "not-run", left_out
    lacking = [target.lacks[request.endpoint] for request in point.requests if request.endpoint in target.lacks]
    return "not-run", lacking
