"""The wire engine as the rest of the toolkit sees it: synchronous calls, carried out in a process of its own."""

from __future__ import annotations

from typing import Self

from harness.engine.messages import Answer, Load
from harness.engine.process import EngineProcess, OnProgress
from harness.engine.spec import SlicesResult, SlicesSpec
from harness.model.load import LoadResult


class Engine:
    """Load from one process, started with the ``with`` block, so that it is ready when servers are.

    Args:
        cpus: CPUs to pin it to; empty for no pinning.
    """

    def __init__(self, cpus: tuple[int, ...] = ()) -> None:
        self._cpus = cpus
        self._process: EngineProcess | None = None

    def __enter__(self) -> Self:
        self._process = EngineProcess(self._cpus)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pids(self) -> tuple[int, ...]:
        """The process that is running now, if there is one."""
        return () if self._process is None else (self._process.pid,)

    def run_slices(self, spec: SlicesSpec, on_progress: OnProgress | None = None) -> SlicesResult:
        """Measure sides that take turns; takes ``spec.budget_s`` or, where that is longer, its least number of rounds.

        Raises:
            EngineError: the process ended or failed; the next call starts a new one.
        """
        answer = self._run(spec, on_progress, stoppable=False)
        assert isinstance(answer, SlicesResult)
        return answer

    def run_load(self, spec: Load, on_progress: OnProgress | None = None) -> LoadResult:
        """Send a load. Ctrl-C ends it early, within a second: the result is then marked ``interrupted``.

        Raises:
            EngineError: the process ended or failed; the next call starts a new one.
        """
        answer = self._run(spec, on_progress, stoppable=True)
        assert isinstance(answer, LoadResult)
        return answer

    def close(self) -> None:
        """End the process; what is under way is lost."""
        process, self._process = self._process, None
        if process is not None:
            process.close()

    def _run(self, order: Load | SlicesSpec, on_progress: OnProgress | None, *, stoppable: bool) -> Answer:
        self._process = self._process or EngineProcess(self._cpus)
        try:
            return self._process.carry_out(order, on_progress, stoppable=stoppable)
        except BaseException:
            # A process that still works on this order would answer the next one with it.
            self.close()
            raise
