"""The parent's view of one process of the engine: start it, give it an order, wait for its answer, end it."""

from __future__ import annotations

import math
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from harness.engine.messages import Answer, Fault, Mark, Ready, Stop
from harness.engine.spec import Progress, SlicesResult
from harness.errors import EngineError
from harness.model.load import LoadResult

START_S = 60.0
END_S = 2.0
STOP_S = 15.0
OnProgress = Callable[[Progress], None]
OnMark = Callable[[str], None]


class EngineProcess:
    """A child that sends load from the CPUs given; it never sees the terminal's Ctrl-C.

    Args:
        module: what the child runs; its arguments are the number of its socket's descriptor, and the CPUs.
    """

    def __init__(self, cpus: tuple[int, ...], module: str = "harness.engine.child") -> None:
        self._ready = False
        ours, theirs = socket.socketpair()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        arguments = [sys.executable, "-P", "-m", module, str(theirs.fileno())]
        arguments += [",".join(map(str, cpus))] if cpus else []
        with theirs:
            self._process = subprocess.Popen(
                arguments,
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._log,
                process_group=0,
            )
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
        message = self.receive(time.monotonic() + START_S)
        if not isinstance(message, Ready):
            raise EngineError("the load generator did not start")
        self._ready = True

    def carry_out(
        self,
        order: object,
        on_progress: OnProgress | None = None,
        on_mark: OnMark | None = None,
        on_other: Callable[[object], None] | None = None,
        *,
        allowed_s: float = math.inf,
        stoppable: bool = True,
    ) -> Answer:
        """Have an order carried out.

        The first Ctrl-C ends it early, with what was measured so far, where it is ``stoppable``.

        Args:
            on_mark: called when the measured stretch begins and ends.
            on_other: called with every other message.
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
            if isinstance(message, Fault):
                raise message.error
            if isinstance(message, SlicesResult | LoadResult):
                return message
            if isinstance(message, Progress):
                if on_progress is not None:
                    on_progress(message)
            elif isinstance(message, Mark):
                if on_mark is not None:
                    on_mark(message.name)
            elif on_other is not None:
                on_other(message)

    def stop(self) -> None:
        """Have the order under way answered with what was measured so far."""
        self.send(Stop())

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
        self._log.seek(0)
        lines = self._log.read().decode("utf-8", "replace").strip().splitlines()[-5:]
        ended = f"was killed by signal {-code}" if code < 0 else f"exited with code {code}"
        return EngineError(f"the load generator {ended}", hint="\n".join(lines) or "run the command again")
