"""The run's badge: may its numbers be cited, and if not, or not without care, why."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analyse.frames import Exclusion
from harness.analyse.summary import Badge, Cell, ContrastResult, Health, JourneyResult, SharedLoad
from harness.analyse.windows import latest, sound
from harness.model import Manifest, WindowRecord
from harness.objective import STUDIES

FEW_BLOCKS = 5
FEW_JOURNEYS = 3


def badge(
    manifest: Manifest,
    cells: Sequence[Cell],
    controls: Sequence[ContrastResult],
    blocks: int,
    health: Health,
    excluded: Sequence[Exclusion],
    alone: Sequence[JourneyResult | SharedLoad] = (),
    windows: Sequence[WindowRecord] = (),
) -> tuple[Badge, tuple[str, ...]]:
    """``do-not-cite`` if the control was called different, or less than half of the tried cells have a number;
    ``warnings`` if anything else calls for care; ``sound`` otherwise. With the reasons, the gravest first.
    """
    counted = [record for record in latest(windows) if record.study in STUDIES]
    counted = [record for record in counted if not any(failure.kind == "cannot" for failure in record.failures)]
    usable = sum(map(sound, counted))
    only_windows = bool(counted) and not manifest.plan.points and not alone
    grave = [] if only_windows and usable else _grave([*cells, *alone], controls)
    if 2 * usable < len(counted):
        grave.append(f"only {usable} of {len(counted)} windows could be measured")
    if manifest.plan.points or not (alone or counted):
        cautions = _cautions(manifest, controls, blocks, health, excluded)
    else:
        cautions = [*_status(manifest), *manifest.warnings]
    cautions += _alone(alone)
    if usable < len(counted):
        cautions.append(f"{len(counted) - usable} of {len(counted)} windows of studies are not measurable")
    if grave:
        return "do-not-cite", (*grave, *cautions)
    return ("warnings" if cautions else "sound"), tuple(cautions)


def _grave(cells: Sequence[Cell | JourneyResult | SharedLoad], controls: Sequence[ContrastResult]) -> list[str]:
    reasons = [
        f"A/A control called different at {control.a.point} (ratio {control.ratio:.3f}): a target differs from itself"
        for control in controls
        if control.verdict in ("different", "different-size-open")
    ]
    measured = sum(cell.status == "ok" for cell in cells)
    tried = sum(cell.status != "not-run" for cell in cells)
    if not measured:
        reasons.append("no target gave a valid number")
    elif 2 * measured < tried:
        reasons.append(f"only {measured} of {tried} cells could be measured")
    return reasons


def _status(manifest: Manifest) -> list[str]:
    if manifest.status == "finished":
        return []
    return [f"the run is {manifest.status}: blocks or slots are missing"]


def _alone(results: Sequence[JourneyResult | SharedLoad]) -> list[str]:
    """What loads on one target alone call for."""
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
    reasons = [f"journeys or shared loads without a valid number: {', '.join(missing)}"] if missing else []
    if few:
        reasons.append(
            f"{len(few)} of {len(results)} loads on one target alone rest on fewer than {FEW_JOURNEYS} blocks"
        )
    return reasons


def _cautions(
    manifest: Manifest,
    controls: Sequence[ContrastResult],
    blocks: int,
    health: Health,
    excluded: Sequence[Exclusion],
) -> list[str]:
    reasons: list[str] = []
    if not controls:
        reasons.append("no A/A control in this run")
    words = {"small": "differs by less than the margin, but really", "undecided": "undecided at the margin"}
    for verdict, word in (*words.items(), ("not-measurable", "not measurable")):
        count = sum(control.verdict == verdict for control in controls)
        if count:
            reasons.append(f"A/A control {word} in {count} of {len(controls)} comparisons")
    if blocks < FEW_BLOCKS:
        reasons.append(f"{blocks} of the at least {FEW_BLOCKS} blocks that a sound run has")
    reasons += _status(manifest)
    if health.failed_slots:
        reasons.append(f"{health.failed_slots} of {health.slots} slots have excluded sides")
    if health.retried_slots:
        reasons.append(f"{health.retried_slots} of {health.slots} slots were retried")
    bound = {gate.target for gate in health.gates if gate.gate == "generator-bound"}
    if bound:
        reasons.append(f"generator-bound, no verdict where it is: {', '.join(sorted(name or 'all' for name in bound))}")
    if any(not gate.fatal for gate in health.gates):
        mild = sorted({gate.gate for gate in health.gates if not gate.fatal})
        reasons.append(f"gates that do not exclude fired: {', '.join(mild)}")
    partly = {(each.target, each.point) for each in excluded if each.kind == "missing"}
    if partly:
        reasons.append(f"slices without a number at {len(partly)} sides")
    absent = sorted({failure.target for failure in manifest.skipped if failure.kind != "not-installed"})
    if absent:
        reasons.append(f"not measured at all: {', '.join(absent)}")
    return reasons + list(manifest.warnings)
