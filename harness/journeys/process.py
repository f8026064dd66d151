"""A journey to be sent: Locust's users, for so long, from a process of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from harness.engine.engine import EngineProcess, OnMark, unheard
from harness.engine.spec import OnProgress, part_of
from harness.model.load import LoadResult, Loop

MODULE = "harness.journeys.child"
"""Locust with users of its own, for one journey."""
SLACK_S = 30.0


@dataclass(frozen=True, slots=True)
class JourneySpec:
    """Users of a locustfile.

    Attributes:
        file: the locustfile; ``digest``, of its text, tells a worker whether its own of that name is the same.
        host: base URL of the target.
        users: started evenly over the first half of ``warmup_s``; then ``duration_s`` are measured.
        grace_s: how long users may finish their requests afterwards.
        share, shares: which part of the users these are, where several workers send.
        start_at: ``time.perf_counter`` at which the warm-up begins.
    """

    file: str
    host: str
    users: int
    warmup_s: float
    duration_s: float
    seed: int = 0
    grace_s: float = 2.0
    digest: str = ""
    share: int = 0
    shares: int = 1
    start_at: float | None = None
    loop: ClassVar[Loop] = "journey"

    @property
    def connections(self) -> int:
        return self.users

    @property
    def longest_s(self) -> float:
        """After so long it is over, whatever the server does."""
        return self.warmup_s + self.duration_s + self.grace_s

    def part(self, index: int, count: int) -> JourneySpec:
        """The users of worker ``index`` of ``count``."""
        users = part_of(self.users, index, count)
        return replace(self, users=users, seed=self.seed + index, share=index, shares=count)


class Journeys:
    """Sends journeys from this machine, each from a process of its own.

    Args:
        cpus: CPUs to pin it to; empty for no pinning.
    """

    def __init__(self, cpus: tuple[int, ...] = ()) -> None:
        self._cpus = cpus

    def run_load(self, spec: JourneySpec, on_progress: OnProgress = unheard, on_mark: OnMark = unheard) -> LoadResult:
        """Carry out one journey; ``on_mark`` is told when the measured stretch begins and ends.

        Ctrl-C ends it early, within a second: the result is then marked ``interrupted``.

        Raises:
            UsageError: the locustfile cannot be used.
            EngineError: the process ended or failed.
        """
        process = EngineProcess(self._cpus, MODULE)
        try:
            answer: LoadResult = process.carry_out(spec, on_progress, on_mark, allowed_s=spec.longest_s + SLACK_S)
        finally:
            process.close()
        return answer
