"""Master and workers as the rest of the toolkit sees them: synchronous calls, processes that are always ended."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from harness.errors import EngineError, NotReadyError, UsageError
from harness.guard import Guard
from harness.load.messages import Fault
from harness.load.process import EngineProcess
from harness.load.spec import LoadSpec, Progress
from harness.swarm.messages import (
    Await,
    Joined,
    JourneyMeasurement,
    JourneySpec,
    Listen,
    Listening,
    Mark,
    Note,
    OnLost,
)
from harness.swarm.network import DEFAULT_PORT
from harness.swarm.reports import SwarmMeasurement

HERE = "127.0.0.1"
ANYWHERE = "0.0.0.0"
LOCAL_S = 60.0
ANSWER_S = 120.0

Told = Callable[[str, bool], None]


@dataclass(frozen=True, slots=True)
class Crew:
    """Who sends a load.

    Attributes:
        here: worker processes of this machine. ``elsewhere``: those that others start with ``harness worker``.
        host, port: where the master takes workers: this machine only unless others are awaited; any free port unless
            given.
        cpus: CPUs of the workers here, one each in turn; empty for no pinning.
        lost: what to do about a worker that is lost.
        live_port: port of Locust's web page; 0 for none.
    """

    here: int
    elsewhere: int = 0
    host: str = ""
    port: int | None = None
    cpus: tuple[int, ...] = ()
    lost: OnLost = "invalid"
    live_port: int = 0
    locustfile: str = ""

    @property
    def count(self) -> int:
        return self.here + self.elsewhere

    def listen(self) -> Listen:
        host = self.host or (ANYWHERE if self.elsewhere else HERE)
        port = self.port if self.port is not None else (DEFAULT_PORT if self.elsewhere else 0)
        return Listen(host, port, self.live_port, self.lost)


class MasterProcess(EngineProcess):
    module = "harness.swarm.master"


class Cluster:
    """A master and its workers; a context manager.

    Args:
        told: hears of workers that join, are refused or are lost, and whether that is a warning.
        join_s: how long workers of other machines are awaited.
    """

    def __init__(self, crew: Crew, told: Told, join_s: float = 600.0) -> None:
        self._crew, self._told, self._join_s = crew, told, join_s
        self._guard = Guard()
        self._workers: list[subprocess.Popen[bytes]] = []
        self._logs: list[Any] = []
        self._master: MasterProcess | None = None
        self.port = 0

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def master_pid(self) -> int:
        assert self._master is not None
        return self._master.pid

    @property
    def pids(self) -> tuple[int, ...]:
        """The workers of this machine."""
        return tuple(worker.pid for worker in self._workers)

    def run_load(
        self,
        spec: LoadSpec,
        on_progress: Callable[[Progress], None] | None = None,
        on_mark: Callable[[str], None] | None = None,
    ) -> SwarmMeasurement:
        """Send a load from all workers. Ctrl-C ends it early, with what was measured so far.

        Raises:
            UsageError: there are fewer connections than workers.
            EngineError: the master failed, or no worker is left.
        """
        answer = self._ask(spec, spec.duration_s + spec.timeout_s + ANSWER_S, on_progress, on_mark)
        assert isinstance(answer, SwarmMeasurement)
        return answer

    def run_journey(
        self,
        spec: JourneySpec,
        on_mark: Callable[[str], None],
        on_progress: Callable[[Progress], None] | None = None,
    ) -> JourneyMeasurement:
        """Divide a journey's users among the workers; see ``SoloProcess.run``.

        Raises:
            UsageError: the locustfile cannot be used.
            EngineError: the master failed, or a worker has not the same file.
        """
        answer = self._ask(spec, spec.warmup_s + spec.duration_s + ANSWER_S, on_progress, on_mark)
        assert isinstance(answer, JourneyMeasurement)
        return answer

    def close(self) -> None:
        """End the master; the workers end with it."""
        if self._master is not None:
            with suppress(OSError):
                self._master.close()
            self._master = None
        for worker in self._workers:
            with suppress(subprocess.TimeoutExpired):
                worker.wait(3)
            if worker.poll() is None:
                worker.kill()
                worker.wait()
            self._guard.remove(worker.pid)
        self._workers = []
        self._guard.close()
        for log in self._logs:
            log.close()
        self._logs = []

    def _start(self) -> None:
        self._master = MasterProcess(())
        self._master.wait_ready()
        answer = self._ask(self._crew.listen(), LOCAL_S)
        assert isinstance(answer, Listening)
        self.port = answer.port
        for number in range(self._crew.here):
            self._add(number)
        if self._crew.elsewhere:
            where = self._crew.host or "HOST"
            self._told(
                f"waiting for {self._crew.elsewhere} more; start there: harness worker --master {where}:{self.port}",
                False,
            )
        self._await()

    def _add(self, number: int) -> None:
        host = self._crew.host if self._crew.host not in ("", ANYWHERE) else HERE
        arguments = [sys.executable, "-m", "harness.swarm.worker", host, str(self.port)]
        arguments += ["--locustfile", self._crew.locustfile] if self._crew.locustfile else []
        log = tempfile.TemporaryFile()  # noqa: SIM115
        worker = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, start_new_session=True
        )
        self._logs.append(log)
        self._workers.append(worker)
        self._guard.add(worker.pid)
        if self._crew.cpus and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(worker.pid, {self._crew.cpus[number % len(self._crew.cpus)]})

    def _await(self) -> None:
        allowed = self._join_s if self._crew.elsewhere else LOCAL_S
        answer = self._ask(Await(self._crew.count), allowed, watch=True)
        assert isinstance(answer, Joined)

    def _ask(
        self,
        order: object,
        allowed_s: float,
        on_progress: Callable[[Progress], None] | None = None,
        on_mark: Callable[[str], None] | None = None,
        watch: bool = False,
    ) -> object:
        assert self._master is not None
        self._master.send(order)
        deadline = time.monotonic() + allowed_s
        stopping = False
        while True:
            try:
                message = self._next(deadline, watch)
            except KeyboardInterrupt:
                if stopping or watch:
                    raise
                stopping = True
                self._master.stop()
                continue
            if isinstance(message, Note):
                self._told(message.text, message.warning)
            elif isinstance(message, Progress):
                if on_progress is not None:
                    on_progress(message)
            elif isinstance(message, Mark):
                if on_mark is not None:
                    on_mark(message.name)
            elif isinstance(message, Fault):
                raise _error(message)
            else:
                return message

    def _next(self, deadline: float, watch: bool) -> object:
        """The master's next message; while workers are awaited, one of this machine that ended is told at once."""
        assert self._master is not None
        while watch:
            if self._master.has_message(0.2):
                break
            for number, worker in enumerate(self._workers):
                if worker.poll() is not None:
                    raise NotReadyError(f"worker {number + 1} ended before it joined", hint=self._log(number))
            if time.monotonic() > deadline:
                raise NotReadyError(
                    f"not all of {self._crew.count} workers joined within {self._join_s:g} s",
                    hint="is the port open, and do the workers name this machine?",
                )
        return self._master.receive(deadline)

    def _log(self, number: int) -> str:
        log = self._logs[number]
        log.seek(0)
        return "\n".join(log.read().decode("utf-8", "replace").strip().splitlines()[-5:])


def _error(fault: Fault) -> Exception:
    if fault.traceback.startswith("Traceback"):
        return EngineError(f"the master failed: {fault.message}", hint=fault.traceback)
    if "cannot be shared" in fault.message or "locust -f" in fault.traceback:
        return UsageError(fault.message, hint=fault.traceback)
    return EngineError(fault.message, hint=fault.traceback)
