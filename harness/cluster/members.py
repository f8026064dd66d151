"""The workers, in the master's process: those of this machine are started, all are watched, their clocks are read."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import gevent

from harness.cluster.options import ANY_ADDRESS, SECRET_VARIABLE, THIS_MACHINE, ClusterOptions
from harness.cluster.protocol import BEAT_S, LOST_S, Beat, Hello, own_hello, unpack
from harness.config.placement import confine
from harness.engine.engine import Note, last_lines
from harness.errors import NotReadyError
from harness.model.units import number_of
from harness.serve.guard import Guard

LOCAL_S = 60.0
REJOIN_S = 5.0
LEAVE_S = 0.3
READINGS = 8
READING_S = 0.02
CLOCKS_S = 2.0


@dataclass(slots=True, eq=False)
class Member:
    """A worker, as the master knows it.

    Attributes:
        last_seen: when it last gave a sign of life (``time.monotonic``).
        offset_s: its clock minus the master's; ``uncertain_s``: how far off that may be, half of the round trip.
        lost: why it was given up; ``noticed_s``: from its last sign of life to that.
    """

    id: str
    index: int
    hello: Hello
    last_seen: float
    beat: Beat = field(default_factory=Beat)
    offset_s: float = 0.0
    uncertain_s: float = math.inf
    lost: str = ""
    noticed_s: float = 0.0

    @property
    def name(self) -> str:
        return f"worker {self.index + 1} ({self.hello.host})"


class Members:
    """Accepts workers that are like this process, refuses others, and gives up those that fall silent."""

    def __init__(self, runner: Any, options: ClusterOptions, secret: str, notify: Callable[[object], None]) -> None:
        self._runner, self._options, self._secret, self._notify = runner, options, secret, notify
        self._own = own_hello()
        self._members: dict[str, Member] = {}
        self._guard = Guard()
        self._local: list[tuple[subprocess.Popen[bytes], Any]] = []
        self._warned = False
        self._awaited = options.count
        for name in ("hello", "beat", "clock", "leaving"):
            runner.register_message(name, getattr(self, f"_{name}"))
        gevent.spawn(self._watch)

    @property
    def rejected(self) -> int:
        """Messages that were dropped, up to now."""
        return int(self._runner.server.rejected + self._runner.rejected)

    def present(self) -> list[Member]:
        """Those that are not lost, in the order in which they joined."""
        return [member for member in self._members.values() if not member.lost]

    def send(self, member: Member, name: str, data: dict[str, Any]) -> None:
        self._runner.send_message(name, data, member.id)

    def give_up(self, member: Member, why: str, noticed_s: float = 0.0) -> None:
        """From now on it is ignored, so that a late report cannot be counted a second time."""
        member.lost, member.noticed_s = why, noticed_s
        self._notify(Note(f"{member.name} is lost: {why}", important=True))

    def gather(self, join_s: float, stopped: Callable[[], bool]) -> bool:
        """Start the workers of this machine that are missing, and wait up to ``join_s`` for those of others.

        It does not wait again for those that did not join last time.

        Returns:
            Whether all are there.

        Raises:
            NotReadyError: one of this machine ends instead.
        """
        for number in range(self._options.workers):
            if number == len(self._local):
                self._local.append(self._started(number))
            elif not self._joined(self._local[number][0]):
                self._end(*self._local[number])
                self._local[number] = self._started(number)
        deadline = time.monotonic() + LOCAL_S
        while not stopped() and not all(self._joined(worker) for worker, _ in self._local):
            for worker, log in self._local:
                if worker.poll() is not None or time.monotonic() > deadline:
                    raise NotReadyError("a worker of this machine did not join", hint=last_lines(log))
            gevent.sleep(READING_S)
        _wait(lambda: len(self.present()) >= self._awaited or stopped(), join_s)
        self._awaited = min(self._options.count, len(self.present()))
        return len(self.present()) >= self._options.count

    def dismiss(self) -> None:
        """Every worker leaves; those of this machine are ended."""
        for member in self.present():
            self.send(member, "dismissed", {"why": ""})
        _wait(lambda: all(worker.poll() is not None for worker, _ in self._local), LEAVE_S)
        for worker, log in self._local:
            self._end(worker, log)
        self._guard.close()

    def read_clocks(self, members: Sequence[Member]) -> None:
        """Offset of every worker's clock, from the quickest of some round trips."""
        for member in members:
            member.uncertain_s = math.inf
        for _ in range(READINGS):
            for member in members:
                self.send(member, "clock", {"t": time.perf_counter()})
            gevent.sleep(READING_S)
        _wait(lambda: all(member.lost or member.uncertain_s < math.inf for member in members), CLOCKS_S)

    def _started(self, number: int) -> tuple[subprocess.Popen[bytes], Any]:
        options = self._options
        host = THIS_MACHINE if options.host == ANY_ADDRESS else options.host
        words = [sys.executable, "-P", "-m", "harness.cluster.worker"]
        words += [host, str(self._runner.server.port), str(LOCAL_S), options.locustfile, ""]
        log = tempfile.TemporaryFile()  # noqa: SIM115
        environment = {**os.environ, SECRET_VARIABLE: self._secret}
        worker = self._guard.start(words, env=environment, stdout=subprocess.DEVNULL, stderr=log)
        if options.cpus:
            confine(worker.pid, (options.cpus[number % len(options.cpus)],))
        return worker, log

    def _joined(self, worker: subprocess.Popen[bytes]) -> bool:
        here = self._own.host, worker.pid
        return any((member.hello.host, member.hello.pid) == here for member in self.present())

    def _end(self, worker: subprocess.Popen[bytes], log: Any) -> None:
        self._guard.end(worker)
        log.close()

    def _hello(self, msg: Any) -> None:
        hello = unpack(Hello, msg.data)
        if reason := self._own.differs_from(hello):
            self._runner.send_message("dismissed", {"why": f"refused: {reason}; install the same"}, msg.node_id)
            self._notify(Note(f"a worker on {hello.host} was refused: {reason}", important=True))
            return
        member = Member(msg.node_id, len(self._members), hello, time.monotonic())
        self._members[msg.node_id] = member
        self.send(member, "welcome", {"index": member.index})
        self._notify(Note(f"{member.name} joined: Python {hello.python}, {number_of(hello.cpus, 'CPU')}"))

    def _beat(self, msg: Any) -> None:
        member = self._members[msg.node_id]
        if member.lost:
            self.send(member, "dismissed", {"why": "the master considers this worker lost"})
        else:
            member.last_seen, member.beat = time.monotonic(), unpack(Beat, msg.data)

    def _clock(self, msg: Any) -> None:
        member, half = self._members[msg.node_id], (time.perf_counter() - msg.data["t"]) / 2
        member.last_seen = time.monotonic()
        if half < member.uncertain_s:
            member.uncertain_s, member.offset_s = half, msg.data["mine"] - (msg.data["t"] + half)

    def _leaving(self, msg: Any) -> None:
        member = self._members[msg.node_id]
        if not member.lost:
            self.give_up(member, f"it left: {msg.data['why']}")

    def _watch(self) -> None:
        while True:
            gevent.sleep(BEAT_S)
            for member in self.present():
                self.send(member, "beat", {})
                silent = time.monotonic() - member.last_seen
                if silent > LOST_S:
                    self.give_up(member, f"no sign of life for {silent:.1f} s", silent)
                elif member.beat.silent_s > LOST_S:
                    stalled = member.beat.silent_s
                    self.give_up(member, f"its load generator stalled for {stalled:.1f} s", stalled)
            if self.rejected and not self._warned:
                self._warned = True
                text = "a program without this run's secret tries to join: its messages are dropped"
                self._notify(Note(text, important=True))


def _wait(done: Callable[[], bool], at_most_s: float) -> None:
    deadline = time.monotonic() + at_most_s
    while not done() and time.monotonic() < deadline:
        gevent.sleep(READING_S)
