"""The decision table's cells: every target but the A/A twin, at every point."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import product

from harness.model import Exclusion, Manifest, Point, Reason, Side, Target, WindowRecord, tallied
from harness.model.load import Samples
from harness.plan import lacking
from harness.results.frames import Frames
from harness.results.judge import Judged
from harness.results.summary import Cell, Estimate, Status
from harness.results.tails import block_samples
from harness.stats.estimate import DIFFERENT
from harness.stats.interval import estimate
from harness.stats.quantiles import percentiles
from harness.stats.ratio import COLUMN, absolute_values
from harness.stats.ties import tie_groups

FLOOR = "raw"
"""The framework of the raw apps: a floor to measure from, nothing to pick, and so without a letter among others."""


def cells(
    manifest: Manifest, records: Sequence[WindowRecord], frames: Frames, samples: Samples, judged: Judged
) -> tuple[Cell, ...]:
    """One cell per target and point, ``ok`` where at least one block gave a throughput or a CPU cost; none for a target
    that only studies measure.

    Numbers come from the valid sides of the counted attempts; errors are counted over all attempts. Two targets that
    differ in a contrast share no tie group.
    """
    plan, slices = manifest.plan, frames.slices
    compared = {name for block in plan.alternating for name in block.targets}
    studied_only = {name for block in plan.studies for name in block.targets} - compared
    listed = [target for target in manifest.targets if not target.twin_of and target.name not in studied_only]
    names = {target.name for target in listed}
    costs, rates = (
        {side: estimate(values) for side, values in absolute_values(slices, plan.points, metric).items()}
        for metric in COLUMN
    )
    listed_rates = {side: rate.value for side, rate in rates.items() if rate is not None and side.target in names}
    floors = {target.name for target in listed if target.framework == FLOOR}
    ranked = {side: rate for side, rate in listed_rates.items() if side.target not in floors} or listed_rates
    decided = {
        frozenset((contrast.a, contrast.b))
        for contrast in judged.results
        if contrast.metric == "throughput" and contrast.verdict in DIFFERENT
    }
    margin = judged.metric_margins["throughput"]
    letters = tie_groups(frames.tables, plan.points, ranked, margin=margin, decided=decided)
    times = block_samples(frames, samples)
    replies = {(str(t), str(p)): int(n.sum()) for (t, p), n in slices.groupby(["target", "point"])["replies"]}
    errors: dict[Side, Counter[str]] = {}
    for result in (side for record in records for side in record.sides):
        errors.setdefault(result.side, Counter()).update(result.errors)
    excluded: dict[Side, list[Exclusion]] = {}
    for exclusion in frames.excluded:
        excluded.setdefault(exclusion.side, []).append(exclusion)
    added = _added_points(manifest)
    planned = plan.alternating_sides
    table = []
    for point, target in product(plan.compared_points, listed):
        side = Side(target.name, point.id)
        if point.id in added and side not in planned:
            continue
        rate, cost = rates.get(side), costs.get(side)
        status, reasons = _status(manifest, target, point, rate or cost, excluded.get(side, ()))
        service_us = percentiles(times.get(side, {}).values())
        table.append(
            Cell(
                target=target.name,
                point=point.id,
                scenario=point.scenario,
                params=point.params,
                concurrency=point.concurrency,
                status=status,
                throughput_rps=rate,
                cpu_us=cost,
                # None higher, as slices of a fraction of a second have no steady tail.
                service_time_us={"p50": service_us["p50"]} if service_us else {},
                replies=replies.get((target.name, point.id), 0),
                errors=dict(errors.get(side, {})),
                reasons=reasons,
                tie_group=letters.get(side, ""),
            )
        )
    return tuple(table)


def _added_points(manifest: Manifest) -> frozenset[str]:
    """Points that joined the plan while the run went, for some of the targets only."""
    blocks = manifest.plan.alternating
    first = {side.point for side in blocks[0].sides} if blocks else set()
    later = {side.point for block in blocks[1:] for side in block.sides}
    return frozenset(later - first)


def _status(
    manifest: Manifest, target: Target, point: Point, number: Estimate | None, excluded: Sequence[Exclusion]
) -> tuple[Status, tuple[Reason, ...]]:
    reasons = tallied(exclusion.reason for exclusion in excluded)
    if number is not None:
        return "ok", reasons
    if excluded:
        broken = any(exclusion.kind in ("failure", "replies") for exclusion in excluded)
        return ("failed" if broken else "not-measurable"), reasons
    failed = [f.reason for f in manifest.skipped if f.target == target.name and f.point in ("", point.id)]
    if failed:
        return "failed", tuple(failed)
    left_out = [f.reason for f in manifest.plan.left_out if f.target == target.name and f.point == point.id]
    if left_out:
        return "not-run", tuple(left_out)
    if lack := lacking(target, [request.endpoint for request in point.requests], [point.scenario]):
        return "not-run", (lack,)
    planned = Side(target.name, point.id) in manifest.plan.alternating_sides
    return "not-run", (Reason("not-yet-measured" if planned else "not-planned"),)
