"""CPU time and memory of the servers, and what the machine did, over the measured stretch of a window."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress

from harness.config.cgroup import find_quota
from harness.config.placement import Placement
from harness.engine.clocks import ProcessGone, TreeClock, clock_of, machine_delta, machine_sample
from harness.errors import NotReadyError
from harness.serve import Running
from harness.serve.services.upstream import Upstream


class Meter:
    """Reads every clock at ``begin`` and at ``end``; what lies between them is the window.

    Servers elsewhere, whose pid is 0, have no clock that could be read.

    Attributes:
        machine: shares of a CPU. ``steal``: taken by other guests of the host. ``server``: use of the servers' CPUs.
            ``foreign``, where every server has a clock: the part that is neither a server's nor an interrupt's: at a
            low rate, packets and timers are a third of what a load makes a CPU do. ``throttled``: time stopped by the
            cgroup's quota. With an ``upstream`` service that the window calls: its share, and ``upstream_calls``, their
            number.
        cpu_s: target → CPU seconds; missing where a clock cannot be read, or a process ended and took its own with it.
        cpus: how many the servers may use; 0 where they are not pinned. ``shared``: whether the generator's is one of
            several.
        ended: target → its processes that ended meanwhile.
    """

    def __init__(
        self,
        servers: Mapping[str, Running],
        placement: Placement,
        serving: tuple[int, ...],
        upstream: Upstream | None = None,
    ) -> None:
        self._placement, self._serving, self._quota = placement, serving, find_quota()
        self._upstream, self._upstream_clock = upstream, TreeClock(upstream.pid if upstream else 0)
        self.cpus = len(serving)
        self.shared = {*placement.generator} < {*serving}
        self._trees: dict[str, TreeClock] = {
            name: clock_of(running.pid, running.usage_file) for name, running in servers.items() if running.pid
        }
        self._every = bool(self._trees) and len(self._trees) == len(servers)
        self.machine: dict[str, float] = {}
        self.cpu_s: dict[str, float] = {}
        self.ended: dict[str, tuple[int, ...]] = {}
        self.begin()

    def begin(self) -> None:
        """Reads the clocks; called again, forgets what was before."""
        self._cpu = self._readings()
        self._pids = {name: tree.pids for name, tree in self._trees.items()}
        self._before, self._throttled = machine_sample(), self._quota.throttled_s() if self._quota else 0.0
        self._called = self._upstream_use()
        # To find and read the clocks of 68 servers took 50 ms, in which none of them works: not part of the window.
        self._began, self._mine = time.monotonic(), time.process_time()

    def end(self, generator_cpu: float | None = None) -> None:
        """Args:
        generator_cpu: share of a CPU that the generator used, where that is known.
        """
        elapsed = max(time.monotonic() - self._began, 1e-9)
        delta = machine_delta(self._before, machine_sample())
        now = self._readings()
        gone = {name: {*pids} - {*self._trees[name].pids} for name, pids in self._pids.items()}
        self.ended = {name: tuple(sorted(pids)) for name, pids in gone.items() if pids}
        known = [name for name in self._cpu if name in now and name not in self.ended]
        self.cpu_s = {name: now[name] - self._cpu[name] for name in known}
        self.machine = {"steal": delta.steal}
        if self._every:
            busy = sum(delta.busy.get(cpu, 0.0) for cpu in self._serving)
            interrupts = sum(delta.interrupts.get(cpu, 0.0) for cpu in self._serving)
            own = sum(self.cpu_s.values()) / elapsed
            if {*self._serving} & {*self._placement.generator}:
                mine = (time.process_time() - self._mine) / elapsed
                own += busy if generator_cpu is None else generator_cpu + mine
            foreign = 0.0 if self.ended else max(0.0, busy - interrupts - own)
            self.machine |= {"server": busy, "foreign": foreign}
        if self._quota:
            self.machine["throttled"] = (self._quota.throttled_s() - self._throttled) / elapsed
        if self._upstream:
            cpu, calls = self._upstream_use()
            self.machine |= {"upstream": (cpu - self._called[0]) / elapsed, "upstream_calls": calls - self._called[1]}

    def memory_bytes(self) -> dict[str, int]:
        """Target → resident memory of its process tree, now."""
        return {name: tree.memory_bytes() for name, tree in self._trees.items()}

    def tree(self, target: str) -> TreeClock | None:
        return self._trees.get(target)

    def _upstream_use(self) -> tuple[float, float]:
        """CPU seconds and calls of the upstream service so far. Raises ``NotReadyError`` where it has gone."""
        try:
            return (self._upstream_clock.cpu(), float(self._upstream.requests())) if self._upstream else (0.0, 0.0)
        except ProcessGone as error:
            raise NotReadyError(f"the upstream service has gone: {error}") from None

    def _readings(self) -> dict[str, float]:
        """CPU seconds of every tree; one that ended has none."""
        readings = {}
        for name, tree in self._trees.items():
            with suppress(ProcessGone):
                tree.refresh()
                readings[name] = tree.cpu()
        return readings
