"""What rules ask of a run: targets by kind, and its contrasts, cells and probes by what they are about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from operator import attrgetter
from typing import Any

from harness.model import Effort, Interface, Manifest, Metric, Target
from harness.results.summary import Cell, Estimate, Evidence, Summary

THROUGHPUT: tuple[Metric, ...] = ("throughput",)
CPU: tuple[Metric, ...] = ("cpu_cost",)
BOTH = (*THROUGHPUT, *CPU)


@dataclass(frozen=True, slots=True)
class Kind:
    """Targets by framework and interface (any where none is named), server and name (globs), and reference."""

    frameworks: tuple[str, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    server: str = "*"
    name: str = "*"
    reference: bool | None = None

    def __contains__(self, target: Target) -> bool:
        return (
            not target.twin_of
            and (not self.frameworks or target.framework in self.frameworks)
            and (not self.interfaces or target.interface in self.interfaces)
            and fnmatchcase(target.server, self.server)
            and fnmatchcase(target.name, self.name)
            and self.reference in (None, target.reference)
        )


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that a claim says, checked against the run; ``holds`` is ``None`` where that leaves it open."""

    holds: bool | None
    evidence: tuple[Evidence, ...]


Alike = Callable[[Target, Target], bool]


@dataclass(frozen=True, slots=True)
class Facts:
    manifest: Manifest
    summary: Summary

    def target(self, name: str) -> Target | None:
        return next((target for target in self.manifest.targets if target.name == name), None)

    def scenario(self, point: str) -> str:
        return next((each.scenario for each in self.manifest.plan.points if each.id == point), "")

    def wait_s(self, point: str) -> float:
        return next((each.wait_s for each in self.manifest.plan.points if each.id == point), 0.0)

    def rows(self, field: str, kind: Kind) -> Iterator[tuple[str, Any, Target]]:
        """Path, row and target of the rows of this field of the summary, of targets of the kind."""
        for index, row in enumerate(attrgetter(field)(self.summary)):
            if (target := self.target(row.target)) and target in kind:
                yield f"{field}.{index}", row, target

    def cells(self, kind: Kind, scenario: str) -> Iterator[tuple[str, Cell, Target]]:
        """Of every target that was tried there, whether or not it gave a number."""
        for path, cell, target in self.rows("cells", kind):
            if cell.status != "not-run" and fnmatchcase(cell.scenario, scenario):
                yield path, cell, target

    def pairs(self, field: str, ours: Kind, theirs: Kind, alike: Alike) -> Iterator[tuple[str, Any, str, Any]]:
        """Paths and rows of a target of ``ours`` and one of ``theirs`` that it is ``alike``."""
        for one, own, a in self.rows(field, ours):
            for two, other, b in self.rows(field, theirs):
                if alike(a, b):
                    yield one, own, two, other

    def apps(self, *names: str) -> list[tuple[str, Effort]]:
        """Path and effort of the apps of these names, in this order."""
        by_name = {app.app: (f"effort.{index}", app) for index, app in enumerate(self.summary.effort)}
        return [by_name[name] for name in names if name in by_name]


def above_bound(low: float | None, high: float | None, bound: float) -> bool | None:
    """Whether an interval lies above a bound; ``None`` where it contains it, or there is none."""
    if low is None or high is None or low < bound <= high:
        return None
    return low >= bound


def ratio_above_bound(over: Estimate, under: Estimate, bound: float) -> bool | None:
    """Whether one estimate is so many times the other, by the least favourable ends of their intervals."""
    if over.ci_low is None or over.ci_high is None or under.ci_low is None or under.ci_high is None:
        return None
    return above_bound(over.ci_low / under.ci_high, over.ci_high / under.ci_low, bound)
