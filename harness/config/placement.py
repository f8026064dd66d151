"""Which CPUs serve, which generate load, which run what is behind the apps."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import psutil

from harness.model import Reason


@dataclass(frozen=True, slots=True)
class Placement:
    """CPU numbers; empty where processes cannot be pinned. ``note`` says what is less than good about it.

    ``many`` are those of a server that has a worker per CPU; any other has ``server``.
    """

    server: tuple[int, ...]
    generator: tuple[int, ...]
    backing: tuple[int, ...]
    note: Reason | None = None
    many: tuple[int, ...] = ()

    @property
    def per_cpu(self) -> int:
        """How many workers a server has that has one per CPU."""
        return len(self.many) or os.cpu_count() or 1

    @property
    def cpus(self) -> dict[str, tuple[int, ...]]:
        """By role, as the manifest holds them."""
        return {"server": self.server, "generator": self.generator, "backing": self.backing, "many": self.many}


def detect() -> Placement:
    """The placement on this machine."""
    if not hasattr(os, "sched_getaffinity"):
        return Placement((), (), (), Reason("no-pinning"))
    return place(sorted(os.sched_getaffinity(0)))


def place(cpus: list[int], core_of: dict[int, str] | None = None) -> Placement:
    """Server first, generator on another core if there is one, backing services on a third or beside the generator."""
    if len(cpus) < 2:
        return Placement(tuple(cpus), tuple(cpus), tuple(cpus), Reason("one-cpu"), tuple(cpus))
    cores = core_of or {cpu: _core(cpu) for cpu in cpus}
    server = cpus[0]
    others = [cpu for cpu in cpus[1:] if cores.get(cpu) != cores.get(server)] or cpus[1:]
    generator = others[0]
    rest = [cpu for cpu in others[1:] if cores.get(cpu) != cores.get(generator)] or others[1:]
    note = Reason("one-core") if cores.get(server) == cores.get(generator) else None
    backing = tuple(rest[:2]) or (generator,)
    many = [cpu for cpu in cpus[1:] if cpu not in backing and cores.get(cpu) != cores.get(generator)]
    return Placement((server,), (generator,), backing, note, (server, *many))


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


def _core(cpu: int) -> str:
    """The CPUs that share a core with ``cpu``, as the kernel names them; its own number where it does not tell."""
    try:
        return Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list").read_text().strip()
    except OSError:
        return str(cpu)
