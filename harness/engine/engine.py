"""The wire engine as the rest of the toolkit sees it: synchronous calls, carried out in a process of its own.

Orders, which are values of ``spec``, and the answers to them cross a pipe; so do ``Signal``, ``Progress``, ``Note``
and ``Fault``. Other processes that send load are started and used in the same way.
"""

from __future__ import annotations

import math
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from multiprocessing.connection import Connection
from traceback import format_exc
from typing import IO, Any, Self

from harness.config.placement import confine
from harness.engine.spec import Load, OnProgress, Progress, SlicesResult, SlicesSpec
from harness.errors import EngineError, HarnessError, UsageError
from harness.model.load import LoadResult

START_S = 60.0
END_S = 2.0
STOP_S = 15.0
SLACK_S = 30.0
CHILD = "harness.engine.child"
LOG_LINES = 5
OnMark = Callable[[str], None]
OnNote = Callable[[str, bool], None]


class Signal(Enum):
    """From the process: it takes orders (``READY``), the measured stretch of a load begins (``BEGIN``) or is over
    (``END``). To the process: end what is under way and answer with what was measured (``STOP``).
    """

    READY = "ready"
    BEGIN = "begin"
    END = "end"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Note:
    """From the process, at any time: what happens to workers, and whether everybody should read it."""

    text: str
    important: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """From the process: the order could not be carried out."""

    error: HarnessError

    @classmethod
    def of(cls, error: Exception) -> Fault:
        """Within ``except``: the error as the user shall see it."""
        if isinstance(error, HarnessError):
            # Not the error itself: one of its subclasses may be more than a message and a hint, and lost in the pipe.
            return cls((UsageError if isinstance(error, UsageError) else EngineError)(str(error), hint=error.hint))
        return cls(EngineError(f"the load generator failed: {type(error).__name__}: {error}", hint=format_exc()))


def ignore(*_: object) -> None:
    """A callback that does nothing."""


class EngineProcess:
    """A child process that sends load from the given CPUs; the terminal's Ctrl-C does not reach it.

    Args:
        cpus: CPUs to pin it to; empty for no pinning.
        module: what the child runs; its argument is the number of its socket's descriptor.
    """

    def __init__(self, cpus: tuple[int, ...], module: str = CHILD) -> None:
        self._ready = False
        ours, theirs = socket.socketpair()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", module, str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._log,
                process_group=0,
            )
        confine(self._process.pid, cpus)
        # Under gevent sockets never block, and half a message would be taken for the process's end.
        os.set_blocking(ours.fileno(), True)
        self._pipe: Connection[Any, Any] = Connection(ours.detach())

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_ready(self) -> None:
        """Wait until it takes orders.

        Raises:
            EngineError: it ended instead.
        """
        if self._ready:
            return
        if self.receive(time.monotonic() + START_S) is not Signal.READY:
            raise EngineError("the load generator did not start")
        self._ready = True

    def carry_out(
        self,
        order: object,
        on_progress: OnProgress = ignore,
        on_mark: OnMark = ignore,
        on_note: OnNote = ignore,
        *,
        allowed_s: float = math.inf,
        stoppable: bool = True,
    ) -> Any:
        """Send an order and return the answer to it.

        The first Ctrl-C ends it early, with what was measured so far, where it is ``stoppable``.

        Args:
            on_mark: called when the measured stretch begins and ends.
            on_note: called with every ``Note``: its text, and whether it is important.
            allowed_s: after so long the process is taken for lost.

        Raises:
            UsageError, EngineError: the order could not be carried out, or the process ended.
        """
        self.wait_ready()
        self.send(order)
        stopping, deadline = False, time.monotonic() + allowed_s
        while True:
            try:
                message = self.receive(deadline)
            except KeyboardInterrupt:
                if stopping or not stoppable:
                    raise
                stopping, deadline = True, time.monotonic() + STOP_S
                self.stop()
                continue
            match message:
                case Fault(error):
                    raise error
                case Progress():
                    on_progress(message)
                case Signal():
                    on_mark(message.value)
                case Note(text, important):
                    on_note(text, important)
                case _:
                    return message

    def stop(self) -> None:
        """End the order under way; its answer holds what was measured so far."""
        self.send(Signal.STOP)

    def close(self) -> None:
        """End the process."""
        with suppress(OSError):
            self._pipe.close()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def receive(self, deadline: float) -> object:
        """The next message, whatever it is.

        Raises:
            EngineError: the process ended, or was silent until ``deadline`` (of ``time.monotonic``).
        """
        try:
            while not self._pipe.poll(0.5):
                if time.monotonic() > deadline:
                    raise EngineError("the load generator does not answer", hint="is the machine overloaded?")
            return self._pipe.recv()
        except (EOFError, OSError):
            raise self._ended() from None

    def send(self, message: object) -> None:
        """Raises ``EngineError`` where the process ended."""
        try:
            self._pipe.send(message)
        except OSError:
            raise self._ended() from None

    def _ended(self) -> EngineError:
        try:
            code = self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            return EngineError("the load generator closed its pipe")
        ended = f"was killed by signal {-code}" if code < 0 else f"exited with code {code}"
        return EngineError(f"the load generator {ended}", hint=last_lines(self._log) or "run the command again")


class Engine:
    """Load from one process, started with the ``with`` block, so that it is ready when servers are.

    Where the process ends or fails, a call raises ``EngineError``, and the next one starts a new process.

    Args:
        cpus: CPUs to pin it to; empty for no pinning.
    """

    module = CHILD

    def __init__(self, cpus: tuple[int, ...] = ()) -> None:
        self._cpus = cpus
        self._process: EngineProcess | None = None

    def __enter__(self) -> Self:
        self._process = EngineProcess(self._cpus, self.module)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pids(self) -> tuple[int, ...]:
        """The process that is running now, if there is one."""
        return () if self._process is None else (self._process.pid,)

    def start(self) -> None:
        """Wait until a process takes orders.

        Raises:
            EngineError: it ended instead.
        """
        with self._up() as process:
            process.wait_ready()

    def stop(self) -> None:
        """End the load under way; its result holds what was measured so far."""
        if self._process is not None:
            self._process.stop()

    def run_slices(self, spec: SlicesSpec, on_progress: OnProgress = ignore) -> SlicesResult:
        """Measure sides that take turns, for ``spec.budget_s`` or, where that is longer, its least number of rounds."""
        with self._up() as process:
            answer: SlicesResult = process.carry_out(spec, on_progress, stoppable=False)
        return answer

    def run_load(self, spec: Load, on_progress: OnProgress = ignore, on_mark: OnMark = ignore) -> LoadResult:
        """Send a load. Ctrl-C ends it early, within a second: the result is then marked ``interrupted``.

        Args:
            on_mark: called when the measured stretch of a journey begins and ends.

        Raises:
            UsageError: a locustfile cannot be used.
        """
        with self._up() as process:
            answer: LoadResult = process.carry_out(spec, on_progress, on_mark, allowed_s=spec.longest_s + SLACK_S)
        return answer

    def close(self) -> None:
        """End the process; what is under way is lost."""
        process, self._process = self._process, None
        if process is not None:
            process.close()

    @contextmanager
    def _up(self) -> Iterator[EngineProcess]:
        self._process = self._process or EngineProcess(self._cpus, self.module)
        try:
            yield self._process
        except BaseException:
            # A process that still works on this order would answer the next one with it.
            self.close()
            raise


def received(connection: Connection[Any, Any]) -> Any:
    """In such a process: the next message. Exits when the parent has ended, whose end of the socket is then closed."""
    try:
        return connection.recv()
    except (EOFError, OSError):
        # Not an orderly return: a load may be under way, and nobody is there to receive its result.
        os._exit(0)


def last_lines(log: IO[bytes]) -> str:
    """What a process wrote last, to the file that it writes to."""
    log.seek(0)
    return "\n".join(log.read().decode("utf-8", "replace").strip().splitlines()[-LOG_LINES:])
