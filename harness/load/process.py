"""The parent's view of one process of the engine: start it, give it an order, wait for its answer, end it."""

from __future__ import annotations

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

from harness.errors import EngineError
from harness.load.messages import Answer, Fault, Order, Ready, Stop
from harness.load.spec import LoadMeasurement, Progress, SlotMeasurement

START_S = 60.0
END_S = 2.0


class EngineProcess:
    """A child that sends load from the CPUs given; it never sees the terminal's Ctrl-C.

    Attributes:
        module: what the child runs; it is told the number of its socket's descriptor, and the CPUs.
    """

    module = "harness.load.child"

    def __init__(self, cpus: tuple[int, ...]) -> None:
        self._ready = False
        ours, theirs = socket.socketpair()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        arguments = [sys.executable, "-m", self.module, str(theirs.fileno())]
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
        """Wait until it takes orders; to be called before each.

        Raises:
            EngineError: it ended instead.
        """
        if self._ready:
            return
        message = self.receive(time.monotonic() + START_S)
        if not isinstance(message, Ready):
            raise EngineError("the load generator did not start")
        self._ready = True

    def order(self, order: Order) -> None:
        """Begin to carry out ``order``."""
        self.send(order)

    def stop(self) -> None:
        """Have the order under way answered with what was measured so far."""
        self.send(Stop())

    def answer(self, on_progress: Callable[[Progress], None] | None, deadline: float | None = None) -> Answer:
        """Wait for the answer to the order.

        Args:
            deadline: ``time.monotonic`` past which the process is taken for lost.

        Raises:
            EngineError: the process ended, or could not carry out the order.
        """
        while True:
            message = self.receive(deadline)
            if isinstance(message, Progress):
                if on_progress is not None:
                    on_progress(message)
            elif isinstance(message, Fault):
                raise EngineError(f"the load generator failed: {message.message}", hint=message.traceback)
            elif isinstance(message, SlotMeasurement | LoadMeasurement):
                return message

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

    def has_message(self, seconds: float) -> bool:
        """Whether a message is there, or comes within so long; also where the process ended."""
        return self._pipe.poll(seconds)

    def receive(self, deadline: float | None) -> object:
        """The next message, whatever it is.

        Raises:
            EngineError: the process ended, or was silent until ``deadline`` (of ``time.monotonic``).
        """
        try:
            while not self._pipe.poll(0.5):
                if deadline is not None and time.monotonic() > deadline:
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
