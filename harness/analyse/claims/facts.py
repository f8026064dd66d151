"""What the rules ask of a run: its targets by kind, and contrasts, cells, probes and effort by what they are about."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from harness.analyse.predict import predicted_throughput
from harness.analyse.summary import Cell, ClaimVerdict, ContrastResult, Evidence, Summary
from harness.model import Effort, Feature, Interface, Manifest, Metric, Target

APART = ("different", "different-size-open")


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule came to, and whether on all that the claim is about. One that finds nothing returns ``None``."""

    verdict: ClaimVerdict
    evidence: tuple[Evidence, ...] = ()
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Comparison:
    """A contrast, seen from one of its sides.

    Attributes:
        outcome: 1 where that side is better by the contrast's metric, −1 where it is worse, 0 where there is no
            difference or a smaller one than the margin, ``None`` where it is not decided.
        factor: how many times better, and the end of the interval that is nearer to no difference at all.
    """

    index: int
    contrast: ContrastResult
    outcome: int | None
    factor: float
    least: float

    @property
    def evidence(self) -> Evidence:
        return Evidence("contrast", f"contrasts.{self.index}")


@dataclass(frozen=True, slots=True)
class Facts:
    manifest: Manifest
    summary: Summary

    def targets(
        self,
        framework: str = "*",
        interface: Interface | None = None,
        server: str = "*",
        *,
        reference: bool | None = None,
        answering: bool = True,
    ) -> list[Target]:
        """Those of this kind, and where ``answering`` only if at least one cell has a number; twins are left out."""
        known = {cell.target for cell in self.summary.cells if cell.status == "ok" or not answering}
        return [
            target
            for target in self.manifest.targets
            if target.name in known
            and not target.twin_of
            and fnmatchcase(target.framework, framework)
            and (interface is None or target.interface == interface)
            and fnmatchcase(target.server, server)
            and (reference is None or target.reference == reference)
        ]

    def comparisons(
        self, first: Iterable[Target], second: Iterable[Target], metric: Metric, scenarios: Collection[str] = ("*",)
    ) -> list[Comparison]:
        """Contrasts of a target of ``first`` with one of ``second``, at one point, whichever of them is its A."""
        ours, theirs = {target.name for target in first}, {target.name for target in second}
        found = []
        for index, contrast in enumerate(self.summary.contrasts):
            a, b = contrast.a, contrast.b
            scenario = a.point.partition("@")[0].partition("[")[0]
            if contrast.metric != metric or a.point != b.point or a.target == b.target:
                continue
            if not any(fnmatchcase(scenario, glob) for glob in scenarios):
                continue
            if a.target in ours and b.target in theirs:
                found.append(_compared(index, contrast, swapped=False))
            elif b.target in ours and a.target in theirs:
                found.append(_compared(index, contrast, swapped=True))
        return found

    def cells(self, targets: Iterable[Target], scenario: str) -> list[tuple[int, Cell, Target]]:
        """Every cell of the targets in the scenarios of this glob, whatever its status, with its index."""
        by_name = {target.name: target for target in targets}
        return [
            (index, cell, by_name[cell.target])
            for index, cell in enumerate(self.summary.cells)
            if cell.target in by_name and fnmatchcase(cell.scenario, scenario)
        ]

    def probes(
        self, capability: str, framework: str = "*", interface: Interface | None = None
    ) -> list[tuple[int, Feature]]:
        """Of targets that declare the whole contract: part of it, or a floor, says nothing of the framework."""
        whole = {
            target.name
            for target in self.manifest.targets
            if "*" in target.endpoints
            and fnmatchcase(target.framework, framework)
            and (interface is None or target.interface == interface)
        }
        return [
            (index, feature)
            for index, feature in enumerate(self.summary.features)
            if feature.capability == capability and feature.target in whole
        ]

    def effort(self, framework: str = "*") -> list[tuple[int, Effort]]:
        found = enumerate(self.summary.effort)
        return [(index, effort) for index, effort in found if fnmatchcase(effort.framework, framework)]

    def wait_s(self, cell: Cell) -> float:
        return next((point.wait_s for point in self.manifest.plan.points if point.id == cell.point), 0.0)

    def allowed_rps(self, cell: Cell, target: Target) -> float | None:
        """The most requests per second that workers × threads allow at the cell's wait; ``None`` without a CPU cost."""
        if cell.cpu_us is None or cell.throughput_rps is None:
            return None
        service = cell.cpu_us.value / 1e6
        wait = self.wait_s(cell)
        if wait + service <= 0:
            return None
        return predicted_throughput(wait, service, target.workers, target.threads, cell.concurrency, sync=True)


def judged(comparisons: Sequence[Comparison]) -> ClaimVerdict | None:
    """``supported`` where the side is better in all that is decided, ``refuted`` where in none of it."""
    if not comparisons:
        return None
    known = [comparison.outcome for comparison in comparisons if comparison.outcome is not None]
    return "undecided" if not known else of_all([outcome == 1 for outcome in known])


def of_all(holds: Sequence[bool]) -> ClaimVerdict:
    """``supported`` where it holds in every case, ``refuted`` where in none, ``depends`` otherwise."""
    return "supported" if all(holds) else "depends" if any(holds) else "refuted"


def telling(comparisons: Sequence[Comparison]) -> tuple[Evidence, ...]:
    """The best and the worst for the side, decided ones first."""
    ordered = sorted(comparisons, key=lambda one: (one.outcome is None, -one.factor))
    decided = [one for one in ordered if one.outcome is not None] or ordered
    ends = [decided[0], decided[-1]] if len(decided) > 1 else decided[:1]
    return tuple(one.evidence for one in ends)


def _compared(index: int, contrast: ContrastResult, *, swapped: bool) -> Comparison:
    ratio = contrast.ratio or 1.0
    low, high = contrast.ci_low or ratio, contrast.ci_high or ratio
    # More requests per second is better, and so is less CPU: seen from A, a ratio of CPU counts upside down.
    if swapped != (contrast.metric == "cpu_cost"):
        ratio, low, high = 1 / ratio, 1 / high, 1 / low
    outcome: int | None
    if contrast.ratio is None or contrast.verdict in ("undecided", "not-measurable"):
        outcome = None
    elif contrast.verdict in APART:
        outcome = 1 if ratio > 1 else -1
    else:
        outcome = 0
    return Comparison(index, contrast, outcome, ratio, low if ratio >= 1 else high)
