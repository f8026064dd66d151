"""What a load records, and how its result is made from that.

Times are kept one by one at first, then in a histogram, so that a long load needs no more memory.
"""

from __future__ import annotations

import math
import time
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from harness.engine.checks import ReplyCheck
from harness.engine.clocks import waited_for_cpu
from harness.engine.spec import WireLoad
from harness.model.load import FloatArray, Latencies, LoadResult, Trace
from harness.model.units import US

STEP_S = 0.1
BATCH = 65536
"""At most so many times go into a histogram at once: some milliseconds in which nothing is sent."""
StepCounts = npt.NDArray[np.int64]
NO_STEPS: tuple[StepCounts, StepCounts] = np.zeros(0, np.int64), np.zeros(0, np.int64)

if TYPE_CHECKING:
    Doubles = array[float]
else:
    Doubles = array


class Samples(Doubles):
    """Seconds, to which a load appends.

    Attributes:
        folded: those that are in a histogram already, in microseconds; within ``Latencies``' precision.
    """

    folded: Latencies | None = None

    def __new__(cls) -> Samples:
        return super().__new__(cls, "d")  # type: ignore[return-value]

    @property
    def total(self) -> int:
        """How many there were in all."""
        return len(self) + (0 if self.folded is None else self.folded.count)

    def fold(self, keep: int) -> None:
        """Put the newest of those past ``keep`` into the histogram, at most ``BATCH``."""
        newest = Latencies.of(take_newest(self, keep) * US)
        if newest is not None:
            self.folded = Latencies.merge([self.folded, newest.histogram()])

    def latencies(self) -> Latencies | None:
        """All of them."""
        return Latencies.merge([Latencies.of(floats(self) * US), self.folded])


def take_newest(values: array[float], keep: int) -> FloatArray:
    """Remove the newest of ``values`` past ``keep``, at most ``BATCH``, but for the very last, which progress shows."""
    count = min(len(values) - keep, BATCH)
    if count <= 0:
        return np.empty(0)
    newest = np.array(values[-count - 1 : -1])
    del values[-count - 1 : -1]
    return newest


def floats(values: array[float]) -> FloatArray:
    """A copy of ``values``, since an array that is viewed cannot grow."""
    return np.array(values, dtype=np.float64)


@dataclass(slots=True)
class Traffic:
    """What connections did besides requests; the names are those of ``LoadResult``.

    Attributes:
        status: status → replies that were read in full; ``ReplyCheck.hits`` counts the others.
        handshakes: seconds of each TLS handshake, the connecting before it included.
    """

    connects: int = 0
    reconnects: int = 0
    retries: int = 0
    surplus: int = 0
    status: Counter[int] = field(default_factory=Counter)
    redirect: str = ""
    handshakes: Samples = field(default_factory=Samples)


@dataclass(slots=True)
class Tally:
    """The results of requests; moments are of ``time.perf_counter``.

    Attributes:
        service: seconds of every right reply, in order of completion; ``ends``: when each was complete.
        errors: kind → count; ``examples``: kind → the first one in words; ``failures``: when each happened.
        unfinished: requests that were given up at the end of the load; ``oldest_s``: the age of the oldest.
    """

    service: Samples = field(default_factory=Samples)
    ends: array[float] = field(default_factory=lambda: array("d"))
    failures: array[float] = field(default_factory=lambda: array("d"))
    folded_steps: tuple[StepCounts, StepCounts] = NO_STEPS
    errors: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    unfinished: int = 0
    oldest_s: float = 0.0

    @property
    def replies(self) -> int:
        return self.service.total

    @property
    def latest_s(self) -> float:
        """Service time of the latest right reply; 0 before the first."""
        return self.service[-1] if self.service else 0.0

    def fold(self, began: float, keep: int, *others: Samples) -> None:
        """While a load is sent: keep ``keep`` times one by one, of ``others`` too, and count the newest."""
        for times in (self.service, *others):
            times.fold(keep)
        ended, failed = take_newest(self.ends, keep), take_newest(self.failures, keep)
        if len(ended) or len(failed):
            right, wrong = self.folded_steps
            self.folded_steps = steps(ended - began, 0.0, right), steps(failed - began, 0.0, wrong)

    def give_up(self, begun: Sequence[float]) -> None:
        """Note requests without an outcome, which began at these moments."""
        self.unfinished += len(begun)
        self.oldest_s = max(self.oldest_s, time.perf_counter() - min(begun, default=math.inf))

    def fail(self, kind: str, detail: str, moment: float, count: int = 1) -> None:
        """Note ``count`` requests that gave no right reply."""
        if count:
            self.errors[kind] += count
            self.examples.setdefault(kind, detail)
            self.failures.extend([moment] * count)


class GeneratorUse:
    """What this process uses of its CPU from now on."""

    def __init__(self) -> None:
        self._began, self._cpu, self._waited = time.perf_counter(), time.process_time(), waited_for_cpu()

    def seconds(self) -> dict[str, float]:
        """Fields of ``SlicesResult``."""
        return {"generator_cpu": time.process_time() - self._cpu, "generator_wait": waited_for_cpu() - self._waited}

    def shares(self, seconds: float | None = None) -> dict[str, Any]:
        """Fields of ``LoadResult``: shares of ``seconds``; default: of the time since."""
        took = time.perf_counter() - self._began if seconds is None else seconds
        return {name: used / took if took > 0 else 0.0 for name, used in self.seconds().items()}


def load_result(
    spec: WireLoad,
    tally: Tally,
    began: float,
    duration_s: float,
    elapsed_s: float,
    traffic: Traffic,
    checks: Sequence[ReplyCheck] = (),
    series: Mapping[str, Samples] = MappingProxyType({}),
    request: array[int] | None = None,
    **fields: Any,
) -> LoadResult:
    """The result of a load that began at ``began``, with other ``fields`` of ``LoadResult``.

    Args:
        checks: those whose replies may have been recognised without being read.
        series: other times, in seconds.
        request: which request each service time is of; default: the first.
    """
    service, ends, failures = floats(tally.service), floats(tally.ends) - began, floats(tally.failures) - began
    folded_right, folded_wrong = tally.folded_steps
    requests = np.zeros(len(ends), np.int32) if request is None else np.array(request, dtype=np.int32)
    named = {"tls_handshake_us": traffic.handshakes, **series}
    times = {name: values.latencies() for name, values in named.items()}
    status = traffic.status.copy()
    for check in checks:
        status[check.usual_status] += check.hits
    return LoadResult(
        loop=spec.loop,
        connections=spec.connections,
        timeout_s=spec.timeout_s,
        duration_s=duration_s,
        elapsed_s=elapsed_s,
        answered=tally.replies,
        failed=tally.errors.total(),
        unfinished=tally.unfinished,
        oldest_s=tally.oldest_s,
        # What was folded ended while the load was sent.
        in_time=int(np.count_nonzero(ends <= duration_s)) + int(folded_right.sum()),
        service_time_us=tally.service.latencies(),
        answered_steps=tuple(steps(ends, duration_s, folded_right).tolist()),
        failed_steps=tuple(steps(failures, duration_s, folded_wrong).tolist()),
        errors=dict(tally.errors),
        examples=dict(tally.examples),
        series={name: latencies for name, latencies in times.items() if latencies is not None},
        status=dict(sorted((+status).items())),
        **{name: getattr(traffic, name) for name in ("connects", "reconnects", "retries", "surplus", "redirect")},
        # Of times that are in a histogram only nothing more is known.
        trace=Trace(ends - service, requests) if tally.service.folded is None else None,
        **fields,
    )


def steps(moments: FloatArray, duration_s: float, before: StepCounts) -> StepCounts:
    """How many of ``moments`` lie in each ``STEP_S``, up to the last, added to those of ``before``."""
    count = int(np.ceil(round(max(duration_s, float(moments.max(initial=0.0))) / STEP_S, 6)))
    indexes = np.clip((moments / STEP_S).astype(np.int64), 0, max(0, count - 1))
    counts = np.bincount(indexes, minlength=max(count, len(before)))
    counts[: len(before)] += before
    return counts
