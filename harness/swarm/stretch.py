"""What a server and the machine did between the two marks of a window."""

from __future__ import annotations

import time

from harness.launch import Running
from harness.placement import Placement
from harness.sampling import ProcessGone, TreeClock, clock_of, machine_delta, machine_sample, throttled_seconds
from harness.units import US


class Stretch:
    """``mark`` is told ``begin`` and ``end``; of a server elsewhere, whose pid is 0, no CPU time is known."""

    def __init__(self, running: Running, placement: Placement) -> None:
        self._tree: TreeClock | None = clock_of(running.pid, running.usage_file) if running.pid else None
        self._placement = placement
        self._began = time.monotonic()
        self._cpu: float | None = None
        self._before, self._throttled = machine_sample(), throttled_seconds()
        self._spent: float | None = None
        self._memory = 0
        self.machine: dict[str, float] = {}

    def mark(self, name: str) -> None:
        cpu = self._read()
        if name == "begin":
            self._cpu, self._began = cpu, time.monotonic()
            self._before, self._throttled = machine_sample(), throttled_seconds()
            return
        elapsed = max(time.monotonic() - self._began, 1e-9)
        if cpu is not None and self._cpu is not None and self._tree is not None:
            self._spent, self._memory = cpu - self._cpu, self._tree.memory_bytes()
        delta = machine_delta(self._before, machine_sample())
        self.machine = {"steal": delta.steal}
        if self._spent is not None:
            busy = sum(delta.busy.get(number, 0.0) for number in self._placement.server)
            shared = self._placement.server == self._placement.generator
            self.machine["server"] = busy
            self.machine["foreign"] = 0.0 if shared else max(0.0, busy - self._spent / elapsed)
        if self._throttled is not None:
            self.machine["throttled"] = ((throttled_seconds() or 0.0) - self._throttled) / elapsed

    def figures(self, answered: int) -> dict[str, float]:
        """``cpu_s cpu_us rss_bytes`` where they are known, and the machine's shares."""
        if self._spent is None:
            return dict(self.machine)
        known = {"cpu_s": self._spent, "rss_bytes": float(self._memory), **self.machine}
        return known | ({"cpu_us": self._spent * US / answered} if answered and self._spent > 0 else {})

    def _read(self) -> float | None:
        if self._tree is None:
            return None
        self._tree.refresh()
        try:
            return self._tree.cpu()
        except ProcessGone:
            return None
