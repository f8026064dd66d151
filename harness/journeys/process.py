"""The parent's view of processes that run Locust."""

from __future__ import annotations

from harness.engine.engine import EngineProcess, OnMark
from harness.engine.spec import OnProgress
from harness.journeys.spec import JourneySpec
from harness.model.load import LoadResult

MODULE = "harness.journeys.child"
"""Locust with users of its own, for one journey."""
SLACK_S = 30.0


class Journeys:
    """Sends journeys from this machine, each from a process of its own.

    Args:
        cpus: CPUs to pin it to; empty for no pinning.
    """

    def __init__(self, cpus: tuple[int, ...] = ()) -> None:
        self._cpus = cpus

    def run_load(
        self, spec: JourneySpec, on_progress: OnProgress | None = None, on_mark: OnMark | None = None
    ) -> LoadResult:
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
