"""The run's badge: may its numbers be cited, and if not, or not without care, why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.model import LACKS, Manifest, Reason, WindowRecord
from harness.results.frames import Frames
from harness.results.judge import control_ids
from harness.results.summary import Badge, ContrastResult, Health, JourneyResult, Outcome, SharedLoad, Summary
from harness.stats.estimate import DIFFERENT
from harness.studies.registry import WINDOWS

FEW_BLOCKS = 5
FEW_JOURNEYS = 3


def with_badge(manifest: Manifest, summary: Summary, frames: Frames, windows: Sequence[WindowRecord]) -> Summary:
    """The summary with its badge, and the reasons for it, the gravest first.

    ``do-not-cite`` if the control was called different, or fewer than half of the tried cells have a number;
    ``warnings`` if anything else calls for care; ``sound`` otherwise.

    Args:
        windows: of loads on one target alone, the attempts that count.
    """
    controls = control_ids(manifest, summary.contrasts)
    judged = [contrast for contrast in summary.contrasts if contrast.id in controls]
    loads: list[JourneyResult | SharedLoad] = [*summary.journeys, *summary.shared_loads]
    counted = [record for record in windows if record.study in WINDOWS]
    counted = [record for record in counted if not any(failure.reason.code in LACKS for failure in record.failures)]
    usable = sum(record.sound for record in counted)
    only_windows = bool(counted) and not manifest.plan.compared_points and not loads
    grave = [] if only_windows and usable else _grave([*summary.cells, *loads], judged)
    if 2 * usable < len(counted):
        grave.append(Reason("few-windows", {"usable": usable, "tried": len(counted)}))
    if manifest.plan.compared_points or not (loads or counted):
        cautions = _cautions(manifest, summary.health, judged, frames)
    else:
        cautions = [*_status(manifest), *_warnings(manifest)]
    cautions += _load_cautions(loads)
    if usable < len(counted):
        cautions.append(Reason("lost-windows", {"lost": len(counted) - usable, "tried": len(counted)}))
    badge: Badge = "do-not-cite" if grave else "warnings" if cautions else "sound"
    return replace(summary, badge=badge, reasons=(*grave, *cautions))


def _grave(cells: Sequence[Outcome], controls: Sequence[ContrastResult]) -> list[Reason]:
    reasons = [
        Reason("control-different", {"point": control.a.point, "ratio": control.ratio or 1.0})
        for control in controls
        if control.verdict in DIFFERENT
    ]
    measured = sum(cell.status == "ok" for cell in cells)
    tried = sum(cell.status != "not-run" for cell in cells)
    if not measured:
        reasons.append(Reason("no-number"))
    elif 2 * measured < tried:
        reasons.append(Reason("few-cells", {"measured": measured, "tried": tried}))
    return reasons


def _status(manifest: Manifest) -> list[Reason]:
    return [] if manifest.status == "finished" else [Reason("not-finished", {"status": manifest.status})]


def _load_cautions(results: Sequence[JourneyResult | SharedLoad]) -> list[Reason]:
    """Cautions about loads on one target alone."""
    missing = [
        f"{result.target} ({result.journey if isinstance(result, JourneyResult) else result.point})"
        for result in results
        if result.status in ("failed", "not-measurable")
    ]
    few = [
        result
        for result in results
        if result.status == "ok" and (result.throughput_rps is None or result.throughput_rps.blocks < FEW_JOURNEYS)
    ]
    reasons = [Reason("loads-missing", {"listed": tuple(missing)})] if missing else []
    if few:
        reasons.append(Reason("loads-few", {"few": len(few), "all": len(results), "blocks": FEW_JOURNEYS}))
    return reasons


def _cautions(manifest: Manifest, health: Health, controls: Sequence[ContrastResult], frames: Frames) -> list[Reason]:
    blocks = int(frames.slices["block"].nunique())
    reasons = [] if controls else [Reason("no-control")]
    for verdict in ("small", "undecided", "not-measurable"):
        count = sum(control.verdict == verdict for control in controls)
        # Among many controls some are undecided in any run: every interval says so of its own comparison.
        if count > (len(controls) // 2 if verdict == "undecided" else 0):
            reasons.append(Reason(f"control-{verdict}", {"count": count, "all": len(controls)}))
    if blocks < FEW_BLOCKS:
        reasons.append(Reason("few-blocks", {"blocks": blocks, "least": FEW_BLOCKS}))
    reasons += _status(manifest)
    if health.failed_windows:
        reasons.append(Reason("failed-windows", {"count": health.failed_windows, "all": health.windows}))
    if health.untimed_windows:
        reasons.append(Reason("untimed-windows", {"count": health.untimed_windows, "all": health.windows}))
    if health.retried_windows:
        reasons.append(Reason("retried-windows", {"count": health.retried_windows, "all": health.windows}))
    bound = sorted({gate.target for gate in health.gates if gate.reason.code in ("generator-bound", "null-server")})
    if bound:
        reasons.append(Reason("generator-limits", {"targets": tuple(bound)}))
    partly = {each.side for each in frames.excluded if each.kind == "missing"}
    if partly:
        reasons.append(Reason("missing-slices", {"count": len(partly)}))
    absent = sorted({failure.target for failure in manifest.skipped if failure.reason.code != "not-installed"})
    if absent:
        reasons.append(Reason("absent", {"targets": tuple(absent)}))
    return [*reasons, *_warnings(manifest)]


def _warnings(manifest: Manifest) -> list[Reason]:
    """Of the manifest's, those that call for care: that an interpreter ran without its GIL does not."""
    return [each for each in manifest.warnings if each.code != "gil-off"]
