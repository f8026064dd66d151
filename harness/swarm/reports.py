"""Shares of one load: how it is divided, what a worker tells of its share, and how reports become one. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from harness.errors import UsageError
from harness.load.merge import added, summed
from harness.load.soundness import reasons
from harness.load.spec import LoadMeasurement, LoadSpec
from harness.swarm.distribution import distribution, merged
from harness.swarm.network import LoadReport

Key = TypeVar("Key")
SKEW_S = 0.05
"""Workers whose clocks may be further apart than this did not begin together."""


@dataclass(frozen=True, slots=True)
class Member:
    """A worker, as figures tell of it.

    Attributes:
        offset_s: its clock minus the master's; ``uncertain_s``: how far off that may be, half of the round trip.
        lost: why it was given up; empty where it was not.
        noticed_s: seconds from its last sign of life to the moment at which it was given up.
    """

    index: int
    host: str
    offset_s: float = 0.0
    uncertain_s: float = 0.0
    lost: str = ""
    noticed_s: float = 0.0

    @property
    def name(self) -> str:
        return f"worker {self.index + 1} ({self.host})"


@dataclass(frozen=True, slots=True)
class SwarmMeasurement:
    """A load of several workers.

    Attributes:
        members: who was given a share; ``reports``: index of a member → its report, for those that were not lost.
        report: all reports as one; ``None`` where there is none.
        lost_share: part of the load that was given to workers that were lost.
        merge_s: time that the master took to put the reports together; ``report_bytes``: what they were, together.
    """

    members: tuple[Member, ...]
    reports: Mapping[int, LoadReport]
    report: LoadReport | None
    lost_share: float
    reasons: tuple[str, ...]
    merge_s: float = 0.0
    report_bytes: int = 0
    interrupted: bool = False
    notes: tuple[str, ...] = field(default_factory=tuple)


def shares(spec: LoadSpec, count: int) -> list[LoadSpec]:
    """The load divided among ``count`` workers: connections, and every ``count``-th request of an open loop's schedule.

    Raises:
        UsageError: there are fewer connections than workers.
    """
    if spec.connections < count:
        raise UsageError(
            f"{spec.connections} connections cannot be shared by {count} workers", hint="use fewer workers"
        )
    return [
        replace(
            spec,
            connections=spec.connections // count + (index < spec.connections % count),
            share=index,
            shares=count,
            in_flight_cap=max(1, spec.in_flight_cap // count),
        )
        for index in range(count)
    ]


def report_of(order: int, m: LoadMeasurement, connections: int) -> LoadReport:
    """What a worker sends of its measurement: counts as they are, latencies as distributions."""
    return LoadReport(
        order=order,
        duration_s=m.duration_s,
        elapsed_s=m.elapsed_s,
        planned=m.planned,
        answered=m.answered,
        failed=m.failed,
        dropped=m.dropped,
        unfinished=m.unfinished,
        waited=m.waited,
        in_time=m.in_time,
        service=distribution(m.service_time_us),
        response=distribution(m.response_time_us),
        lateness=distribution(m.lateness_us),
        window_s=m.window_s,
        windows=m.windows,
        failed_windows=m.failed_windows,
        status=dict(m.status),
        errors=dict(m.errors),
        examples=dict(m.examples),
        generator_cpu=m.generator_cpu,
        generator_wait=m.generator_wait,
        connects=m.connects,
        reconnects=m.reconnects,
        retries=m.retries,
        surplus=m.surplus,
        interrupted=m.interrupted,
        reasons=reasons(m, connections),
        connections=connections,
    )


def merge_reports(parts: Sequence[LoadReport]) -> LoadReport:
    """One report from all, exactly: counts are added, histograms too.

    Raises:
        ValueError: there are none.
    """
    if not parts:
        raise ValueError("nothing to merge")
    first = parts[0]
    return LoadReport(
        order=first.order,
        duration_s=max(part.duration_s for part in parts),
        elapsed_s=max(part.elapsed_s for part in parts),
        planned=sum(part.planned for part in parts),
        answered=sum(part.answered for part in parts),
        failed=sum(part.failed for part in parts),
        dropped=sum(part.dropped for part in parts),
        unfinished=sum(part.unfinished for part in parts),
        waited=sum(part.waited for part in parts),
        in_time=sum(part.in_time for part in parts),
        service=merged(part.service for part in parts),
        response=merged(part.response for part in parts),
        lateness=merged(part.lateness for part in parts),
        window_s=first.window_s,
        windows=added([part.windows for part in parts]),
        failed_windows=added([part.failed_windows for part in parts]),
        status=summed([part.status for part in parts]),
        errors=summed([part.errors for part in parts]),
        examples={kind: text for part in reversed(parts) for kind, text in part.examples.items()},
        generator_cpu=max(part.generator_cpu for part in parts),
        generator_wait=max(part.generator_wait for part in parts),
        connects=sum(part.connects for part in parts),
        reconnects=sum(part.reconnects for part in parts),
        retries=sum(part.retries for part in parts),
        surplus=sum(part.surplus for part in parts),
        interrupted=any(part.interrupted for part in parts),
        reasons=(),
        connections=sum(part.connections for part in parts),
    )


def verdicts(
    members: Sequence[Member], reports: Mapping[int, LoadReport], *, without_lost: bool = False
) -> tuple[str, ...]:
    """Why the load is not sound: the gates of every worker, workers that were lost, clocks too far apart.

    Args:
        without_lost: whether the load of the rest is what the user wanted then.
    """
    lost = [f"{member.name} was lost: {member.lost}" for member in members if member.lost]
    found = ["no worker is left"] if not reports else [] if without_lost else lost
    found += [
        f"{members[index].name}: {reason}" for index, report in sorted(reports.items()) for reason in report.reasons
    ]
    found += [
        f"{member.name} may have begun {member.uncertain_s * 1e3:.0f} ms off: its clock could not be read better"
        for member in members
        if member.uncertain_s > SKEW_S and not member.lost
    ]
    whole = [report.duration_s for report in reports.values()]
    if whole and max(whole) - min(whole) > SKEW_S + 0.01 * max(whole):
        found.append(f"workers sent for {min(whole):.2f} to {max(whole):.2f} s")
    return tuple(found)


def no_report() -> LoadReport:
    """What came where every worker was lost."""
    nothing = dict.fromkeys(("planned", "answered", "failed", "dropped", "unfinished", "waited", "in_time"), 0)
    traffic = dict.fromkeys(("connects", "reconnects", "retries", "surplus", "connections"), 0)
    return LoadReport(
        order=0, duration_s=0.0, elapsed_s=0.0, service=None, response=None, lateness=None, window_s=0.1, windows=(),
        failed_windows=(), status={}, errors={}, examples={}, generator_cpu=0.0, generator_wait=0.0,
        interrupted=False, reasons=(), **nothing, **traffic,
    )  # fmt: skip
