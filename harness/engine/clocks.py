"""CPU time and memory of a server's process tree, and what the machine did meanwhile.

On Linux a process's CPU clock is read in nanoseconds (``clock_gettime`` on the clock id that its pid encodes, see
``clock_getcpuclockid(3)``); elsewhere psutil's, in ticks of some 10 ms.
"""

from __future__ import annotations

import os
import sys
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass

import psutil

LINUX = sys.platform == "linux"


class ProcessGone(Exception):
    """A process of the tree ended while its CPU time was needed."""

    def __init__(self, pid: int) -> None:
        super().__init__(f"process {pid} ended")
        self.pid = pid


class TreeClock:
    """The CPU clock of a process and all its descendants.

    A process that ends takes its time with it: a difference of two readings counts only if no process ended in between.
    """

    def __init__(self, root_pid: int) -> None:
        self.root_pid = root_pid
        self.pids: tuple[int, ...] = ()
        self._clocks: tuple[int, ...] = ()
        self.refresh()

    def refresh(self) -> tuple[int, ...]:
        """Read the tree again; returns the pids of processes that ended, zombies among them."""
        before, self.pids = self.pids, tuple(_tree(self.root_pid))
        self._clocks = tuple((~pid << 3) | 2 for pid in self.pids)
        return tuple(sorted({*before} - {*self.pids}))

    def cpu(self) -> float:
        """CPU seconds, user and system, of the processes seen by the last ``refresh``.

        Raises:
            ProcessGone: one of them ended, or none was left.
        """
        if not self.pids:
            raise ProcessGone(self.root_pid)
        if LINUX:
            try:
                return sum(map(time.clock_gettime_ns, self._clocks)) * 1e-9
            except OSError:
                raise ProcessGone(next((pid for pid in self.pids if not _alive(pid)), self.root_pid)) from None
        return sum(_ticks(pid) for pid in self.pids)

    def each(self) -> dict[int, float]:
        """CPU seconds of each process; what ended meanwhile is left out."""
        seconds = {}
        for pid, clock in zip(self.pids, self._clocks, strict=True):
            with suppress(OSError, ProcessGone):
                seconds[pid] = time.clock_gettime_ns(clock) * 1e-9 if LINUX else _ticks(pid)
        return seconds

    def memory_bytes(self) -> int:
        """Resident memory of the tree, what processes share counted once (PSS); plain RSS on systems without PSS."""
        return sum(map(_memory, self.pids))

    def anonymous_bytes(self) -> int:
        """``memory_bytes`` without file pages, whose share depends on which other programs use a library."""
        return sum(_memory(pid, b"Pss_Anon:") for pid in self.pids)

    def resident_bytes(self) -> int:
        """RSS of a single process, which its neighbours cannot change; ``memory_bytes`` where there are several."""
        return _resident(self.pids[0]) if len(self.pids) == 1 else self.memory_bytes()


class ContainerClock(TreeClock):
    """The CPU clock of a process tree in a control group of its own, as the kernel counts for the whole group.

    What ends within the group takes no time with it. Version 1 counts nanoseconds, version 2 microseconds.
    """

    def __init__(self, root_pid: int, usage_file: str) -> None:
        self._file = usage_file
        super().__init__(root_pid)

    def cpu(self) -> float:
        """CPU seconds of the group. Raises ``ProcessGone`` where it is no more."""
        text = read(self._file)
        if not text or not self.pids:
            raise ProcessGone(self.root_pid)
        if b"usage_usec" not in text:
            return int(text) * 1e-9
        return int(text.split(b"usage_usec", 1)[1].split(None, 1)[0]) * 1e-6


def clock_of(root_pid: int, usage_file: str = "") -> TreeClock:
    """The clock of a server: its control group's, where it has one of its own."""
    return ContainerClock(root_pid, usage_file) if usage_file else TreeClock(root_pid)


def waited_for_cpu() -> float:
    """Seconds that this process's main thread was ready to run and had no CPU; 0 where the kernel does not count it."""
    fields = read("/proc/self/schedstat").split() if LINUX else []
    return int(fields[1]) * 1e-9 if len(fields) > 1 else 0.0


@dataclass(frozen=True, slots=True)
class MachineDelta:
    """Shares from 0 to 1 between two samples, by CPU number.

    Attributes:
        steal: of all CPUs together, taken by the machine's host.
        interrupts: the part of ``busy`` that belongs to no process: the network's packets and timers.
    """

    steal: float
    busy: dict[int, float]
    interrupts: dict[int, float]


def machine_sample() -> list[dict[str, float]]:
    """For each CPU what it did since the machine's start, in seconds."""
    # Guest time is part of user time already.
    return [
        {what: seconds for what, seconds in cpu._asdict().items() if not what.startswith("guest")}
        for cpu in psutil.cpu_times(percpu=True)
    ]


def machine_delta(before: list[dict[str, float]], after: list[dict[str, float]]) -> MachineDelta:
    """Shares of the time between two samples; 0 where no tick passed between them."""
    busy, interrupts, steal, total = {}, {}, 0.0, 0.0
    for cpu, (then, now) in enumerate(zip(before, after, strict=False)):
        spent = defaultdict(float, {what: seconds - then[what] for what, seconds in now.items()})
        elapsed = sum(spent.values())
        busy[cpu] = _share(elapsed - spent["idle"] - spent["iowait"] - spent["steal"], elapsed)
        interrupts[cpu] = _share(spent["irq"] + spent["softirq"], elapsed)
        steal, total = steal + spent["steal"], total + elapsed
    return MachineDelta(_share(steal, total), busy, interrupts)


def _share(part: float, whole: float) -> float:
    return min(1.0, max(0.0, part / whole)) if whole > 0 else 0.0


def _tree(root: int) -> list[int]:
    if not LINUX:
        try:
            process = psutil.Process(root)
            return [root, *(child.pid for child in process.children(recursive=True))]
        except psutil.NoSuchProcess:
            return []
    pids, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        if not _alive(pid):
            continue
        pids.append(pid)
        for folder in threads(pid):
            waiting += map(int, read(f"{folder}/children").split())
    return pids


def _alive(pid: int) -> bool:
    stat = read(f"/proc/{pid}/stat")
    return bool(stat) and stat.rpartition(b")")[2].split(None, 1)[0] not in (b"Z", b"X")


def threads(pid: int) -> list[str]:
    """The folder of each thread of a process in /proc; empty if the process is gone."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return [f"/proc/{pid}/task/{thread}" for thread in os.listdir(f"/proc/{pid}/task")]
    return []


def read(path: str) -> bytes:
    """A file of the kernel; empty where there is none, or its process is gone."""
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""


def _ticks(pid: int) -> float:
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.NoSuchProcess:
        raise ProcessGone(pid) from None
    return float(times.user + times.system)


def _memory(pid: int, what: bytes = b"Pss:") -> int:
    if LINUX:
        for line in read(f"/proc/{pid}/smaps_rollup").splitlines():
            if line.startswith(what):
                return int(line.split()[1]) * 1024
    return _resident(pid)


def _resident(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
