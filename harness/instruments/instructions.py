"""Instructions per request of freshly started servers: repeatable where clocks are not."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.config.placement import Placement
from harness.engine.clocks import read, threads
from harness.engine.closedloop import ClosedLoop
from harness.engine.spec import LoadSpec
from harness.engine.wire import requests_to
from harness.errors import LaunchError, NotReadyError
from harness.instruments.callgrind import HINT, MISSING, Callgrind, Calls, Counts
from harness.instruments.perf import PerfEvents
from harness.model import InstructionCount, Point, Target
from harness.serve import JWT_SECRET, Fleet, Running
from harness.serve.guard import Guard, descendants

READY_S = 300.0
"""A server starts some 50 times slower under valgrind."""
TIMEOUT_S = 120.0
PAUSE_S = 0.0005
WARM_UP = 20
FUNCTIONS, FEWEST, MOST = 5, 0.05, 1.2
"""What is taken for a heartbeat: as many functions called alike, within these ratios."""
SETTINGS: Mapping[str, str] = {
    "PYTHONHASHSEED": "0",
    JWT_SECRET: "0" * 64,
    # Uvicorn ends workers that do not answer it within 5 s.
    "UVICORN_TIMEOUT_WORKER_HEALTHCHECK": f"{TIMEOUT_S:.0f}",
    # One instruction that fills a whole buffer would count as one for each byte.
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-ERMS",
}
"""Environment of the servers, so that every start does the same work."""


def counter_kind() -> tuple[type[Callgrind | PerfEvents], str]:
    """What counts instructions on this machine, and why it is not the CPU itself; empty where it is.

    Raises:
        NotReadyError: nothing does; the hint says what to install.
    """
    why = PerfEvents.unavailable()
    if not why:
        return PerfEvents, ""
    if not Callgrind.available():
        raise NotReadyError(MISSING, hint=HINT)
    return Callgrind, why


def why_not_counted() -> str:
    """Why instructions cannot be counted here, and how they could; empty where they can."""
    try:
        counter_kind()
    except NotReadyError as error:
        return f"{error}: {error.hint}"
    return ""


class CountingFleet(Fleet):
    """Servers whose instructions can be counted, each started behind the counter; they have no requests when they end.

    Raises:
        NotReadyError: nothing counts instructions here.
    """

    def __init__(self, guard: Guard, placement: Placement, environment: Mapping[str, str]) -> None:
        # Servers and the client take turns anyhow.
        cpus = tuple(sorted({*placement.server, *placement.generator}))
        self._kind, self.why = counter_kind()
        self._counters: list[Callgrind | PerfEvents] = []
        self.folder = Path(tempfile.mkdtemp(prefix="harness-"))
        # Servers that give up root's rights write there too.
        self.folder.chmod(0o777)
        guard.add(self.folder)
        super().__init__(
            guard,
            Placement(cpus, (), (), many=cpus),
            environment={**environment, **SETTINGS},
            prefix=self._kind(self.folder).prefix,
        )
        # Those of the next block start at the same time.
        self._at_once *= 2

    def counter(self) -> Callgrind | PerfEvents:
        """A new one, for one server."""
        self._counters.append(self._kind(self.folder))
        return self._counters[-1]

    def start(self, targets: Sequence[Target], deadline_s: float = READY_S) -> None:
        super().start(targets, deadline_s)

    def _check_refusal(self, running: Running) -> None:
        if any("SIGILL" in line for line in running.log()):
            message = f"{running.target.name}: it uses an instruction that this CPU, or valgrind, does not know"
            raise LaunchError(message, log=running.log(), code="exited")
        super()._check_refusal(running)

    def close(self) -> None:
        for counter in self._counters:
            counter.close()
        for name in tuple(self.running):
            self.kill(name)
        super().close()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._guard.remove(self.folder)


@contextlib.contextmanager
def counting_ahead(
    targets: Sequence[Target], placement: Placement, environment: Mapping[str, str]
) -> Iterator[CountingFleet]:
    """Servers for a first count, which come up while something else is done within the block.

    Raises:
        NotReadyError: nothing counts instructions here.
    """
    with Guard() as guard, CountingFleet(guard, placement, environment) as fleet:
        fleet.begin(targets)
        yield fleet


def asleep(pids: Sequence[int]) -> bool:
    """Whether no thread of these processes has anything to do, seen twice, since one may wake another meanwhile."""
    stats = (read(f"{folder}/stat") for _ in range(2) for pid in pids for folder in threads(pid))
    return not any(stat.rpartition(b")")[2][:2] in (b" R", b" D") for stat in stats)


@dataclass(frozen=True, slots=True)
class Idle:
    """What a server executes without requests for ``seconds``; ``added`` is what the count itself adds to any count."""

    seconds: float
    counts: Counts
    added: Counts


class CountedServer:
    """A server of the fleet, which is counted at one point after the other."""

    def __init__(self, running: Running, fleet: CountingFleet) -> None:
        self._running, self._why, self._counter = running, fleet.why, fleet.counter()
        self._pids = (running.pid, *(process.pid for process in descendants(running.pid)))
        self._begun, self._idle = False, Idle(0.0, Counts(), Counts())

    async def count(self, point: Point, connections: int, requests: int, seed: int) -> InstructionCount:
        """Counts so many requests, rounded up to as many on every connection.

        Raises:
            NotReadyError: it cannot be counted, or a reply was wrong.
        """
        counter = self._counter
        requests *= counter.times
        wire = requests_to(self._running, point.requests)
        spec = LoadSpec(self._running.bind, wire, connections, 0.0, timeout_s=TIMEOUT_S)
        loop = ClosedLoop(spec, seed)
        try:
            # The adaptive interpreter and caches need some requests, and are not quite the same while they are counted.
            if not self._begun:
                await self._burst(loop, max(WARM_UP, requests // 2))
                await counter.begin(self._pids)
                self._begun = True
            await self._burst(loop, WARM_UP)
            await counter.read()
            began = time.monotonic()
            sent = await self._burst(loop, requests)
            took = time.monotonic() - began
            reading = await counter.read()
            if not self._idle.seconds:
                nothing = await counter.read()
                await asyncio.sleep(took)
                self._idle = Idle(took, (await counter.read())(), nothing())
        finally:
            loop.close()
        busy, idle = reading(), self._idle
        share = heartbeats(busy.calls, idle.counts.calls, took / idle.seconds)
        waited, added = idle.counts.objects, idle.added.objects
        objects = {
            name: (total - (1 - share) * added.get(name, 0) - share * waited.get(name, 0)) / sent
            for name, total in busy.objects.items()
        }
        return InstructionCount(
            target=self._running.target.name,
            point=point.id,
            counter=counter.name,
            per_request=sum(objects.values()),
            requests=sent,
            connections=connections,
            idle_per_s=idle.counts.costs.total() / idle.seconds,
            objects=objects,
            settings=SETTINGS,
            why=self._why,
            collections=busy.collections.total() / sent,
        )

    async def _burst(self, loop: ClosedLoop, count: int) -> int:
        """Sends at least ``count`` requests in volleys, and returns how many when the last reply was right.

        A request is sent on every connection at once, and the next ones when the server sleeps. Whether a request is
        there before a busy server looks for it would depend on what else the machine does, and so would its work.

        Raises:
            NotReadyError: a reply was wrong or did not come.
        """
        sent = 0
        while sent < count:
            # A turn that is over at once sends one request on every connection.
            turn = await loop.turn(0.0)
            for kind, example in turn.examples.items():
                raise NotReadyError(f"nothing was counted: {kind}: {example}")
            sent += turn.replies
            while not asleep(self._pids):
                await asyncio.sleep(PAUSE_S)
        return sent


def heartbeats(busy: Calls, idle: Calls, expected: float = 1.0) -> float:
    """The share of an idle server's heartbeats that the busy one had; where it cannot be seen, the ``expected`` one.

    A timer that is due while a request is worked on waits for its end, and so fires less often. Functions that nothing
    but the timer calls have all been called in one ratio. Where there are several timers, the one that fires most often
    counts: the others, such as that of a date that changes each second, are a small part.
    """
    alike: Counter[tuple[int, int]] = Counter()
    for function, calls in idle.items():
        if calls and FEWEST * expected * calls <= busy[function] <= MOST * expected * calls:
            alike[busy[function], calls] += 1
    ratios = [pair for pair, functions in alike.items() if functions >= FUNCTIONS]
    # Where a timer was at work as counting began or ended, some of its functions have a call more than the others.
    mine, theirs = max(ratios, key=lambda pair: (pair[1], alike[pair]), default=(expected, 1))
    return mine / theirs
