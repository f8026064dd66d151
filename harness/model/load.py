"""The result of a load: one type for one process, several processes, several machines, and ``harness load``."""

from __future__ import annotations

from collections import ChainMap, Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import chain, zip_longest
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, InstanceOf, TypeAdapter
from pydantic_core import core_schema
from typing_extensions import TypedDict

from harness.model.reason import Reason
from harness.model.recorded import WindowRecord

FloatArray = npt.NDArray[np.float64]

Samples = Callable[[WindowRecord], Mapping[int, FloatArray]]
"""A record's raw latencies in µs: by index of its side, or of the class of request where it has one side."""
IntArray = npt.NDArray[np.int64]
Loop = Literal["closed", "open", "stream", "journey"]

PRECISION = 1 / 2048
"""The largest relative error of a percentile from a histogram: half a bucket at three significant digits; below a
microsecond, half a nanosecond.
"""

_NS_PER_US = 1000.0
_HIGHEST_NS = 3_600_000_000_000
_DIGITS = 3
_HALF_BITS = 10
"""log2 of half of the sub-buckets that three digits need."""


class LatenciesJson(TypedDict):
    """Times in microseconds.

    Attributes:
        count: how many there are.
        p50, p90, p99, p999: actual times where one process sent the load; else within 0.05% of them.
        min, max, mean: exact.
        hdr: HDR histogram of nanoseconds, three significant digits, in the compressed V2 format and base64.
    """

    count: int
    min: float
    p50: float
    p90: float
    p99: float
    p999: float
    max: float
    mean: float
    hdr: str


@dataclass(frozen=True, slots=True, eq=False)
class Latencies:
    """At least one time in microseconds: every one of them, or how many lie in each bucket of an HDR histogram.

    Histograms add up without loss, so that percentiles of several workers are those of all their times together,
    within ``PRECISION``.

    Attributes:
        values: every time, in order of completion; of a histogram, the middle of each bucket in use, ascending.
        counts: of a histogram, how many times lie in each bucket; ``None`` where ``values`` holds every time.
        total: sum of all of them, exact in both forms, as are ``least`` and ``most``.
    """

    values: FloatArray
    counts: IntArray | None
    total: float
    least: float
    most: float

    @classmethod
    def of(cls, values: FloatArray | None) -> Latencies | None:
        """Every one of ``values``; ``None`` where there are none."""
        if values is None or not len(values):
            return None
        return cls(values, None, float(values.sum()), float(values.min()), float(values.max()))

    @classmethod
    def merge(cls, parts: Iterable[Latencies | None]) -> Latencies | None:
        """All of them together: every time where each part has them, else a histogram."""
        present = [part for part in parts if part is not None]
        if len(present) < 2:
            return present[0] if present else None
        if all(part.counts is None for part in present):
            return cls.of(np.concatenate([part.values for part in present]))
        histograms = [part.histogram() for part in present]
        counts = np.concatenate([part.counts for part in histograms if part.counts is not None])
        return _of_buckets(
            np.bincount(np.concatenate([_buckets(part.values) for part in histograms]), counts).astype(np.int64),
            sum(part.total for part in present),
            min(part.least for part in present),
            max(part.most for part in present),
        )

    @property
    def count(self) -> int:
        return len(self.values) if self.counts is None else int(self.counts.sum())

    def quantiles(self, shares: Sequence[float]) -> list[float]:
        """For each of ``shares``, the least time that this share of all times does not exceed."""
        if self.counts is None:
            return [float(value) for value in np.quantile(self.values, shares, method="inverted_cdf")]
        ranks = np.maximum(1, np.ceil(np.round(np.asarray(shares) * self.count, 9))).astype(np.int64)
        return [float(value) for value in self.values[np.searchsorted(np.cumsum(self.counts), ranks)]]

    def samples(self) -> FloatArray:
        """As many values as there were times."""
        return self.values if self.counts is None else np.repeat(self.values, self.counts)

    def histogram(self) -> Latencies:
        """The same as a histogram; times below 0 count as 0, and times above an hour as an hour."""
        if self.counts is not None:
            return self
        return _of_buckets(np.bincount(_buckets(self.values)), self.total, self.least, self.most)

    def to_json(self) -> LatenciesJson:
        p50, p90, p99, p999 = self.quantiles([0.5, 0.9, 0.99, 0.999])
        return {
            "count": self.count,
            "min": self.least,
            "p50": p50,
            "p90": p90,
            "p99": p99,
            "p999": p999,
            "max": self.most,
            "mean": self.total / self.count,
            "hdr": self._encoded(),
        }

    @classmethod
    def from_json(cls, data: LatenciesJson) -> Latencies:
        """A histogram.

        Raises:
            ValueError: ``hdr`` is not a histogram, or holds another count.
        """
        from hdrh.histogram import HdrHistogram

        try:
            counts = _counters(HdrHistogram.decode(data["hdr"].encode()))
        except Exception as error:
            raise ValueError(f"not an HDR histogram: {error}") from None
        if not data["count"] or counts.sum() != data["count"]:
            raise ValueError(f"the histogram holds {counts.sum()} times, not {data['count']}")
        return _of_buckets(counts, data["mean"] * data["count"], data["min"], data["max"])

    def _encoded(self) -> str:
        from hdrh.histogram import HdrHistogram

        part = self.histogram()
        assert part.counts is not None
        histogram = HdrHistogram(1, _HIGHEST_NS, _DIGITS)
        used = _buckets(part.values)
        _counters(histogram)[used] = part.counts
        histogram.set_internal_tacking_values(int(used[0]), int(used[-1]), self.count)
        encoded: bytes = histogram.encode()
        return encoded.decode()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        form = handler.generate_schema(LatenciesJson)
        written = core_schema.plain_serializer_function_ser_schema(cls.to_json, return_schema=form)
        return core_schema.no_info_after_validator_function(cls.from_json, form, serialization=written)


adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)
"""What reads and writes the values of a type."""


def every(latencies: Latencies | None) -> FloatArray:
    """Every one of them, in order of completion; empty where there are none."""
    return np.empty(0) if latencies is None else latencies.samples()


def _of_buckets(counts: IntArray, total: float, least: float, most: float) -> Latencies:
    used = np.flatnonzero(counts)
    bucket = (used >> _HALF_BITS) - 1
    within = (used & ((1 << _HALF_BITS) - 1)) + np.where(bucket < 0, 0, 1 << _HALF_BITS)
    size = 1 << np.maximum(bucket, 0)
    middles = (within + 0.5) * size / _NS_PER_US
    return Latencies(np.clip(middles, least, most), counts[used], total, least, most)


def _buckets(microseconds: FloatArray) -> IntArray:
    """The index of the bucket in which each lies."""
    # Rounded, since the middle of a bucket must lie in it whatever floats make of a thousandth.
    nanoseconds = np.clip(np.round(microseconds * _NS_PER_US, 6), 0, _HIGHEST_NS).astype(np.int64)
    bucket = np.maximum(0, np.frexp(nanoseconds.astype(np.float64))[1] - (_HALF_BITS + 1))
    return np.asarray(((bucket + 1) << _HALF_BITS) + (nanoseconds >> bucket) - (1 << _HALF_BITS), np.int64)


def _counters(histogram: Any) -> IntArray:
    """A histogram's own counters, as an array that shares their memory."""
    return np.ctypeslib.as_array(histogram.counts).view(np.int64)


ClassProgress = tuple[int, int, float]
"""Right replies so far, failures so far, and the latest right reply's time in microseconds."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Sent a few times a second while an order is carried out.

    Attributes:
        round: of sides that take turns.
        latest_us: service time of the latest right reply.
        classes: of a journey, the progress of each class of request.
    """

    elapsed_s: float
    round: int
    replies: int
    latest_us: float = 0.0
    classes: Mapping[str, ClassProgress] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WorkerShare:
    """One worker's part of a load; counts are ``None`` where it was lost.

    Attributes:
        name: ``worker 2 (loadbox)``.
        connections: how many of the load's connections, or users, it had.
        clock_offset_s: its clock minus the master's.
        clock_uncertain_s: how far off that may be: half of the round trip; ``None`` where its clock was never read.
        lost: why it counts as lost; empty where it does not. ``noticed_s``: from its last message to that.
    """

    name: str
    connections: int
    planned: int | None = None
    answered: int | None = None
    throughput_rps: float | None = None
    generator_cpu: float | None = None
    generator_wait: float | None = None
    clock_offset_s: float = 0.0
    clock_uncertain_s: float | None = None
    lost: str = ""
    noticed_s: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """For each of a load's exact service times, in their order, the request that it belongs to.

    Attributes:
        sent_s: when it was sent, in seconds from the load's beginning.
        request: its index in the load's requests; 0 where a load does not distinguish them.
    """

    sent_s: FloatArray
    request: npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class LoadResult:
    """The result of a load; ``planned = answered + failed + dropped + unfinished``, always.

    Attributes:
        loop: ``closed`` (a concurrency), ``open`` (an arrival rate), ``stream`` (WebSocket, server-sent events), or
            ``journey`` (Locust's users).
        connections: of all processes together; users of a journey.
        duration_s: the time in which requests were sent; ``elapsed_s`` with the wait for the last replies.
        planned: requests that were due; in a closed loop, requests sent.
        answered: right replies.
        failed: requests that ended otherwise: a wrong reply, or none.
        dropped: requests of an open loop that were never sent, because too many were under way.
        unfinished: requests without an outcome at the end.
        in_time: right replies that were whole within ``duration_s``.
        waited: requests of an open loop that waited for a free connection.
        throughput_rps: ``in_time`` per second of ``duration_s``; ``None`` where that is 0.
        url: what was under load, as the user named it; empty where the user named none.
        rate_rps: requests per second that an open loop offers, all processes together; with phases, the first one's.
        service_time_us: of each right reply, from sending its request to the last byte.
        response_time_us: open loop: of each right reply, from its planned moment to the last byte.
        lateness_us: open loop: of each planned request, from its planned moment to the send.
        series: other times: by class of request of a journey; of streams ``gap_us``, ``handshake_us``; over TLS
            ``tls_handshake_us``, from opening a connection to the end of its handshake, which no service time holds.
        in_flight_mean: open loop: requests planned and not ended, mean over time, independent of the samples.
        step_s: length of the steps in which ``answered_steps`` and ``failed_steps`` count replies over time.
        status: status code → replies, right or wrong.
        errors: kind of error → count. ``examples``: kind → the first one in words.
        generator_cpu: share of its CPU that the busiest sending process used.
        generator_wait: share of the time for which that was ready to run and another process had its CPU.
        connects: connections opened; ``reconnects``: those among them that replaced one closed while idle.
        retries: requests sent again since a kept connection was closed without a byte of a reply (RFC 9112 §9.3.1).
        surplus: how often the server sent bytes that no request asked for.
        redirect: where the first reply with a ``Location`` led; empty where there was none.
        oldest_s: age at the end of the oldest unfinished request, in seconds.
        timeout_s: per-request timeout, after which it ends as ``timeout``; 0 where none is set.
        counts: of connections next to the load: ``idle_opened``, ``idle_answered``, ``slow_opened``, …; of streams:
            ``events``, and ``open_at_end``.
        interrupted: whether it was ended early.
        reasons: why not to trust it; empty where it is sound.
        workers: those that shared the load; empty where one process sent it.
        lost_share: part of the load that lost workers were to send.
        rejected_messages: connections to the master that it refused, and data that was not a message.
        trace: of one process's load, which requests the service times belong to; not in JSON.
    """

    loop: Loop
    connections: int
    duration_s: float
    elapsed_s: float
    planned: int = 0
    answered: int = 0
    failed: int = 0
    dropped: int = 0
    unfinished: int = 0
    in_time: int = 0
    waited: int = 0
    throughput_rps: float | None = None
    url: str = ""
    rate_rps: float | None = None
    seed: int = 0
    service_time_us: Latencies | None = None
    response_time_us: Latencies | None = None
    lateness_us: Latencies | None = None
    series: Mapping[str, Latencies] = field(default_factory=dict)
    in_flight_mean: float | None = None
    step_s: float = 0.1
    answered_steps: tuple[int, ...] = ()
    failed_steps: tuple[int, ...] = ()
    status: Mapping[int, int] = field(default_factory=dict)
    errors: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, str] = field(default_factory=dict)
    generator_cpu: float = 0.0
    generator_wait: float = 0.0
    connects: int = 0
    reconnects: int = 0
    retries: int = 0
    surplus: int = 0
    redirect: str = ""
    oldest_s: float = 0.0
    timeout_s: float = 0.0
    counts: Mapping[str, int] = field(default_factory=dict)
    interrupted: bool = False
    reasons: tuple[Reason, ...] = ()
    workers: tuple[WorkerShare, ...] = ()
    lost_share: float = 0.0
    rejected_messages: int = 0
    trace: Annotated[InstanceOf[Trace] | None, Field(exclude=True)] = None
    schema: int = 2

    def __post_init__(self) -> None:
        # A field, so that it is in the JSON; never an argument, so that it cannot disagree with its sources.
        object.__setattr__(self, "throughput_rps", self.in_time / self.duration_s if self.duration_s > 0 else None)

    @classmethod
    def merge(cls, parts: Sequence[LoadResult]) -> LoadResult:
        """One result from those of several processes: counts are added, times are put together.

        Raises:
            ValueError: there are none.
        """
        if not parts:
            raise ValueError("nothing to merge")
        if len(parts) == 1:
            return parts[0]
        merged = {name: combine([getattr(part, name) for part in parts]) for name, combine in _COMBINED.items()}
        return replace(parts[0], **merged)

    @property
    def planned_s(self) -> FloatArray:
        """For each right reply of one process's open loop, the moment for which its request was planned."""
        assert self.trace is not None
        waited_us = every(self.response_time_us) - every(self.service_time_us)
        planned: FloatArray = self.trace.sent_s - waited_us * 1e-6
        return planned

    def to_json(self) -> dict[str, Any]:
        """What ``harness load --json`` prints and workers send."""
        document: dict[str, Any] = adapter(LoadResult).dump_python(self, mode="json")
        return document

    @classmethod
    def from_json(cls, data: object) -> LoadResult:
        """Its times are histograms.

        Raises:
            ValueError: ``data`` is not such a result.
        """
        result: LoadResult = adapter(LoadResult).validate_python(data)
        return result


def _added(rows: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(map(sum, zip_longest(*rows, fillvalue=0)))


def _summed(counts: Sequence[Mapping[Any, int]]) -> dict[Any, int]:
    total: Counter[Any] = Counter()
    for count in counts:
        total.update(count)
    return dict(total)


def _named(parts: Sequence[Mapping[str, Latencies]]) -> dict[str, Latencies]:
    names = sorted({name for part in parts for name in part})
    together = {name: Latencies.merge([part.get(name) for part in parts]) for name in names}
    return {name: latencies for name, latencies in together.items() if latencies is not None}


def _present(values: Sequence[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return sum(present) if present else None


def _traced(parts: Sequence[Trace | None]) -> Trace | None:
    present = [part for part in parts if part is not None]
    if len(present) < len(parts):
        return None
    sent, request = ([getattr(part, name) for part in present] for name in Trace.__slots__)
    return Trace(np.concatenate(sent), np.concatenate(request))


_ADDED = (
    "connections", "planned", "answered", "failed", "dropped", "unfinished", "in_time", "waited",
    "connects", "reconnects", "retries", "surplus", "lost_share", "rejected_messages",
)  # fmt: skip
_COMBINED: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(_ADDED, sum),
    **dict.fromkeys(("duration_s", "elapsed_s", "generator_cpu", "generator_wait", "oldest_s"), max),
    "redirect": lambda parts: next(filter(None, parts), ""),
    **dict.fromkeys(("service_time_us", "response_time_us", "lateness_us"), Latencies.merge),
    "rate_rps": lambda rates: next((rate for rate in rates if rate is not None), None),
    "in_flight_mean": _present,
    **dict.fromkeys(("answered_steps", "failed_steps"), _added),
    **dict.fromkeys(("status", "errors", "counts"), _summed),
    **dict.fromkeys(("reasons", "workers"), lambda parts: tuple(chain(*parts))),
    "examples": lambda parts: dict(ChainMap(*parts)),
    "series": _named,
    "interrupted": any,
    "trace": _traced,
}
"""How each field of several results becomes one; those that are not here are the first's."""
