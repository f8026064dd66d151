"""Which CPUs serve, which generate load, which run what is behind the apps."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

import psutil

from harness.config.cgroup import find_quota, kernel_text
from harness.model import Reason


@dataclass(frozen=True, slots=True)
class Placement:
    """CPU numbers; empty where processes cannot be pinned. ``note`` names its disadvantage.

    Attributes:
        many: of a server that has a worker per CPU; any other has ``server``.
        wide: of a server in the scaling study: all but the generator's, and that one too where only one other is left.
        quota: CPU seconds per second that everything together may use; ``None`` for all CPUs.
    """

    server: tuple[int, ...]
    generator: tuple[int, ...]
    backing: tuple[int, ...]
    note: Reason | None = None
    many: tuple[int, ...] = ()
    wide: tuple[int, ...] = ()
    quota: float | None = None

    @property
    def per_cpu(self) -> int:
        """How many workers a server has that has one per CPU."""
        return len(self.many) or _allowed(os.cpu_count() or 1, self.quota)

    @property
    def cpus(self) -> dict[str, tuple[int, ...]]:
        """By role, as the manifest holds them."""
        roles = ("server", "generator", "backing", "many", "wide")
        return {role: getattr(self, role) for role in roles}


def detect() -> Placement:
    """The placement on this machine."""
    limit = find_quota()
    quota = limit.cpus if limit else None
    if not hasattr(os, "sched_getaffinity"):
        return Placement((), (), (), Reason("no-pinning"), quota=quota)
    return place(sorted(os.sched_getaffinity(0)), quota=quota)


def place(cpus: list[int], core_of: dict[int, str] | None = None, quota: float | None = None) -> Placement:
    """Server first, generator on another core if there is one, backing services on a third or with the generator.

    A quota limits the number of workers of servers with one per CPU, and changes no CPU.
    """
    if len(cpus) < 2:
        shared = tuple(cpus)
        return Placement(shared, shared, shared, Reason("one-cpu"), shared, shared, quota)
    # The CPUs that share a core, as the kernel names them; a number where it does not say.
    siblings = "/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"
    cores = core_of or {cpu: kernel_text(siblings.format(cpu)).strip() or str(cpu) for cpu in cpus}
    server = cpus[0]
    others = [cpu for cpu in cpus[1:] if cores.get(cpu) != cores.get(server)] or cpus[1:]
    generator = others[0]
    rest = [cpu for cpu in others[1:] if cores.get(cpu) != cores.get(generator)] or others[1:]
    note = Reason("one-core") if cores.get(server) == cores.get(generator) else None
    backing = tuple(rest[:2]) or (generator,)
    many = [cpu for cpu in cpus[1:] if cpu not in backing and cores.get(cpu) != cores.get(generator)]
    most = _allowed(1 + len(many), quota)
    wide = tuple(cpu for cpu in cpus if cpu != generator)
    wide = wide if wide[1:] else tuple(cpus)
    return Placement((server,), (generator,), backing, note, (server, *many)[:most], wide, quota)


def _allowed(cpus: int, quota: float | None) -> int:
    """Workers that can use so many CPUs within a quota: a part of a CPU is worth one more."""
    return cpus if quota is None else max(1, min(cpus, math.ceil(quota)))


def parse_cpus(text: str) -> tuple[int, ...]:
    """CPU numbers from the kernel's way of writing them: ``0``, ``0-2,5``; none from an empty text."""
    cpus: list[int] = []
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        cpus += range(int(first), int(last or first) + 1)
    return tuple(cpus)


def confine(pid: int, cpus: tuple[int, ...]) -> None:
    """Pins every thread of the process and of its descendants; threads and processes to come inherit it."""
    if not cpus or not hasattr(os, "sched_setaffinity"):
        return
    try:
        root = psutil.Process(pid)
        tree = [root, *root.children(recursive=True)]
    except psutil.Error:
        return
    for process in tree:
        try:
            for thread in process.threads():
                os.sched_setaffinity(thread.id, cpus)
        except (psutil.Error, OSError):
            continue
