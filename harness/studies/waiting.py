"""What memory requests take while they wait."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from harness.model import PlannedRequest, WindowRecord
from harness.stats.interval import mean_estimate
from harness.studies.study import Brief, Study, StudySettings, WaitingRequests, WindowSpec, WindowSpecs

WAITING = "waiting"
ENDPOINT = "io-sleep"
HOLD_MS = 10_000
"""Longer than it takes to open the connections and to look at the memory, and the longest that the contract allows."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Memory of requests that wait, on a server that did little before.

    Attributes:
        requests: how many were sent and not answered.
        bytes_per_request: (memory with them − idle memory) / connections, mean over blocks, with its 95% interval.
        accepted: connections that the server had taken over from the kernel; the others wait in its backlog.
            ``None`` where the system does not show it. Median over blocks, as is ``connected``.
    """

    requests: int
    bytes_per_request: float
    ci_low: float | None
    ci_high: float | None
    connected: float
    accepted: float | None
    blocks: int


def windows(brief: Brief[StudySettings]) -> WindowSpecs:
    """Idle memory first, then step by step; the requests of a step go on waiting in the next."""
    request = PlannedRequest(ENDPOINT, "", {"ms": HOLD_MS})
    for count in brief.values["requests"]:
        setting = {"requests": count, "ms": HOLD_MS}
        yield WindowSpec(str(count), WAITING, setting, WaitingRequests(request, int(count)), (ENDPOINT,))


def rows(records: Sequence[WindowRecord]) -> tuple[Waiting, ...]:
    """Of one target; of several records in a block the last one counts, and those without a connection are skipped."""
    counts = sorted({record.only.planned for record in records})
    results = []
    for count in counts:
        latest = {record.block: record.only.figures for record in records if record.only.planned == count}
        figures = [each for each in latest.values() if each["connected"]]
        if not figures:
            continue
        each_one = mean_estimate([(each["held_bytes"] - each["idle_bytes"]) / each["connected"] for each in figures])
        accepted = [each["accepted"] for each in figures if "accepted" in each]
        results.append(
            Waiting(
                requests=count,
                bytes_per_request=each_one.value,
                ci_low=each_one.ci_low,
                ci_high=each_one.ci_high,
                connected=float(median(each["connected"] for each in figures)),
                accepted=float(median(accepted)) if accepted else None,
                blocks=each_one.blocks,
            )
        )
    return tuple(results)


STUDY = Study(WAITING, windows, StudySettings, {"requests": True})
