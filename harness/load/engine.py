"""The wire engine as the rest of the toolkit sees it: synchronous calls, carried out in processes of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Self

from harness.errors import EngineError
from harness.load.merge import merge
from harness.load.messages import Answer, Order
from harness.load.process import EngineProcess
from harness.load.spec import (
    EventsSpec,
    LoadMeasurement,
    LoadSpec,
    Progress,
    SlotMeasurement,
    SlotSpec,
    WebSocketSpec,
)

START_LEAD_S = 0.3
STOP_S = 15.0
OnProgress = Callable[[Progress], None]


class Engine:
    """Load from processes of its own.

    The first is started with the ``with`` block, so that it is ready when servers are; others when first needed.

    Args:
        cpus: CPUs to pin to, each process to one of them in turn where there are several; empty for no pinning.
        processes: how many share a load of ``run_load``; a slot is always one process's.
    """

    def __init__(self, cpus: tuple[int, ...] = (), processes: int = 1) -> None:
        self._cpus, self._count = cpus, processes
        self._processes: list[EngineProcess] = []

    def __enter__(self) -> Self:
        self._launch(1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that are running now."""
        return tuple(process.pid for process in self._processes)

    def run_slot(self, spec: SlotSpec, on_progress: OnProgress | None = None) -> SlotMeasurement:
        """Measure a slot; takes ``spec.budget_s`` or, where that is longer, its least number of rounds.

        Raises:
            EngineError: the process ended or failed; the next call starts a new one.
        """
        answer = self._run([spec], on_progress)[0]
        assert isinstance(answer, SlotMeasurement)
        return answer

    def run_load(
        self, spec: LoadSpec | WebSocketSpec | EventsSpec, on_progress: OnProgress | None = None
    ) -> LoadMeasurement:
        """Send a load. Ctrl-C ends it early: the measurement is then marked ``interrupted``.

        Raises:
            EngineError: a process ended or failed; the next call starts new ones.
        """
        if self._count == 1:
            shares: list[Order] = [spec]
        else:
            self._start(self._count)
            start_at = time.perf_counter() + START_LEAD_S
            shares = [_share(spec, index, self._count, start_at) for index in range(self._count)]
        answers = self._run(shares, on_progress, stoppable=True)
        return merge([answer for answer in answers if isinstance(answer, LoadMeasurement)])

    def close(self) -> None:
        """End the processes; what is under way is lost."""
        processes, self._processes = self._processes, []
        for process in processes:
            process.close()

    def _launch(self, count: int) -> None:
        for index in range(len(self._processes), count):
            cpus = self._cpus if self._count == 1 else self._cpus[index % max(1, len(self._cpus)) :][:1]
            self._processes.append(EngineProcess(cpus))

    def _start(self, count: int) -> list[EngineProcess]:
        self._launch(count)
        for process in self._processes[:count]:
            process.wait_ready()
        return self._processes[:count]

    def _run(self, orders: list[Order], on_progress: OnProgress | None, stoppable: bool = False) -> list[Answer]:
        try:
            pending = self._start(len(orders))
            for process, order in zip(pending, orders, strict=True):
                process.order(order)
            try:
                return [process.answer(on_progress if process is pending[0] else None) for process in pending]
            except KeyboardInterrupt:
                if not stoppable:
                    raise
                return self._stopped(pending)
        except BaseException:
            # A process that still works on this order would answer the next one with it.
            self.close()
            raise

    def _stopped(self, pending: list[EngineProcess]) -> list[Answer]:
        for process in pending:
            process.stop()
        deadline = time.monotonic() + STOP_S
        answers = [process.answer(None, deadline) for process in pending]
        return [replace(answer, interrupted=True) for answer in answers if isinstance(answer, LoadMeasurement)]


def _share(spec: LoadSpec | WebSocketSpec | EventsSpec, index: int, count: int, start_at: float) -> Order:
    """The part of a load that process ``index`` of ``count`` sends.

    Raises:
        EngineError: there are fewer connections than processes.
    """
    connections = _part(spec.connections, index, count)
    if connections == 0:
        raise EngineError(f"{spec.connections} connections cannot be shared by {count} processes", hint="use fewer")
    if isinstance(spec, LoadSpec):
        return replace(
            spec,
            connections=connections,
            share=index,
            shares=count,
            in_flight_cap=max(1, spec.in_flight_cap // count),
            start_at=start_at,
            beside=replace(
                spec.beside, idle=_part(spec.beside.idle, index, count), slow=_part(spec.beside.slow, index, count)
            ),
        )
    return replace(spec, connections=connections)


def _part(whole: int, index: int, count: int) -> int:
    return whole // count + (index < whole % count)
