"""The servers of a block, started side by side and always ended."""

from __future__ import annotations

import contextlib
import os
import tempfile
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Self

from harness.config.placement import Placement, confine
from harness.errors import HarnessError, LaunchError
from harness.model import Failure, Reason, Target
from harness.serve.guard import Guard, kill_trees
from harness.serve.interpreter import check_interface
from harness.serve.server import NOTHING, READY_S, Running, Started, await_replies, free_port, is_ready, start, stop
from harness.serve.servers import Bind

LOOPBACK = "127.0.0.1"
PORT_TRIES = 3
ANYWHERE = Placement((), (), ())


class Servers(ABC):
    """The servers of one block, by name of their target, once ``start`` has returned. A context manager."""

    def __init__(self) -> None:
        self.running: dict[str, Running] = {}
        self.failures: dict[str, Failure] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def start(self, targets: Sequence[Target], deadline_s: float = READY_S) -> None:
        """Makes sure that each is up; one that is not is a ``Failure`` in ``failures``, not an exception."""

    def close(self) -> None:
        self.running.clear()

    def fail(self, target: Target, error: HarnessError, code: str = "not-ready") -> None:
        text = "; ".join(filter(None, (str(error), error.hint)))
        self.failures[target.name] = Failure(target.name, "", Reason(code, {"text": text}), getattr(error, "log", ()))


class Fleet(Servers):
    """Servers as processes of this one: started together on the CPUs that are idle then, all ended on leaving.

    Args:
        environment: variables of the servers. ``prefix``: a program that runs each of them, with its arguments.
        at_once: how many start at a time; 0: as many as there are CPUs, so that each takes as long as it would alone.
    """

    _ports: ClassVar[set[int]] = set()
    """Those of all fleets: two may start servers at the same time, and some servers share a port without an error."""

    def __init__(
        self,
        guard: Guard,
        placement: Placement = ANYWHERE,
        *,
        environment: Mapping[str, str] = NOTHING,
        host: str = LOOPBACK,
        prefix: Sequence[str] = (),
        at_once: int = 0,
    ) -> None:
        super().__init__()
        self._prefix = tuple(prefix)
        self._guard, self._environment, self._host = guard, environment, host
        self._placement = placement
        self._start_cpus = tuple(sorted({*placement.server, *placement.generator}))
        self._at_once = at_once or len(self._start_cpus) or os.cpu_count() or 1
        self._logs = tempfile.TemporaryDirectory(prefix="harness-", ignore_cleanup_errors=True)
        guard.add(Path(self._logs.name))
        Path(self._logs.name).chmod(0o711)
        self._waiting, self._starting = deque[Target](), list[Target]()
        self._tries: Counter[str] = Counter()
        self._checked = set[str]()

    def start(self, targets: Sequence[Target], deadline_s: float = READY_S) -> None:
        """Starts them side by side."""
        self.begin(targets)
        while self._waiting or self._starting:
            self.begin(())
            for target in tuple(self._starting):
                running = self.running[target.name]
                try:
                    if not is_ready(running, deadline_s):
                        self._check_refusal(running)
                        continue
                    confine(running.pid, self._placement.many if target.per_cpu else self._placement.server)
                except LaunchError as error:
                    self._end(target.name)
                    taken = any("in use" in line.lower() for line in error.log)
                    if taken and self._tries[target.name] < PORT_TRIES:
                        self._waiting.appendleft(target)
                    else:
                        self.fail(target, error, "port" if taken else error.code)
                self._starting.remove(target)
            if self._starting:
                await_replies([self.running[target.name] for target in self._starting])

    def begin(self, targets: Sequence[Target]) -> None:
        """Lets as many start as may at once, without waiting for them; ``start`` with the same targets does."""
        known = {*self.running, *self.failures, *(target.name for target in self._waiting)}
        self._waiting.extend(target for target in targets if target.name not in known)
        while self._waiting and len(self._starting) < self._at_once:
            target = self._waiting.popleft()
            self._tries[target.name] += 1
            if self._begin(target):
                self._starting.append(target)

    def kill(self, name: str) -> None:
        """Ends one server without waiting for the requests that it still works on."""
        kill_trees({self.running[name].pid: self.running[name].mark})
        self._end(name)

    def close(self) -> None:
        servers = [running for running in self.running.values() if isinstance(running, Started)]
        self.running.clear()
        stop(*servers)
        for running in servers:
            self._guard.remove(running.pid)
        self._logs.cleanup()
        self._guard.remove(Path(self._logs.name))

    def _check_refusal(self, running: Running) -> None:
        """Raises ``LaunchError`` where a server will not be ready, since it calls the app in the wrong way: its first
        replies show it.
        """
        if running.refused is not None and running.target.name not in self._checked and isinstance(running, Started):
            self._checked.add(running.target.name)
            check_interface(running)

    def _begin(self, target: Target) -> bool:
        """Whether it was started at all."""
        while (port := free_port(self._host)) in self._ports:
            continue
        self._ports.add(port)
        folder = Path(self._logs.name) / str(port)
        folder.mkdir()
        # Servers that give up root's rights must reach what they wrote there before.
        folder.chmod(0o711)
        try:
            bind = Bind(self._host, port, folder=str(folder))
            running = start(target, bind, folder / "log", self._environment, self._prefix)
        except LaunchError as error:
            self.fail(target, error, error.code)
            return False
        self._guard.add(running.pid, running.mark)
        self.running[target.name] = running
        confine(running.pid, self._start_cpus)
        return True

    def _end(self, name: str) -> None:
        running = self.running.pop(name)
        assert isinstance(running, Started)
        stop(running)
        self._guard.remove(running.pid)


@contextlib.contextmanager
def serving_all(
    targets: Sequence[Target],
    placement: Placement = ANYWHERE,
    environment: Mapping[str, str] = NOTHING,
    deadline_s: float = READY_S,
    kind: type[Fleet] = Fleet,
) -> Iterator[Fleet]:
    """The servers of all targets, up within the block.

    Raises:
        LaunchError: one did not come up.
    """
    with Guard() as guard, kind(guard, placement, environment=environment, at_once=len(targets)) as fleet:
        fleet.start(targets, deadline_s)
        for failure in fleet.failures.values():
            raise LaunchError(failure.reason.text, log=failure.log)
        yield fleet


@contextlib.contextmanager
def serving(
    target: Target, *, deadline_s: float = READY_S, environment: Mapping[str, str] = NOTHING
) -> Iterator[Running]:
    """``serving_all`` of one."""
    with serving_all([target], environment=environment, deadline_s=deadline_s) as fleet:
        yield fleet.running[target.name]
