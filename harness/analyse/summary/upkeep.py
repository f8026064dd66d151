"""What it costs to keep a target, and how the run itself fared."""

from __future__ import annotations

from dataclasses import dataclass

from harness.model import Failure, Gate


@dataclass(frozen=True, slots=True)
class Waiting:
    """Memory of requests that wait, on a server that did little before.

    Attributes:
        requests: how many were sent and not answered.
        bytes_per_request: (memory with them − idle memory) / connections, mean over blocks, with its 95% interval.
        accepted: connections that the server had taken over from the kernel; the others wait in its backlog.
            ``None`` where the system does not tell. Median over blocks, as is ``connected``.
    """

    requests: int
    bytes_per_request: float
    ci_low: float | None
    ci_high: float | None
    connected: float
    accepted: float | None
    blocks: int


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What keeping a target costs, beside its requests; medians over blocks.

    Attributes:
        startup_s: seconds from start to the first answer.
        rss_bytes: memory of the process tree after load, pages that its processes share counted once.
        worker_bytes: the same by worker, the processes that oversee them included.
        idle_bytes: memory before load: RSS of a single process, else as above.
        waiting: by the number of requests that wait.
    """

    target: str
    startup_s: float | None
    rss_bytes: float | None
    worker_bytes: float | None = None
    idle_bytes: float | None = None
    waiting: tuple[Waiting, ...] = ()


@dataclass(frozen=True, slots=True)
class Health:
    """What the machine and the generator did; shares are of one CPU."""

    slots: int
    failed_slots: int
    retried_slots: int
    generator_cpu_max: float
    foreign_cpu_max: float
    steal_max: float
    gates: tuple[Gate, ...] = ()
    failures: tuple[Failure, ...] = ()
